"""Users, their roles, and what a role lets them do.

Rights that EspoCRM fixes for everybody but an admin stand in :data:`FIXED`: nobody with an API login can create a
``Notification`` (specification, espocrm.md B1.4).
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from vmh_sync.sandbox.crm.errors import forbidden

Action = Literal["create", "read", "edit", "delete"]
Scope = dict[str, str]

FULL: Scope = {"create": "yes", "read": "all", "edit": "all", "delete": "all", "stream": "all"}
OWN: Scope = {"create": "yes", "read": "own", "edit": "own", "delete": "own", "stream": "no"}
NOTHING: Scope = {"create": "no", "read": "no", "edit": "no", "delete": "no", "stream": "no"}
FIXED: dict[str, Scope] = {
    "Notification": {"create": "no", "read": "own", "edit": "no", "delete": "own", "stream": "no"},
    "Note": {"create": "yes", "read": "all", "edit": "own", "delete": "own", "stream": "no"},
}
DEFAULT: dict[str, Scope] = {
    "User": {"create": "no", "read": "own", "edit": "no", "delete": "no", "stream": "no"},
    "Team": {"create": "no", "read": "team", "edit": "no", "delete": "no", "stream": "no"},
}
CLOSED: dict[str, frozenset[str]] = {"Webhook": frozenset({"user"})}
"""Fields that only an admin sees."""
ADMIN_ONLY = ("User", "Role", "Team", "ScheduledJob")
RANK = {"no": 0, "own": 1, "team": 2, "all": 3, "yes": 3}


@dataclass
class Role:
    """A role: rights by entity type and by field, and single permissions (``massUpdatePermission`` …)."""

    id: str
    name: str
    made_at: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    field_data: dict[str, dict[str, dict[str, str]]] | None = None
    permissions: dict[str, str] = field(default_factory=dict)


@dataclass
class Account:
    """A user who can log in."""

    id: str
    user_name: str
    name: str
    type: str  # admin, regular, api, system
    auth_method: str | None = None  # ApiKey, Hmac; None: password
    api_key: str | None = None
    secret_key: str | None = None
    password: str | None = None
    is_active: bool = True
    roles: list[Role] = field(default_factory=list)
    teams: list[str] = field(default_factory=list)
    created_by: str | None = None

    @property
    def is_admin(self) -> bool:
        """Whether the user may do everything."""
        return self.type in {"admin", "super-admin"}

    @property
    def is_api(self) -> bool:
        """Whether the user is a machine, not a person."""
        return self.type == "api"

    def scope(self, entity: str) -> Scope:
        """Return the rights on an entity type, the widest of all roles."""
        if self.is_admin:
            return FULL
        if entity in FIXED:
            return FIXED[entity]
        merged = dict(DEFAULT.get(entity, NOTHING))
        for role in self.roles:
            given = role.data.get(entity)
            if given is True:
                given = OWN if entity == "Webhook" else FULL
            for action, level in (given or {}).items():
                if RANK.get(level, 0) > RANK.get(merged.get(action, "no"), 0):
                    merged[action] = level
        return FULL if self.type == "regular" and not self.roles and entity not in ADMIN_ONLY else merged

    def level(self, entity: str, action: Action) -> str:
        """Return ``no``, ``own``, ``team``, ``all`` (``yes`` for create)."""
        return self.scope(entity).get(action, "no")

    def require(self, entity: str, action: Action, row: dict[str, Any] | None = None) -> None:
        """Raise the API's 403 unless the action is allowed (on this row)."""
        level = self.level(entity, action)
        if level in {"all", "yes"}:
            return
        if level in {"own", "team"} and (row is None or self.owns(row)):
            return
        raise forbidden(f"No {action} access.")

    def owns(self, row: dict[str, Any]) -> bool:
        """Whether a row counts as the user's own (a team: that he is in it)."""
        owners = {row.get("createdById"), row.get("assignedUserId"), row.get("userId"), row.get("id")}
        return self.id in owners or row.get("id") in self.teams

    def permission(self, name: str) -> str:
        """Return a single permission, ``no`` if no role grants it."""
        if self.is_admin:
            return "all"
        levels = [role.permissions.get(name, "not-set") for role in self.roles]
        widest = max(levels, key=lambda level: RANK.get(level, 0), default="no")
        return "no" if widest == "not-set" else widest

    def sees_followers(self, entity: str) -> bool:
        """Whether answers show who follows a record: only with a right on the stream."""
        return self.scope(entity).get("stream", "no") != "no"

    def closed_fields(self, entity: str, action: Literal["read", "edit"]) -> frozenset[str]:
        """Return the fields of an entity type that the user may not read (edit)."""
        if self.is_admin:
            return frozenset()
        fixed = CLOSED.get(entity, frozenset())
        if not self.roles:
            return fixed
        closed = [
            {name for name, rights in (role.field_data or {}).get(entity, {}).items() if rights.get(action) == "no"}
            for role in self.roles
        ]
        return fixed | set.intersection(*closed)


def require_admin(user: Account) -> None:
    """Raise 403 for everybody but an admin."""
    if not user.is_admin:
        raise forbidden()
