"""What an admin does over the API: entity types, fields, links, roles, users, settings, metadata."""

import copy
from typing import TYPE_CHECKING, Any

from vmh_sync.sandbox.crm.accounts import Account, Role
from vmh_sync.sandbox.crm.errors import ApiError, bad_request, forbidden, not_found, validation_failure
from vmh_sync.sandbox.crm.schema import EntityType, Link, connect, new_entity_type
from vmh_sync.sandbox.crm.table import Row

if TYPE_CHECKING:
    from vmh_sync.sandbox.crm.state import Crm

PERMISSIONS = (
    "assignment",
    "user",
    "message",
    "portal",
    "groupEmailAccount",
    "export",
    "massUpdate",
    "dataPrivacy",
    "followerManagement",
    "audit",
    "mention",
    "userCalendar",
)
CONTACT_FLAGS = ("emailAddressIsOptedOut", "emailAddressIsInvalid", "phoneNumberIsOptedOut", "phoneNumberIsInvalid")


def require_admin(user: Account) -> None:
    """Raise 403 for everybody but an admin."""
    if not user.is_admin:
        raise forbidden()


class Administration:
    """The administration actions of one installation; each checks for an admin itself."""

    def __init__(self, crm: "Crm") -> None:
        self._crm = crm

    def entity_manager(self, user: Account, action: str, body: dict[str, Any]) -> Any:
        """Do ``createEntity``, ``updateEntity`` or ``createLink``."""
        require_admin(user)
        actions = {
            "createEntity": self._create_entity,
            "updateEntity": self._update_entity,
            "createLink": self._create_link,
        }
        if action not in actions:
            raise not_found(f"Action POST '{action}' does not exist in controller 'EntityManager'.")
        return actions[action](body)

    def _create_entity(self, body: dict[str, Any]) -> Row:
        name, kind = str(body.get("name") or ""), str(body.get("type") or "")
        if not name or kind not in {"Base", "Person", "BasePlus"}:
            raise bad_request("Bad entity.")
        name = "C" + name[0].upper() + name[1:]
        if name in self._crm.schema:
            raise ApiError(409, f"Entity '{name}' already exists.")
        kind = "Person" if kind == "Person" else "Base"
        entity = new_entity_type(name, kind, stream=bool(body.get("stream")))
        self._crm.schema[name] = entity
        self._crm.adopt(entity)
        return {"name": name}

    def _update_entity(self, body: dict[str, Any]) -> bool:
        entity = self._entity(str(body.get("name") or ""))
        if "stream" in body:
            entity.stream = bool(body["stream"])
        if "optimisticConcurrencyControl" in body:
            entity.optimistic = bool(body["optimisticConcurrencyControl"])
        self._crm.adopt(entity)
        return True

    def _create_link(self, body: dict[str, Any]) -> bool:
        parent, child = self._entity(str(body.get("entity"))), self._entity(str(body.get("entityForeign")))
        link, foreign = str(body.get("link") or ""), str(body.get("linkForeign") or "")
        if not link or not foreign or body.get("linkType") != "oneToMany":
            raise bad_request("Bad link.")
        if link in parent.links or foreign in child.links:
            raise ApiError(409, f"Link '{link}' already exists.")
        connect(self._crm.schema, parent.name, link, child.name, foreign)
        for entity in (parent, child):
            self._crm.adopt(entity)
        return True

    def _entity(self, name: str) -> EntityType:
        entity = self._crm.schema.get(name)
        if entity is None:
            raise not_found(f"Entity '{name}' does not exist.")
        return entity

    def create_field(self, user: Account, scope: str, body: dict[str, Any]) -> Row:
        """Add a field to an entity type (``POST Admin/fieldManager/{scope}``); custom ones get ``isCustom``."""
        require_admin(user)
        entity = self._entity(scope)
        name, kind = str(body.get("name") or ""), str(body.get("type") or "")
        if not name or not kind:
            raise bad_request("Bad field.")
        if not entity.custom:
            name = "c" + name[0].upper() + name[1:]
        if name in entity.fields:
            raise ApiError(409, f"Field '{name}' already exists.")
        definition = {key: value for key, value in body.items() if key not in {"name", "label"} and value is not None}
        definition["isCustom"] = True
        entity.add_field(name, definition)
        if kind == "link" and body.get("entity"):
            entity.links[name] = Link("belongsTo", str(body["entity"]))
        self._crm.adopt(entity)
        return self.read_field(user, scope, name)

    def update_field(self, user: Account, scope: str, name: str, body: dict[str, Any]) -> Row:
        """Change parameters of a field (``PUT Admin/fieldManager/{scope}/{name}``)."""
        require_admin(user)
        entity = self._entity(scope)
        if name not in entity.fields:
            raise not_found(f"Field '{name}' does not exist.")
        entity.fields[name] |= {key: value for key, value in body.items() if key not in {"name", "type", "label"}}
        if isinstance(body.get("entityList"), list):
            entity.links[name] = Link("belongsToParent", entity_list=list(body["entityList"]))
        self._crm.adopt(entity)
        return self.read_field(user, scope, name)

    def read_field(self, user: Account, scope: str, name: str) -> Row:
        """Return a field's definition with its name."""
        require_admin(user)
        definition = self._entity(scope).fields.get(name)
        if definition is None:
            raise not_found(f"Field '{name}' does not exist.")
        return {"name": name} | copy.deepcopy(definition)

    def metadata(self, key: str | None) -> Any:
        """Return the part of the metadata under a dotted key, ``None`` if there is none."""
        node: Any = {
            "entityDefs": {name: self._entity_defs(entity) for name, entity in self._crm.schema.items()},
            "scopes": {name: self._scope(entity) for name, entity in self._crm.schema.items()},
        }
        for part in (key or "").split(".") if key else ():
            node = node.get(part) if isinstance(node, dict) else None
        return node

    @staticmethod
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
        return {
            "fields": entity.fields,
            "links": links,
            "optimisticConcurrencyControl": entity.optimistic,
        }

    @staticmethod
    def _scope(entity: EntityType) -> Row:
        return {
            "entity": True,
            "object": True,
            "type": entity.kind,
            "isCustom": entity.custom,
            "stream": entity.stream,
            "duplicateCheckFieldList": entity.duplicate_check,
        }

    def update_settings(self, user: Account, body: dict[str, Any]) -> Row:
        """Change settings of the installation and return them all."""
        require_admin(user)
        self._crm.settings |= {name: value for name, value in body.items() if name in self._crm.settings}
        return dict(self._crm.settings)

    def create_role(self, user: Account, body: dict[str, Any]) -> Row:
        """Store a role and return it in full."""
        require_admin(user)
        if not body.get("name"):
            raise validation_failure("Role", "name", "required")
        role = Role(self._crm.ids.new(), str(body["name"]))
        self._crm.roles[role.id] = role
        self._fill_role(role, body)
        now = self._crm.now()
        return self._role(role) | {"createdAt": now, "modifiedAt": now}

    @staticmethod
    def _fill_role(role: Role, body: dict[str, Any]) -> None:
        role.name = str(body.get("name") or role.name)
        role.data = body.get("data") or role.data
        role.field_data = body.get("fieldData") or role.field_data
        for name in PERMISSIONS:
            level = body.get(f"{name}Permission")
            if level is not None:
                role.permissions[f"{name}Permission"] = str(level)

    @staticmethod
    def _role(role: Role) -> Row:
        permissions = {f"{name}Permission": "not-set" for name in PERMISSIONS} | role.permissions
        base = {"id": role.id, "name": role.name, "deleted": False}
        return base | permissions | {"data": role.data, "fieldData": role.field_data}

    def update_role(self, user: Account, role_id: str, body: dict[str, Any]) -> Row:
        """Change a role; it counts at once for all its users."""
        require_admin(user)
        role = self._crm.roles.get(role_id)
        if role is None:
            raise not_found(f"Record {role_id} not found.")
        self._fill_role(role, body)
        return self._role(role)

    def read_role(self, user: Account, role_id: str) -> Row:
        """Return one role."""
        require_admin(user)
        role = self._crm.roles.get(role_id)
        if role is None:
            raise not_found(f"Record {role_id} does not exist.")
        return self._role(role)

    def list_roles(self, user: Account) -> Row:
        """Return all roles."""
        require_admin(user)
        return {"total": len(self._crm.roles), "list": [self._role(role) for role in self._crm.roles.values()]}

    def create_user(self, user: Account, body: dict[str, Any]) -> Row:
        """Store a user and return it; an API user's keys are made here and stand in the answer."""
        require_admin(user)
        crm = self._crm
        name = str(body.get("userName") or "")
        if not name:
            raise validation_failure("User", "userName", "required")
        if any(account.user_name == name for account in crm.accounts.values()):
            raise ApiError(409, "userNameExists")
        kind, method = str(body.get("type") or "regular"), body.get("authMethod")
        account = Account(crm.ids.new(), name, str(body.get("lastName") or name), kind, is_active=True)
        account.roles = [crm.roles[role_id] for role_id in body.get("rolesIds") or [] if role_id in crm.roles]
        account.is_active = bool(body.get("isActive", True))
        account.password = str(body["password"]) if body.get("password") else None
        if account.is_api:
            account.auth_method = str(method or "ApiKey")
            account.api_key = crm.ids.key()
            account.secret_key = crm.ids.key() if method == "Hmac" else None
        crm.add_account(account)
        return self._created_user(user, account)

    def _created_user(self, creator: Account, account: Account) -> Row:
        now = self._crm.now()
        shown: Row = {"id": account.id, "name": account.name, "deleted": False, "userName": account.user_name}
        shown |= {"type": account.type, "lastName": account.name, "isActive": account.is_active}
        shown |= {"createdAt": now, "modifiedAt": now, "lastAccess": None, "targetListIsOptedOut": False}
        shown |= dict.fromkeys(CONTACT_FLAGS, False) | {"emailAddressData": [], "phoneNumberData": []}
        for name in ("teams", "roles", "portals", "portalRoles", "accounts"):
            shown |= {f"{name}Ids": [], f"{name}Names": {}}
        shown |= {"rolesIds": [r.id for r in account.roles], "rolesNames": {r.id: r.name for r in account.roles}}
        empty = ("defaultTeam", "contact", "dashboardTemplate", "workingTimeCalendar", "layoutSet", "avatar")
        shown |= {f"{name}Name": None for name in empty} | {"avatarId": None, "teamsColumns": {}}
        shown |= {"createdById": creator.id, "createdByName": creator.name}
        if account.auth_method:
            shown |= {"authMethod": account.auth_method, "apiKey": account.api_key}
        if account.secret_key:
            shown["secretKey"] = account.secret_key
        return shown

    def update_user(self, user: Account, user_id: str, body: dict[str, Any]) -> Row:
        """Change a user's roles or switch it off."""
        require_admin(user)
        account = self._crm.accounts.get(user_id)
        if account is None:
            raise not_found(f"Record {user_id} not found.")
        if "isActive" in body:
            account.is_active = bool(body["isActive"])
            row = self._crm.tables["User"].rows[user_id]
            self._crm.tables["User"].update(row, {"isActive": account.is_active})
        if "rolesIds" in body:
            account.roles = [self._crm.roles[r] for r in body["rolesIds"] if r in self._crm.roles]
        return self._created_user(user, account)
