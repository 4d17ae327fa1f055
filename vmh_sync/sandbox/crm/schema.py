"""The schema of the simulated EspoCRM: entity types, their fields and links, as data.

Fields are written as in EspoCRM's ``entityDefs`` metadata (``type``, ``options``, ``maxLength``, ``required``,
``default``, ``isCustom``), because ``GET Metadata`` gives them out in that form.
"""

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

FieldDef = dict[str, Any]
Fields = dict[str, FieldDef]

ADDRESS_PARTS: Fields = {
    "Street": {"type": "text", "maxLength": 255, "dbType": "varchar"},
    "City": {"type": "varchar", "maxLength": 100},
    "State": {"type": "varchar", "maxLength": 100},
    "Country": {"type": "varchar", "maxLength": 100},
    "PostalCode": {"type": "varchar", "maxLength": 40},
}
PHONE_TYPES = ["Mobile", "Office", "Home", "Fax", "Other"]


@dataclass
class Link:
    """A relation as seen from one entity type."""

    kind: str  # belongsTo, belongsToParent, hasMany
    entity: str | None = None
    foreign: str | None = None
    entity_list: list[str] = field(default_factory=list)


@dataclass
class EntityType:
    """One entity type; ``kind`` is ``Person``, ``Base`` or ``System``."""

    name: str
    kind: str
    fields: Fields
    links: dict[str, Link]
    stream: bool = False
    optimistic: bool = False
    custom: bool = True
    duplicate_check: list[str] = field(default_factory=list)
    indexed: list[str] = field(default_factory=list)

    def add_field(self, name: str, definition: FieldDef) -> None:
        """Add a field (and the parts of an address) to the type."""
        self.fields[name] = definition
        if definition.get("isCustom") and definition["type"] in {"enum", "int"} and name not in self.indexed:
            # The real database has no index there; the simulation has one for the speed of its lists only.
            self.indexed.append(name)
        if definition["type"] == "address":
            for part, part_def in ADDRESS_PARTS.items():
                self.fields.setdefault(name + part, dict(part_def))


Schema = dict[str, EntityType]

_AUDIT: Fields = {
    "createdAt": {"type": "datetime", "readOnly": True},
    "modifiedAt": {"type": "datetime", "readOnly": True},
    "createdBy": {"type": "link", "readOnly": True},
    "modifiedBy": {"type": "link", "readOnly": True},
}
_ASSIGNED: Fields = {
    "assignedUser": {"type": "link"},
    "teams": {"type": "linkMultiple"},
}
_NAME = {"type": "varchar", "required": True, "maxLength": 255, "pattern": "$noBadCharacters"}


def _author_links() -> dict[str, Link]:
    return {link: Link("belongsTo", "User") for link in ("createdBy", "modifiedBy")}


def _user_links() -> dict[str, Link]:
    return _author_links() | {"assignedUser": Link("belongsTo", "User"), "teams": Link("hasMany", "Team")}


def new_entity_type(name: str, kind: str, *, stream: bool = False, extra: Fields | None = None) -> EntityType:
    """Make a type as EspoCRM's entity manager does, with the fields of its template (``Person`` or ``Base``)."""
    entity = EntityType(name, kind, {}, _user_links(), stream=stream)
    if kind == "Person":
        entity.duplicate_check = ["name", "emailAddress"]
        entity.add_field("name", {"type": "personName"})
        entity.add_field("salutationName", {"type": "enum", "options": ["", "Mr.", "Ms.", "Mrs.", "Dr."]})
        entity.add_field("firstName", {"type": "varchar", "maxLength": 100})
        entity.add_field("lastName", {"type": "varchar", "maxLength": 100, "required": True})
        entity.add_field("middleName", {"type": "varchar", "maxLength": 100})
        entity.add_field("description", {"type": "text"})
        entity.add_field("emailAddress", {"type": "email"})
        entity.add_field("phoneNumber", {"type": "phone", "typeList": PHONE_TYPES, "defaultType": "Mobile"})
        entity.add_field("address", {"type": "address"})
    else:
        entity.add_field("name", dict(_NAME))
        entity.add_field("description", {"type": "text"})
    for fields in (_AUDIT, _ASSIGNED, extra or {}):
        for field_name, definition in copy.deepcopy(fields).items():
            entity.add_field(field_name, definition)
    return entity


def connect(schema: Schema, parent: str, link: str, child: str, link_foreign: str) -> None:
    """Relate two types one-to-many: ``parent.link`` lists the children, ``child.link_foreign`` names the parent."""
    schema[parent].links[link] = Link("hasMany", child, link_foreign)
    schema[child].links[link_foreign] = Link("belongsTo", parent, link)
    schema[child].fields.setdefault(link_foreign, {"type": "link"})
    schema[child].indexed.append(f"{link_foreign}Id")


def system_entities(parents: Iterable[str]) -> Schema:
    """The types that every installation has, as far as the sync meets them; ``parents`` may own a Task."""
    task = new_entity_type("Task", "Base", stream=True)
    task.custom = False
    task.optimistic = True
    task.indexed = ["parentId", "status", "assignedUserId"]
    parent_list = ["Account", "Contact", "Lead", "Opportunity", "Case", *parents]
    task.links["parent"] = Link("belongsToParent", entity_list=parent_list)
    task.fields["assignedUser"]["required"] = True
    options = ["Not Started", "Started", "Completed", "Canceled", "Deferred"]
    task.add_field("status", {"type": "enum", "options": options, "default": "Not Started"})
    task.add_field("priority", {"type": "enum", "options": ["Low", "Normal", "High", "Urgent"], "default": "Normal"})
    for name in ("dateStart", "dateEnd"):
        task.add_field(name, {"type": "datetimeOptional"})
    task.add_field("dateCompleted", {"type": "datetime", "readOnly": True})
    task.add_field("parent", {"type": "linkParent", "entityList": parent_list})
    for name, foreign in (("account", "Account"), ("contact", "Contact")):
        task.links[name] = Link("belongsTo", foreign)
        task.add_field(name, {"type": "link"})
    user = EntityType("User", "System", {}, {}, custom=False)
    for name, definition in _USER_FIELDS.items():
        user.add_field(name, dict(definition))
    return {"Task": task, "User": user, "Note": _note_type(), "Webhook": _webhook_type()}


_USER_FIELDS: Fields = {
    "userName": {"type": "varchar", "maxLength": 50, "required": True},
    "name": {"type": "personName"},
    "firstName": {"type": "varchar", "maxLength": 100},
    "lastName": {"type": "varchar", "maxLength": 100, "required": True},
    "type": {"type": "enum", "options": ["regular", "admin", "portal", "system", "super-admin", "api"]},
    "isActive": {"type": "bool", "default": True},
    "title": {"type": "varchar", "maxLength": 100},
    "createdAt": {"type": "datetime", "readOnly": True},
    "modifiedAt": {"type": "datetime", "readOnly": True},
}


def _note_type() -> EntityType:
    fields: Fields = {
        "post": {"type": "text"},
        "type": {"type": "varchar", "readOnly": True},
        "data": {"type": "jsonObject", "readOnly": True},
        "parent": {"type": "linkParent", "readOnlyAfterCreate": True},
        "related": {"type": "linkParent", "readOnly": True},
        "number": {"type": "int", "readOnly": True},
        "isInternal": {"type": "bool", "default": False},
        **copy.deepcopy(_AUDIT),
    }
    links = _author_links() | {"parent": Link("belongsToParent")}
    return EntityType("Note", "System", fields, links, custom=False, indexed=["parentId"])


def _webhook_type() -> EntityType:
    fields: Fields = {
        "event": {"type": "varchar", "maxLength": 100, "required": True},
        "url": {"type": "varchar", "maxLength": 512, "required": True},
        "isActive": {"type": "bool", "default": True},
        "entityType": {"type": "varchar", "readOnly": True},
        "type": {"type": "varchar", "readOnly": True},
        "field": {"type": "varchar", "readOnly": True},
        "secretKey": {"type": "varchar", "readOnly": True},
        "skipOwn": {"type": "bool", "default": False},
        **copy.deepcopy(_AUDIT),
    }
    return EntityType("Webhook", "System", fields, _author_links(), custom=False)
