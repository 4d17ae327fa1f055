"""``GET OpenApi``: the installation in the words of OpenAPI (9.3); as far as a check of field tables needs it.

Read in the source of 9.3: a type stands beside ``null`` unless the field is required, every property says whether it is
read-only, a ``varchar`` without a length has 255, the empty option is no option, links are ids and names, and what is
switched off is left out.
"""

from vmh_sync.sandbox.crm.errors import forbidden
from vmh_sync.sandbox.crm.fields.schema import FieldDef, Schema
from vmh_sync.sandbox.crm.fields.table import Row
from vmh_sync.sandbox.crm.people.accounts import Account

_KINDS = {"int": "integer", "autoincrement": "integer", "float": "number", "bool": "boolean"}
_FORMS: dict[str, Row] = {"date": {"format": "date"}, "datetime": {"pattern": r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$"}}
_TOLD = frozenset(_KINDS) | {"varchar", "text", "enum", "date", "datetime", "email", "phone"}
_VARCHAR = 255


def open_api(user: Account, schema: Schema) -> Row:
    """Return the document: a schema for every entity type with its fields' types, lengths and options."""
    if user.level("OpenApi", "read") == "no":
        raise forbidden("No access to OpenApi scope.")
    schemas: Row = {}
    for name, entity in schema.items():
        if entity.kind == "System" or entity.disabled:
            continue
        properties: Row = {"id": {"type": "string", "readOnly": True}}
        for field, definition in entity.fields.items():
            if not definition.get("disabled"):
                properties |= _properties(field, definition)
        schemas[name] = {"type": "object", "properties": properties}
    return {"openapi": "3.1.1", "info": {"title": "EspoCRM API"}, "components": {"schemas": schemas}}


def _properties(field: str, definition: FieldDef) -> Row:
    kind, read_only = definition["type"], bool(definition.get("readOnly"))
    if kind == "link":
        named = {"type": ["string", "null"]}
        return {f"{field}Id": named | {"readOnly": read_only}, f"{field}Name": named | {"readOnly": True}}
    if kind not in _TOLD:
        return {}
    told = _KINDS.get(kind, "string")
    shown: Row = {"type": told if definition.get("required") or kind == "bool" else [told, "null"]}
    shown |= {"readOnly": read_only, **_FORMS.get(kind, {})}
    if kind == "varchar" or "maxLength" in definition:
        shown["maxLength"] = definition.get("maxLength", _VARCHAR)
    if "options" in definition:
        shown["enum"] = [option for option in definition["options"] if option != ""]
    return {field: shown}
