"""What an admin does over the API beside fields and entity types: settings, roles, users, teams."""

from typing import TYPE_CHECKING, Any

from vmh_sync.sandbox.crm.default_settings import ADMIN_ONLY, FOR_SENDERS
from vmh_sync.sandbox.crm.errors import ApiError, not_found, validation_failure
from vmh_sync.sandbox.crm.fields.table import Row
from vmh_sync.sandbox.crm.people.accounts import Account, Role, require_admin

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


class Administration:
    """The administration actions of one installation; each checks for an admin itself."""

    def __init__(self, crm: "Crm") -> None:
        self._crm = crm

    def settings(self, user: Account) -> Row:
        """Return the settings as this user may see them."""
        shown = dict(self._crm.settings)
        if user.is_admin:
            return shown
        for name in ADMIN_ONLY | FOR_SENDERS:
            shown.pop(name, None)
        schema = self._crm.schema
        shown["tabList"] = [
            tab
            for tab in shown.get("tabList", [])
            if not isinstance(tab, str) or tab not in schema or user.level(tab, "read") != "no"
        ]
        return shown

    def update_settings(self, user: Account, body: dict[str, Any]) -> Row:
        """Change settings of the installation and return them all."""
        require_admin(user)
        self._crm.settings |= body
        return self.settings(user)

    def create_role(self, user: Account, body: dict[str, Any]) -> Row:
        """Store a role and return it in full."""
        require_admin(user)
        if not body.get("name"):
            raise validation_failure("Role", "name", "required")
        role = Role(self._crm.ids.new(), str(body["name"]), self._crm.now())
        self._crm.roles[role.id] = role
        self._fill_role(role, body)
        return self._role(role)

    @staticmethod
    def _fill_role(role: Role, body: dict[str, Any]) -> None:
        role.name = str(body.get("name") or role.name)
        role.data = body.get("data") or role.data
        role.field_data = body.get("fieldData", role.field_data)
        for name in PERMISSIONS:
            level = body.get(f"{name}Permission")
            if level is not None:
                role.permissions[f"{name}Permission"] = str(level)

    @staticmethod
    def _role(role: Role) -> Row:
        permissions = {f"{name}Permission": "not-set" for name in PERMISSIONS} | role.permissions
        base = {"id": role.id, "name": role.name, "deleted": False}
        stamps = {"createdAt": role.made_at, "modifiedAt": role.made_at}
        return base | permissions | {"data": role.data, "fieldData": role.field_data} | stamps

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
        """Return all roles by name; a ``select`` changes nothing."""
        require_admin(user)
        roles = sorted(self._crm.roles.values(), key=lambda role: role.name.casefold())
        return {"total": len(roles), "list": [self._role(role) for role in roles]}

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
        account.teams, account.created_by = self._known_teams(body), user.id
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
        teams = {team: self._crm.tables["Team"].rows[team]["name"] for team in account.teams if self._has_team(team)}
        shown |= {"teamsIds": list(teams), "teamsNames": teams}
        shown |= {"rolesIds": [r.id for r in account.roles], "rolesNames": {r.id: r.name for r in account.roles}}
        empty = ("defaultTeam", "contact", "dashboardTemplate", "workingTimeCalendar", "layoutSet", "avatar")
        shown |= {f"{name}Name": None for name in empty} | {"avatarId": None, "teamsColumns": {}}
        shown |= {"createdById": creator.id, "createdByName": creator.name}
        if account.auth_method:
            shown |= {"authMethod": account.auth_method, "apiKey": account.api_key}
        if account.secret_key:
            shown["secretKey"] = account.secret_key
        return shown

    def _has_team(self, team: str) -> bool:
        return team in self._crm.tables["Team"].rows

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
        if "teamsIds" in body:
            account.teams = self._known_teams(body)
        return self._created_user(user, account)

    def read_user(self, user: Account, user_id: str) -> Row:
        """Return a user as an admin sees it: with roles, teams and the keys of an API user."""
        require_admin(user)
        account = self._crm.accounts.get(user_id)
        if account is None:
            raise not_found(f"Record {user_id} does not exist.")
        return self._created_user(self._crm.accounts.get(account.created_by or "", user), account)

    def _known_teams(self, body: dict[str, Any]) -> list[str]:
        known = self._crm.tables["Team"].rows
        return [str(team) for team in body.get("teamsIds") or [] if team in known]

    def create_team(self, user: Account, body: dict[str, Any]) -> Row:
        """Store a team and return it."""
        require_admin(user)
        if not body.get("name"):
            raise validation_failure("Team", "name", "required")
        now = self._crm.now()
        row = {"id": self._crm.ids.new(), "name": str(body["name"]), "createdAt": now, "modifiedAt": now}
        self._crm.tables["Team"].insert(self._crm.layouts["Team"].empty | row)
        extra: Row = {"rolesIds": [], "rolesNames": {}, "layoutSetName": None, "workingTimeCalendarName": None}
        return row | {"deleted": False} | extra
