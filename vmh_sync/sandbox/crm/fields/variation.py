"""Turns the schema of the demo into the one of a particular firm, and makes given values fit it."""

from typing import Any

from vmh_sync.sandbox.crm.fields.layout import Attribute
from vmh_sync.sandbox.crm.fields.schema import Schema
from vmh_sync.sandbox.crm.fields.values import InvalidValueError, convert
from vmh_sync.sandbox.installation import BAD_CHARACTERS, CrmInstallation, FieldKey

_TEXT_LENGTH = 100


def vary(schema: Schema, firm: CrmInstallation) -> None:
    """Change the schema in place; a field that the firm's data name must exist (``KeyError``)."""
    for key, kind in firm.field_types.items():
        definition = _field(schema, key)
        definition["type"] = kind
        if kind == "varchar":
            definition.setdefault("maxLength", _TEXT_LENGTH)
    for key, length in firm.max_lengths.items():
        _field(schema, key)["maxLength"] = length
    for key, options in firm.enum_options.items():
        _field(schema, key)["options"] = list(options)
    for key in firm.patterned:
        _field(schema, key)["pattern"] = BAD_CHARACTERS
    for key in firm.missing:
        entity, _, name = key.partition(".")
        del schema[entity].fields[name]
        schema[entity].indexed = [column for column in schema[entity].indexed if column != name]
    for entity_type in schema.values():
        entity_type.stream = firm.stream.get(entity_type.name, entity_type.stream)
        entity_type.optimistic = firm.optimistic.get(entity_type.name, entity_type.optimistic)
        if not firm.duplicate_check:
            entity_type.duplicate_check = []


def _field(schema: Schema, key: FieldKey) -> dict[str, Any]:
    entity, _, name = key.partition(".")
    return schema[entity].fields[name]


def fitted(attribute: Attribute, value: Any) -> Any:
    """Return what somebody who types ``value`` into this field of this firm ends up with.

    A day in a date-time field is its midnight, a text is cut at the field's length, a word that is no option is left
    empty.
    """
    if attribute.kind == "datetime" and isinstance(value, str) and len(value) == len("2026-01-01"):
        value = f"{value} 00:00:00"
    limit = attribute.definition.get("maxLength")
    if attribute.kind == "varchar" and isinstance(value, str) and limit is not None:
        value = value[: int(limit)]
    try:
        return convert(attribute, value)
    except InvalidValueError:
        return None if attribute.kind == "enum" else value
