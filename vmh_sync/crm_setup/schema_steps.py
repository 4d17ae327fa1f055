"""Steps for entity types, fields, links, the version check, locks and the parents of tasks (entities.md 5)."""

from collections.abc import Iterator, Mapping
from functools import partial

from vmh_sync.crm_setup.session import LeftByHand, SetupSession, Step
from vmh_sync.crm_setup.wanted import ENTITIES, LINKS, NOT_LOCKABLE, WantedEntity
from vmh_sync.sync.reporting.status import SyncStatus
from vmh_sync.systems.espocrm.field_types import fits, misfit, too_short

_MANAGER = "EntityManager/action"
_FIELDS = "Admin/fieldManager"


async def schema_steps(session: SetupSession) -> list[Step]:
    """Plan what is missing, in the order in which it can be made; notes what has the right name and a wrong type."""
    steps: list[Step] = []
    for entity in ENTITIES:
        scope = await session.admin.metadata(f"scopes.{entity.name}")
        fields = await session.admin.metadata(f"entityDefs.{entity.name}.fields")
        known = fields if isinstance(fields, dict) else {}
        if not isinstance(scope, dict) or not known:
            steps.append(_create_entity(entity))
        steps += await _version_check(session, entity, exists=bool(known))
        steps += _field_steps(session, entity, known)
        if isinstance(scope, dict) and scope.get("lockable") is True:
            steps += _lock_steps(entity, known)
    for link in LINKS:
        steps += await _link_steps(session, link.entity, link.link, link.foreign_entity, link.foreign_link)
    return [*steps, *await _task_parents(session)]


def _create_entity(entity: WantedEntity) -> Step:
    body = {
        "name": entity.short,
        "type": entity.kind,
        "labelSingular": entity.label,
        "labelPlural": entity.label,
        "stream": entity.stream,
    }
    return Step(f"Entität {entity.name} anlegen", partial(_make, path=f"{_MANAGER}/createEntity", body=body))


async def _make(session: SetupSession, *, path: str, body: Mapping[str, object]) -> None:
    await session.make(path, body)


async def _version_check(session: SetupSession, entity: WantedEntity, *, exists: bool) -> list[Step]:
    """Where nobody ever touched the switch it is put on; where an administrator put it off it stays off."""
    switch = None
    if exists:
        switch = await session.admin.metadata(f"entityDefs.{entity.name}.optimisticConcurrencyControl")
    if switch is not None:
        return []
    body = {"name": entity.name, "optimisticConcurrencyControl": True}
    text = f"Versionsprüfung für {entity.name} einschalten"
    return [Step(text, partial(_make, path=f"{_MANAGER}/updateEntity", body=body))]


def _field_steps(session: SetupSession, entity: WantedEntity, known: Mapping[str, object]) -> Iterator[Step]:
    for name, definition in entity.fields.items():
        found = known.get(name)
        if isinstance(found, Mapping):
            if not fits(definition, found):
                session.left.append(_wrong_type(entity.name, name, definition, found))
            elif (short := too_short(definition, found)) is not None:
                session.left.append(_narrow(entity.name, name, definition, *short))
            session.left.extend(_unwritable(entity.name, name, definition, found))
            continue
        text = f"Feld {entity.name}.{name} ({definition['label']}) anlegen"
        body = {"name": name, **definition}
        yield Step(text, partial(_make, path=f"{_FIELDS}/{entity.name}", body=body))


def _wrong_type(entity: str, name: str, wanted: Mapping[str, object], found: Mapping[str, object]) -> LeftByHand:
    return LeftByHand(
        f"Das Feld {entity}.{name} ({wanted['label']}) gibt es schon, aber {misfit(wanted, found)}.",
        "In EspoCRM das Feld umbenennen oder löschen und `vmh-sync crm setup` noch einmal ausführen, oder in der Datei "
        "VMH_FIELD_TABLES ein anderes Feld nennen.",
        serious=True,
    )


def _narrow(entity: str, name: str, wanted: Mapping[str, object], has: int, needs: int) -> LeftByHand:
    own = "options" in wanted or wanted.get("type") == "int"
    follows = (
        "nicht alle unsere Werte passen hinein" if own else "längere Werte bleiben auf ihrer Seite und werden gemeldet"
    )
    text = f"Das Feld {entity}.{name} ({wanted['label']}) nimmt nur {has} statt {needs} Zeichen; {follows}."
    return LeftByHand(text, "In EspoCRM im Entity Manager die Länge des Feldes erhöhen.", serious=own)


def _unwritable(
    entity: str, name: str, wanted: Mapping[str, object], found: Mapping[str, object]
) -> Iterator[LeftByHand]:
    """What keeps us from writing our own states; the words of other lists may be mapped by the firm."""
    field, options, has = f"{entity}.{name} ({wanted['label']})", wanted.get("options"), found.get("options")
    if found.get("readOnly"):
        text = f"Das Feld {field} ist schreibgeschützt; EspoCRM verwirft Änderungen daran still."
        yield LeftByHand(text, "In EspoCRM den Schreibschutz des Feldes aufheben.", serious=True)
    if name == "syncStatus" and isinstance(options, list) and isinstance(has, list):
        lacking = [word for word in options if word not in {*has, SyncStatus.SYNCING}]
        if lacking:
            text = f"Dem Feld {field} fehlen Werte: {', '.join(lacking)}."
            yield LeftByHand(text, "Die Werte in EspoCRM im Entity Manager ergänzen.", serious=True)


def _lock_steps(entity: WantedEntity, known: Mapping[str, object]) -> Iterator[Step]:
    """Where records can be locked (EspoCRM 10), our own fields must stay writable."""
    for name in NOT_LOCKABLE:
        found = known.get(name)
        if isinstance(found, Mapping) and "notLockable" not in found:
            body = {"type": found.get("type"), "notLockable": True}
            text = f"Feld {entity.name}.{name} auch bei gesperrten Datensätzen beschreibbar machen"
            yield Step(text, partial(_change, path=f"{_FIELDS}/{entity.name}/{name}", body=body))


async def _change(session: SetupSession, *, path: str, body: Mapping[str, object]) -> None:
    await session.admin.call("PUT", path, body=dict(body))


async def _link_steps(session: SetupSession, entity: str, link: str, foreign: str, foreign_link: str) -> list[Step]:
    links = await session.admin.metadata(f"entityDefs.{entity}.links")
    if isinstance(links, dict) and link in links:
        return []
    body = {
        "entity": entity,
        "link": link,
        "linkForeign": foreign_link,
        "label": link.capitalize(),
        "labelForeign": "Beteiligte",
        "linkType": "oneToMany",
        "entityForeign": foreign,
        "relationName": None,
    }
    text = f"Verknüpfung {entity}.{link} mit {foreign} anlegen"
    return [Step(text, partial(_make, path=f"{_MANAGER}/createLink", body=body))]


async def _task_parents(session: SetupSession) -> list[Step]:
    """A Task takes only listed types as parent (espocrm.md B12); those that are listed stay."""
    found = await session.admin.metadata("entityDefs.Task.fields.parent")
    listed = found.get("entityList") if isinstance(found, dict) else None
    if not isinstance(listed, list):
        # Nothing to add to: writing a list of ours would take the types away that tasks hang on today.
        text = "EspoCRM sagt nicht, woran Aufgaben hängen dürfen (Feld Task.parent)."
        names = ", ".join(entity.name for entity in ENTITIES)
        remedy = f"Im Entity Manager bei Aufgabe, Feld „parent“, nachsehen, ob {names} dabei sind."
        session.left.append(LeftByHand(text, remedy, serious=True))
        return []
    known = [str(name) for name in listed]
    lacking = [entity.name for entity in ENTITIES if entity.name not in known]
    if not lacking:
        return []
    body = {"type": "linkParent", "entityList": [*known, *lacking]}
    text = f"Aufgaben mit {', '.join(lacking)} verknüpfbar machen (Feld Task.parent)"
    return [Step(text, partial(_change, path=f"{_FIELDS}/Task/parent", body=body))]
