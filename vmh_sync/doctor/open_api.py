"""What ``GET OpenApi`` tells of an installation beside its metadata (EspoCRM 9.3; specification, espocrm.md, end).

The metadata are the definitions, the document is what the interface makes of them: it leaves out what is switched off
or closed, and calls read-only what only an administrator may write.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from vmh_sync.clock import Clock
from vmh_sync.doctor.line import Line, hint
from vmh_sync.doctor.schema import Expected, definition
from vmh_sync.settings import EspoCrmSettings, SettingsError
from vmh_sync.systems.espocrm.client import EspoClient, open_espocrm_admin
from vmh_sync.systems.espocrm.errors import EspoError, Forbidden
from vmh_sync.systems.retry import RetryPolicy

Properties = Mapping[str, Mapping[str, object]]
Described = Mapping[str, Properties]

_KINDS = {"int": "integer", "autoincrement": "integer", "float": "number", "bool": "boolean"}
_TYPES = {"integer": "int", "number": "float", "boolean": "bool", "array": "array", "object": "jsonObject"}
_TOLD = frozenset(_KINDS) | {"varchar", "text", "enum", "date", "datetime", "datetimeOptional", "link"}
"""Types that the document tells; of others it may be silent."""


async def described(espo: EspoClient, settings: EspoCrmSettings, clock: Clock) -> Described | None:
    """Return the properties of every entity type, ``None`` where nobody tells them.

    That is an EspoCRM before 9.3, or a role without the right ``OpenApi`` and no administrator in the settings.
    """
    try:
        return _schemas(await espo.call("GET", "OpenApi"))
    except Forbidden:
        pass
    except EspoError:
        return None
    try:
        async with open_espocrm_admin(settings, clock=clock, retry=RetryPolicy(attempts=1)) as admin:
            return _schemas(await admin.call("GET", "OpenApi"))
    except (SettingsError, EspoError):
        return None


def _schemas(document: Any) -> Described | None:
    parts = document.get("components") if isinstance(document, dict) else None
    schemas = parts.get("schemas") if isinstance(parts, dict) else None
    if not isinstance(schemas, dict):
        return None
    told = {name: one.get("properties") for name, one in schemas.items() if isinstance(one, dict)}
    return {
        name: {attribute: one for attribute, one in properties.items() if isinstance(one, dict)}
        for name, properties in told.items()
        if isinstance(properties, dict)
    } or None


def as_described(fields: Any, properties: Properties) -> Any:
    """Return the definitions of an entity type's fields with the type, length and write protection of the document."""
    if not isinstance(fields, Mapping):
        return fields
    seen = dict(fields)
    for attribute, told in properties.items():
        known = definition(fields, attribute)
        if known is not None:
            seen[attribute] = {**known, **_overlay(known, told)}
    return seen


def _overlay(known: Mapping[str, object], told: Mapping[str, object]) -> Mapping[str, object]:
    found: dict[str, object] = {}
    kind = _kind(told)
    if kind is not None and known.get("type") in _TOLD and kind != _KINDS.get(str(known.get("type")), "string"):
        found["type"] = _TYPES.get(kind, "varchar")
    if isinstance(told.get("maxLength"), int):
        found["maxLength"] = told["maxLength"]
    if told.get("readOnly") is True:
        found["readOnly"] = True
    return found


def _kind(told: Mapping[str, object]) -> str | None:
    """Return the JSON type, of ``["string", "null"]`` the first one that is a type."""
    kinds = told.get("type")
    listed = kinds if isinstance(kinds, list) else [kinds]
    return next((kind for kind in listed if isinstance(kind, str) and kind != "null"), None)


def left_out_lines(expected: Expected, fields: Any, properties: Properties | None) -> Iterator[Line]:
    """Yield a hint when the metadata know what the document leaves out."""
    if not isinstance(fields, Mapping) or not fields:
        return
    name, entity = f"Felder {expected.espo_entity}", expected.espo_entity
    if properties is None:
        text = f"{entity} fehlt in der Beschreibung der Schnittstelle (OpenAPI); vielleicht ist es abgeschaltet."
        yield hint(name, text, "In EspoCRM im Entity Manager nachsehen und wieder einschalten.")
        return
    asked = dict.fromkeys((*(rule.espo for rule in expected.table), *expected.needed, *expected.wanted))
    missing = [attribute for attribute in asked if _left_out(attribute, fields, properties)]
    if missing:
        text = (
            "In der Beschreibung der Schnittstelle (OpenAPI) fehlen Felder, die es gibt: "
            f"{', '.join(missing)}. Vielleicht sind sie abgeschaltet oder gesperrt."
        )
        yield hint(name, text, "In EspoCRM im Entity Manager bei diesen Feldern nachsehen.")


def _left_out(attribute: str, fields: Mapping[str, object], properties: Properties) -> bool:
    known = definition(fields, attribute)
    if known is None or known.get("type") not in _TOLD or known.get("apiSpecDisabled") or known.get("utility"):
        return False
    return attribute not in properties and f"{attribute}Id" not in properties
