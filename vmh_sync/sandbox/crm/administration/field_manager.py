"""The field manager: reading, creating and changing fields over the API (9.3.9 recordings p03 to p09).

It is lax: a type that does not exist is taken. And it is strict where nobody expects it: a change that does not repeat
the type crashes.
"""

import copy
import re
from typing import TYPE_CHECKING, Any

from vmh_sync.sandbox.crm.errors import bad_request, crash, failure, no_route, taken
from vmh_sync.sandbox.crm.fields.schema import EntityType, Link
from vmh_sync.sandbox.crm.fields.table import Row
from vmh_sync.sandbox.crm.people.accounts import Account, require_admin

if TYPE_CHECKING:
    from vmh_sync.sandbox.crm.state import Crm

DEFAULT_PARAMETERS: dict[str, Row] = {"enum": {"maxLength": 100}, "varchar": {"maxLength": 100}}
NOT_PARAMETERS = {"name", "label", "entity"}


class FieldManager:
    """``Admin/fieldManager/…`` of one installation; for an admin only."""

    def __init__(self, crm: "Crm") -> None:
        self._crm = crm

    def handle(self, user: Account, method: str, parts: list[str], body: dict[str, Any]) -> Row:
        """Answer a request; ``parts`` is the path behind ``fieldManager``."""
        require_admin(user)
        if len(parts) == 1 and method == "POST":
            return self._create(parts[0], body)
        if len(parts) == len(("scope", "name")):
            if method == "GET":
                return self._read(parts[0], parts[1])
            if method in {"PUT", "PATCH"}:
                return self._update(parts[0], parts[1], body)
        raise no_route(404)

    def _create(self, scope: str, body: dict[str, Any]) -> Row:
        name, entity = str(body.get("name") or ""), self._entity(scope)
        if not name:
            raise bad_request("")
        if not entity.custom:
            name = "c" + name[0].upper() + name[1:]
        self._check_name(entity, name)
        kind = body.get("type")
        if not kind:
            raise bad_request("No type.")
        definition = DEFAULT_PARAMETERS.get(kind, {}) | self._parameters(entity, body) | {"isCustom": True}
        entity.add_field(name, definition)
        if kind == "link" and body.get("entity"):
            entity.links[name] = Link("belongsTo", str(body["entity"]))
        self._crm.labels[scope, name] = str(body.get("label") or name)
        self._crm.adopt(entity)
        return self._read(scope, name)

    @staticmethod
    def _check_name(entity: EntityType, name: str) -> None:
        data = {"field": name, "entityType": entity.name}
        if name in entity.fields:
            reason = f"Field '{name}' already exists in '{entity.name}'."
            raise taken(reason, "fieldAlreadyExists", "FieldManager", data)
        if name in entity.links:
            reason = f"Link with name '{name}' already exists in '{entity.name}'."
            raise taken(reason, "linkWithSameNameAlreadyExists", "FieldManager", data)
        if name[0].isdigit():
            raise failure("Field name should start with a letter.")
        if not re.match(r"[a-z]", name):
            raise failure("Field name should start with a lower case letter.")
        if not re.fullmatch(r"[a-zA-Z\d]+", name):
            raise failure("Field name should contain only letters and numbers.")

    def _parameters(self, entity: EntityType, body: dict[str, Any]) -> Row:
        given = {key: value for key, value in body.items() if key not in NOT_PARAMETERS and value is not None}
        if not entity.lockable:
            given.pop("notLockable", None)
        return given

    def _update(self, scope: str, name: str, body: dict[str, Any]) -> Row:
        entity = self._entity(scope)
        if not body.get("type") or name not in entity.fields:
            raise crash()
        entity.fields[name] |= self._parameters(entity, body)
        if isinstance(body.get("entityList"), list):
            entity.links[name] = Link("belongsToParent", entity_list=list(body["entityList"]))
        if body.get("label"):
            self._crm.labels[scope, name] = str(body["label"])
        self._crm.adopt(entity)
        return self._read(scope, name)

    def _read(self, scope: str, name: str) -> Row:
        definition = self._entity(scope).fields.get(name)
        if definition is None:
            raise failure(f"Can't read field defs {scope}.{name}.")
        return copy.deepcopy(definition) | {"label": self._crm.labels.get((scope, name), name)}

    def _entity(self, name: str) -> EntityType:
        entity = self._crm.schema.get(name)
        if entity is None:
            raise failure(f"Entity type {name} is not customizable.")
        return entity
