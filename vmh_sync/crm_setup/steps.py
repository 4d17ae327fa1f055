"""Finds out what is missing in EspoCRM, and creates it (specification, entities.md 5, espocrm.md B9)."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from vmh_sync.crm_setup.wanted import ACTIONS, ENTITIES, LINKS, ROLE, ROLE_VALUES, WantedEntity
from vmh_sync.systems.espocrm.client import EspoAdmin, EspoClient


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to create; ``text`` says what, in German."""

    text: str
    path: str
    body: dict[str, Any] = field(repr=False)


async def plan_schema(admin: EspoAdmin) -> list[Step]:
    """Return the steps for entity types, fields, links and the role, in the order in which they can be done."""
    steps: list[Step] = []
    for entity in ENTITIES:
        steps += [step async for step in _entity_steps(admin, entity)]
    for link in LINKS:
        links = await admin.metadata(f"entityDefs.{link.entity}.links")
        if not isinstance(links, dict) or link.link not in links:
            body = {
                "entity": link.entity,
                "link": link.link,
                "linkForeign": link.foreign_link,
                "label": link.link.capitalize(),
                "labelForeign": "Beteiligte",
                "linkType": "oneToMany",
                "entityForeign": link.foreign_entity,
                "relationName": None,
            }
            text = f"Verknüpfung {link.entity}.{link.link} mit {link.foreign_entity} anlegen"
            steps.append(Step(text, "EntityManager/action/createLink", body))
    roles = await admin.call("GET", "Role")
    known = roles.get("list", []) if isinstance(roles, dict) else []
    if not any(role.get("name") == ROLE for role in known):
        steps.append(Step(f"Rolle {ROLE} für den API-Benutzer anlegen", "Role", dict(ROLE_VALUES)))
    return steps


async def _entity_steps(admin: EspoAdmin, entity: WantedEntity) -> AsyncIterator[Step]:
    fields = await admin.metadata(f"entityDefs.{entity.name}.fields")
    if not isinstance(fields, dict) or not fields:
        fields = {}
        body: dict[str, Any] = {
            "name": entity.short,
            "type": entity.kind,
            "labelSingular": entity.label,
            "labelPlural": entity.label,
            "stream": entity.stream,
        }
        yield Step(f"Entität {entity.name} anlegen", "EntityManager/action/createEntity", body)
        # Only for what is new: a switch of an entity type that was there is the firm's own business.
        body = {"name": entity.name, "optimisticConcurrencyControl": True}
        yield Step(f"Versionsprüfung für {entity.name} einschalten", "EntityManager/action/updateEntity", body)
    for name, definition in entity.fields.items():
        if name not in fields:
            text = f"Feld {entity.name}.{name} ({definition['label']}) anlegen"
            yield Step(text, f"Admin/fieldManager/{entity.name}", {"name": name, **definition})


async def plan_webhooks(espo: EspoClient, gateway: str) -> list[Step]:
    """Return the steps for the webhooks that this API user lacks; ``gateway`` is the public address of ours.

    They belong to the user that writes, so that ``skipOwn`` keeps our own writes away (B9).
    """
    known = {
        (hook.attributes.get("event"), hook.attributes.get("url"))
        async for hook in espo.list_all("Webhook", select=("event", "url"))
    }
    return [
        Step(f"Webhook {event} anlegen", "Webhook", {"event": event, "url": url, "skipOwn": True})
        for event, url in _webhooks(gateway)
        if (event, url) not in known
    ]


def planned_webhooks(gateway: str) -> list[Step]:
    """Return the steps for all webhooks, for a plan made while the API user may not list its own yet."""
    return [
        Step(f"Webhook {event} anlegen", "Webhook", {"event": event, "url": url, "skipOwn": True})
        for event, url in _webhooks(gateway)
    ]


def _webhooks(gateway: str) -> list[tuple[str, str]]:
    root = gateway.rstrip("/")
    return [
        (f"{entity.name}.{action}", f"{root}/vmh/webhook/{entity.webhook}/{action}")
        for entity in ENTITIES
        for action in ACTIONS
    ]


async def carry_out(admin: EspoAdmin, steps: Sequence[Step]) -> None:
    """Do the steps of :func:`plan_schema` one after the other; stops at the first error of EspoCRM, which it raises.

    What is done stays: the next plan begins where this one stopped.
    """
    for step in steps:
        await admin.call("POST", step.path, body=step.body)


async def create_webhooks(espo: EspoClient, steps: Sequence[Step]) -> AsyncIterator[tuple[str, str]]:
    """Create webhooks; yields (webhook id, secret key) of each as soon as it is there, so that none gets lost."""
    for step in steps:
        created = await espo.create("Webhook", step.body)
        yield created.id, str(created.attributes.get("secretKey", ""))
