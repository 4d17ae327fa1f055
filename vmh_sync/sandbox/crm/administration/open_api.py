"""``GET OpenApi``: the installation in the words of OpenAPI (9.3); as far as a check of field tables needs it."""

from vmh_sync.sandbox.crm.fields.schema import FieldDef, Schema
from vmh_sync.sandbox.crm.fields.table import Row

_KINDS = {"int": "integer", "float": "number", "bool": "boolean"}


def open_api(schema: Schema) -> Row:
    """Return the document: a schema for every entity type with its fields' types, lengths and options."""
    schemas = {
        name: {
            "type": "object",
            "properties": {field: _property(definition) for field, definition in entity.fields.items()},
        }
        for name, entity in schema.items()
        if entity.kind != "System"
    }
    return {"openapi": "3.1.0", "info": {"title": "EspoCRM"}, "components": {"schemas": schemas}}


def _property(definition: FieldDef) -> Row:
    shown: Row = {"type": _KINDS.get(definition["type"], "string")}
    if "maxLength" in definition:
        shown["maxLength"] = definition["maxLength"]
    if "options" in definition:
        shown["enum"] = list(definition["options"])
    if definition.get("readOnly"):
        shown["readOnly"] = True
    return shown
