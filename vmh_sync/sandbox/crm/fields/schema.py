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
TEMPLATES = ("Base", "BasePlus", "Person", "Company", "Event")
PEOPLE = ("createdBy", "modifiedBy", "assignedUser", "teams")
"""Links that every template has."""
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
    """One entity type; ``kind`` is ``Person``, ``Base`` or ``System``, ``template`` what it was made from.

    ``switched``: somebody once put the version check on or off, so that the metadata name it.
    ``lockable`` and ``pipelines`` are switches of 10.0.
    """

    name: str
    kind: str
    fields: Fields
    links: dict[str, Link]
    stream: bool = False
    optimistic: bool = False
    switched: bool = False
    disabled: bool = False
    lockable: bool = False
    pipelines: bool = False
    template: str = ""
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
    entity = EntityType(name, kind, {}, _user_links(), stream=stream, template=kind)
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
    parent_list = ["Account", "Contact", "Lead", "Opportunity", "Case", *parents]
    task = _task_type(parent_list)
    user = EntityType("User", "System", {}, {}, custom=False)
    for name, definition in _USER_FIELDS.items():
        user.add_field(name, dict(definition))
    types = (task, user, _note_type(), _webhook_type(), _plain_type("Team"), _plain_type("ScheduledJob"))
    schema = {entity.name: entity for entity in types}
    for name, definition in _JOB_FIELDS.items():
        schema["ScheduledJob"].add_field(name, dict(definition))
    return schema


def _task_type(parents: list[str]) -> EntityType:
    """The type Task with its fields in the order of the real one: the first bad field is the answer."""
    plain = new_entity_type("Task", "Base", stream=True)
    statuses = ["Not Started", "Started", "Completed", "Canceled", "Deferred"]
    own: Fields = {
        "status": {"type": "enum", "options": statuses, "default": "Not Started"},
        "priority": {"type": "enum", "options": ["Low", "Normal", "High", "Urgent"], "default": "Normal"},
        "dateStart": {"type": "datetimeOptional"},
        "dateEnd": {"type": "datetimeOptional"},
        "dateCompleted": {"type": "datetime", "readOnly": True},
        "description": plain.fields["description"],
        "parent": {"type": "linkParent", "entityList": parents},
        "account": {"type": "link"},
        "contact": {"type": "link"},
    }
    task = EntityType("Task", "Base", {}, plain.links, stream=True, optimistic=True, template="Base", custom=False)
    task.indexed = ["parentId", "status", "assignedUserId"]
    for name, definition in {"name": plain.fields["name"], **own, **plain.fields}.items():
        task.add_field(name, definition)
    task.fields["assignedUser"]["required"] = True
    task.links["parent"] = Link("belongsToParent", entity_list=parents)
    task.links |= {name: Link("belongsTo", name.capitalize()) for name in ("account", "contact")}
    return task


def _plain_type(name: str) -> EntityType:
    fields: Fields = {"name": {"type": "varchar", "maxLength": 100, "required": True}}
    fields |= {stamp: {"type": "datetime", "readOnly": True} for stamp in ("createdAt", "modifiedAt")}
    return EntityType(name, "System", fields, _author_links(), custom=False)


_JOB_FIELDS: Fields = {
    "job": {"type": "varchar", "required": True},
    "status": {"type": "enum", "options": ["Active", "Inactive"], "default": "Active"},
    "scheduling": {"type": "varchar", "required": True},
    "createdBy": {"type": "link", "readOnly": True},
}


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
    "createdBy": {"type": "link", "readOnly": True},
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
        "description": {"type": "text"},
        "user": {"type": "link", "readOnly": True},
        **copy.deepcopy(_AUDIT),
    }
    links = _author_links() | {"user": Link("belongsTo", "User")}
    return EntityType("Webhook", "System", fields, links, custom=False)
