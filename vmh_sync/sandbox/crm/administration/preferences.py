"""``Preferences/{user id}``: what each user set for himself, as far as set-up meets it (saved searches)."""

import copy
from typing import TYPE_CHECKING, Any

from vmh_sync.sandbox.crm.errors import forbidden, not_found
from vmh_sync.sandbox.crm.fields.table import Row
from vmh_sync.sandbox.crm.people.accounts import Account

if TYPE_CHECKING:
    from vmh_sync.sandbox.crm.state import Crm


class Preferences:
    """The preferences of all users; everybody reads and writes his own, an admin those of all."""

    def __init__(self, crm: "Crm") -> None:
        self._crm = crm
        self._stored: dict[str, Row] = {}

    def read(self, user: Account, user_id: str) -> Row:
        """Return a user's preferences."""
        self._check(user, user_id)
        return {"id": user_id, "presetFilters": {}} | copy.deepcopy(self._stored.get(user_id, {}))

    def write(self, user: Account, user_id: str, body: dict[str, Any]) -> Row:
        """Replace the given preferences; the others stay."""
        self._check(user, user_id)
        self._stored.setdefault(user_id, {}).update(copy.deepcopy(body))
        return self.read(user, user_id)

    def _check(self, user: Account, user_id: str) -> None:
        if user_id not in self._crm.accounts:
            raise not_found("")
        if not user.is_admin and user.id != user_id:
            raise forbidden()
