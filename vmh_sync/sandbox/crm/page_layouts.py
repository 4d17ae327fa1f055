"""How forms and lists are laid out: ``GET`` and ``PUT {Entity}/layout/{name}`` (9.3.9 recordings l01 to l15)."""

import copy
from collections.abc import Mapping
from typing import Any

from vmh_sync.sandbox.crm.errors import forbidden, not_found
from vmh_sync.sandbox.crm.fields.schema import EntityType
from vmh_sync.sandbox.crm.people.accounts import Account, require_admin

_DEFAULTS: dict[str, Any] = {
    "detail": [{"label": "Overview", "rows": [[{"name": "name"}, False]]}],
    "detailSmall": [{"label": "", "rows": [[{"name": "name", "fullWidth": True}]]}],
    "list": [{"name": "name", "link": True}],
    "listSmall": [{"name": "name", "link": True}],
    "listDashlet": [{"name": "name"}],
    "kanban": [{"name": "name", "link": True}],
    "filters": [],
    "massUpdate": ["assignedUser", "teams"],
    "relationships": [],
    "sidePanelsDetail": {},
    "sidePanelsDetailSmall": {},
    "sidePanelsEdit": {},
    "sidePanelsEditSmall": {},
    "bottomPanelsDetail": {},
    "bottomPanelsDetailSmall": {"stream": {"order": 1, "sticked": False, "hidden": True}},
    "bottomPanelsEditSmall": {},
}
_PERSON: dict[str, Any] = {
    "detail": [
        {
            "rows": [
                [{"name": "name"}, False],
                [{"name": "emailAddress"}, {"name": "phoneNumber"}],
                [{"name": "address"}, False],
                [{"name": "description", "fullWidth": True}],
            ]
        }
    ],
    "detailSmall": [
        {"rows": [[{"name": name, "fullWidth": True}] for name in ("name", "emailAddress", "phoneNumber")]},
    ],
}


class PageLayouts:
    """The layouts of one installation: what somebody stored, else the defaults of the template."""

    def __init__(self, schema: Mapping[str, EntityType]) -> None:
        self._schema = schema
        self._stored: dict[tuple[str, str], Any] = {}

    def read(self, user: Account, scope: str, name: str) -> Any:
        """Return a layout; 403 without a right on the entity type, 404 for a name that is none."""
        if user.level(scope, "read") == "no":
            raise forbidden(f"No access to scope {scope}.")
        found = self._layout(scope, name)
        if found is None:
            raise not_found(f"Layout {scope}:{name} is not found.")
        return found

    def write(self, user: Account, scope: str, name: str, layout: Any) -> Any:
        """Store a layout as it comes, fields that do not exist included."""
        require_admin(user)
        entity = self._schema.get(scope)
        if entity is None or entity.kind == "System":
            raise forbidden(f"{scope} is not customizable.")
        self._stored[scope, name] = copy.deepcopy(layout)
        return self._layout(scope, name)

    def reset(self, user: Account, scope: str, name: str) -> Any:
        """Go back to the default."""
        require_admin(user)
        self._stored.pop((scope, name), None)
        return self._layout(scope, name)

    def drop(self, scope: str) -> None:
        """Forget the layouts of an entity type that is gone."""
        for key in [key for key in self._stored if key[0] == scope]:
            del self._stored[key]

    def _layout(self, scope: str, name: str) -> Any:
        if (scope, name) in self._stored:
            return copy.deepcopy(self._stored[scope, name])
        entity = self._schema.get(scope)
        if entity is None:
            return None
        own = _PERSON if entity.template == "Person" else {}
        return copy.deepcopy(own.get(name, _DEFAULTS.get(name)))
