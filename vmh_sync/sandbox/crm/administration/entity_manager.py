"""The entity manager: creating, changing and removing entity types and links over the API (9.3.9 recordings p, z)."""

from typing import TYPE_CHECKING, Any

from vmh_sync.sandbox.crm.errors import ApiError, bad_request, failure, not_found, taken
from vmh_sync.sandbox.crm.fields.schema import PEOPLE, TEMPLATES, EntityType, connect, new_entity_type
from vmh_sync.sandbox.crm.fields.table import Row
from vmh_sync.sandbox.crm.people.accounts import Account, require_admin

if TYPE_CHECKING:
    from vmh_sync.sandbox.crm.state import Crm

SWITCHES = {"stream": "stream", "optimisticConcurrencyControl": "optimistic", "disabled": "disabled"}


class EntityManager:
    """``POST EntityManager/action/…`` of one installation; for an admin only."""

    def __init__(self, crm: "Crm") -> None:
        self._crm = crm

    def do(self, user: Account, action: str, body: dict[str, Any]) -> Any:
        """Do one action; raises the API's refusals."""
        require_admin(user)
        actions = {
            "createEntity": self._create_entity,
            "updateEntity": self._update_entity,
            "removeEntity": self._remove_entity,
            "createLink": self._create_link,
            "removeLink": self._remove_link,
        }
        if action not in actions:
            raise not_found(f"Action POST '{action}' does not exist in controller 'EntityManager'.")
        return actions[action](body)

    def _create_entity(self, body: dict[str, Any]) -> Row:
        crm, name, template = self._crm, str(body.get("name") or "").strip(), str(body.get("type") or "")
        if not name or not template:
            raise bad_request("")
        if template not in TEMPLATES:
            raise failure(f"Type '{template}' does not exist.")
        name = "C" + name[0].upper() + name[1:]
        if not name.isalnum():
            raise failure("Entity name should contain only letters and numbers, start with an upper case letter.")
        if name in crm.schema:
            raise taken(f"Name '{name}' is already used.", "nameIsAlreadyUsed", "EntityManager", {"name": name})
        kind = "Person" if template == "Person" else "Base"
        entity = new_entity_type(name, kind, stream=bool(body.get("stream")))
        entity.template = template
        crm.schema[name] = entity
        crm.adopt(entity)
        tabs = crm.settings.setdefault("tabList", [])
        if name not in tabs:
            tabs.append(name)
        return {"name": name}

    def _update_entity(self, body: dict[str, Any]) -> bool:
        entity = self._entity(str(body.get("name") or ""))
        for switch, attribute in SWITCHES.items():
            if switch in body:
                setattr(entity, attribute, bool(body[switch]))
        entity.switched |= "optimisticConcurrencyControl" in body
        if "lockable" in body and self._crm.release.locks_records:
            entity.lockable = bool(body["lockable"])
            if entity.lockable:
                entity.add_field("isLocked", {"type": "bool", "readOnly": True})
        if "pipelines" in body and self._crm.release.locks_records:
            entity.pipelines = bool(body["pipelines"])
        self._crm.adopt(entity)
        return True

    def _remove_entity(self, body: dict[str, Any]) -> bool:
        crm, name = self._crm, str(body.get("name") or "")
        if not self._entity(name).custom:
            raise ApiError(403, "")
        for link in list(crm.schema[name].links):
            self._drop_link(name, link)
        del crm.schema[name], crm.layouts[name], crm.tables[name]
        crm.readers.pop(name, None)
        crm.page_layouts.drop(name)
        crm.settings["tabList"] = [tab for tab in crm.settings.get("tabList", []) if tab != name]
        return True

    def _create_link(self, body: dict[str, Any]) -> bool:
        parent, child = self._entity(str(body.get("entity"))), self._entity(str(body.get("entityForeign")))
        link, foreign = str(body.get("link") or ""), str(body.get("linkForeign") or "")
        if not link or not foreign:
            raise bad_request("No link or link-foreign.")
        if body.get("linkType") != "oneToMany":
            raise bad_request("No link type.")
        for entity, name in ((parent, link), (child, foreign)):
            if name in entity.links:
                raise ApiError(409, f"Link {entity.name}::{name} already exists.")
            if name in entity.fields:
                raise ApiError(409, f"Field {entity.name}::{name} already exists.")
        connect(self._crm.schema, parent.name, link, child.name, foreign)
        for entity in (parent, child):
            self._crm.adopt(entity)
        return True

    def _remove_link(self, body: dict[str, Any]) -> bool:
        entity, link = self._entity(str(body.get("entity") or "")), str(body.get("link") or "")
        if link not in entity.links:
            raise not_found("")
        self._drop_link(entity.name, link)
        return True

    def _drop_link(self, name: str, link: str) -> None:
        crm, entity = self._crm, self._crm.schema[name]
        definition = entity.links.pop(link)
        if link not in PEOPLE:
            entity.fields.pop(link, None)
            crm.adopt(entity)
        other = crm.schema.get(definition.entity or "")
        if other is not None and definition.foreign and other.links.pop(definition.foreign, None) is not None:
            other.fields.pop(definition.foreign, None)
            crm.adopt(other)

    def _entity(self, name: str) -> EntityType:
        entity = self._crm.schema.get(name)
        if entity is None:
            raise failure(f"Entity `{name}` does not exist.")
        return entity
