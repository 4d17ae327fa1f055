"""``GET Metadata``: what an installation says of its entity types (9.3.9 recordings n)."""

from typing import Any

from vmh_sync.sandbox.crm.fields.schema import EntityType, Schema
from vmh_sync.sandbox.crm.fields.table import Row

_SCOPE: Row = {
    "entity": True,
    "layouts": True,
    "tab": True,
    "acl": True,
    "aclPortal": True,
    "aclPortalLevelList": ["all", "account", "contact", "own", "no"],
    "customizable": True,
    "importable": True,
    "notifications": True,
}
_PANELS = ("activities", "history", "tasks")
_WITH_ACTIVITIES = ("Person", "BasePlus", "Company")


def metadata(schema: Schema, key: str | None) -> Any:
    """Return the part under a dotted key, ``None`` if there is none (the API then answers with an empty body)."""
    node: Any = {
        "entityDefs": {name: _entity_defs(entity) for name, entity in schema.items()},
        "scopes": {name: _scope(entity) for name, entity in schema.items()},
        "clientDefs": {name: _client_defs(entity) for name, entity in schema.items()},
    }
    for part in (key or "").split(".") if key else ():
        node = node.get(part) if isinstance(node, dict) else None
    return node


def _entity_defs(entity: EntityType) -> Row:
    links: Row = {}
    for name, link in entity.links.items():
        links[name] = {"type": link.kind}
        if link.entity:
            links[name]["entity"] = link.entity
        if link.foreign:
            links[name]["foreign"] = link.foreign
        if link.entity_list:
            links[name]["entityList"] = link.entity_list
    shown: Row = {"fields": entity.fields, "links": links}
    if entity.optimistic or entity.switched:
        shown["optimisticConcurrencyControl"] = entity.optimistic
    return shown


def _scope(entity: EntityType) -> Row:
    if not entity.custom:
        return {"entity": True, "object": True, "customizable": entity.kind != "System", "stream": entity.stream}
    shown = dict(_SCOPE)
    if entity.kind == "Person":
        shown |= {"hasPersonalData": True, "duplicateCheckFieldList": entity.duplicate_check}
    shown |= {"stream": entity.stream, "disabled": entity.disabled, "type": entity.template, "module": "Custom"}
    if entity.lockable:
        shown["lockable"] = True
    if entity.pipelines:
        shown["pipelines"] = True
    return shown | {"object": True, "isCustom": True}


def _client_defs(entity: EntityType) -> Row:
    shown: Row = {"controller": "controllers/record", "boolFilterList": ["onlyMy"]}
    if entity.template in _WITH_ACTIVITIES:
        shown["sidePanels"] = {"detail": [{"name": name, "reference": name} for name in _PANELS]}
        panels = [{"name": name, "reference": name, "disabled": True} for name in _PANELS if name != "tasks"]
        shown["bottomPanels"] = {"detail": panels}
    children = {name: link for name, link in entity.links.items() if link.kind == "hasMany" and link.foreign}
    if children:
        shown["relationshipPanels"] = {
            name: {"layout": None, "selectPrimaryFilterName": None} for name in sorted(children)
        }
    return shown
