"""Compares EspoCRM's live metadata with the field tables (specification, entities.md 5). Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vmh_sync.doctor.field_types import type_lines
from vmh_sync.doctor.line import Line, hint, problem
from vmh_sync.sync.fields import Choices, FieldRule, FieldTable

ADDRESS_PARTS = ("Street", "City", "State", "Country", "PostalCode")
_CREATE = "Mit `vmh-sync crm setup` oder von Hand in EspoCRM anlegen."
_CREATE_OR_DROP = (
    "Mit `vmh-sync crm setup` oder von Hand in EspoCRM anlegen, oder in der Datei VMH_FIELD_TABLES umbenennen oder "
    "mit null herausnehmen."
)


@dataclass(frozen=True, slots=True)
class Expected:
    """What the product needs of one entity type.

    ``needed`` are attributes without which it cannot work, ``wanted`` bookkeeping that it does without;
    ``statuses`` are the values it writes to ``syncStatus``.
    """

    entity: str
    espo_entity: str
    table: FieldTable
    needed: tuple[str, ...]
    wanted: tuple[str, ...]
    statuses: tuple[str, ...]


def compare(expected: Expected, fields: Any) -> list[Line]:
    """Return a line for every mismatch.

    ``fields`` is the metadata under ``entityDefs.<entity>.fields``, ``None`` when the entity type is missing.
    """
    name = f"Felder {expected.espo_entity}"
    if not isinstance(fields, Mapping) or not fields:
        return [
            problem(
                name,
                f"{expected.espo_entity} gibt es in EspoCRM nicht.",
                "`vmh-sync crm setup` ausführen und die Rolle des API-Benutzers prüfen.",
            )
        ]
    return [
        *_table_lines(name, expected, fields),
        *type_lines(name, expected.espo_entity, expected.table, fields),
        *_bookkeeping_lines(name, expected, fields),
    ]


def definition(fields: Mapping[str, object], attribute: str) -> Mapping[str, object] | None:
    """Return the definition of an attribute's field; ``adresseStreet`` belongs to the address ``adresse``."""
    own = fields.get(attribute)
    if isinstance(own, Mapping):
        return own
    for part in ADDRESS_PARTS:
        parent = fields.get(attribute.removesuffix(part)) if attribute.endswith(part) else None
        if isinstance(parent, Mapping) and parent.get("type") == "address":
            return {"type": "varchar", "readOnly": parent.get("readOnly", False)}
    return None


def _table_lines(name: str, expected: Expected, fields: Mapping[str, object]) -> Iterator[Line]:
    for rule in expected.table:
        found = definition(fields, rule.espo)
        if found is None:
            yield problem(name, f"Das Feld {rule.espo} ({rule.label}) fehlt.", _CREATE_OR_DROP)
            continue
        if found.get("readOnly") and rule.espo_writable:
            # Stripped from a write without an error (specification, espocrm.md B12).
            yield problem(
                name,
                f"Das Feld {rule.espo} ({rule.label}) ist schreibgeschützt; EspoCRM verwirft Änderungen daran still.",
                "In EspoCRM den Schreibschutz des Feldes aufheben.",
            )
        if rule.choices is not None:
            yield from _choice_lines(name, rule, rule.choices, found.get("options"))


def _choice_lines(name: str, rule: FieldRule, choices: Choices, options: Any) -> Iterator[Line]:
    if not isinstance(options, list):
        return
    lacking = [word for word in _written_words(choices) if word not in options]
    if lacking:
        yield problem(
            name,
            f"Dem Auswahlfeld {rule.espo} ({rule.label}) fehlen Werte: {', '.join(lacking)}.",
            "Die Werte in EspoCRM ergänzen oder die Zuordnung in der Datei VMH_FIELD_TABLES ändern.",
        )
    known = {espo for espo, _ in choices.pairs}
    unknown = [str(option) for option in options if option and option not in known]
    if unknown:
        yield hint(
            name,
            f"Werte von {rule.espo} ({rule.label}) ohne Entsprechung in Advoware: „{'“, „'.join(unknown)}“. "
            "Sie bleiben auf ihrer Seite und werden gemeldet.",
            "Wenn gewünscht, in der Datei VMH_FIELD_TABLES zuordnen.",
        )


def _written_words(choices: Choices) -> list[str]:
    """Return the EspoCRM word that is written for each Advoware word; the first pair of a word counts."""
    words: dict[str, str] = {}
    for espo, advoware in choices.pairs:
        words.setdefault(advoware, espo)
    return list(words.values())


def _bookkeeping_lines(name: str, expected: Expected, fields: Mapping[str, object]) -> Iterator[Line]:
    for attribute in expected.needed:
        if definition(fields, attribute) is None:
            yield problem(name, f"Das Feld {attribute} fehlt; ohne es ist kein Abgleich möglich.", _CREATE)
    absent = [attribute for attribute in expected.wanted if definition(fields, attribute) is None]
    if absent:
        yield hint(
            name,
            f"Felder für den Stand des Abgleichs fehlen: {', '.join(absent)}. Der Abgleich geht auch ohne.",
            _CREATE,
        )
    options = (definition(fields, "syncStatus") or {}).get("options")
    if isinstance(options, list):
        lacking = [status for status in expected.statuses if status not in options]
        if lacking:
            yield problem(
                name, f"Dem Feld syncStatus fehlen Werte: {', '.join(lacking)}.", "Die Werte in EspoCRM ergänzen."
            )
