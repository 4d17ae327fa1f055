"""Linking and unlinking records, and actions on many records (specification, espocrm.md B7)."""

from typing import TYPE_CHECKING, Any

from vmh_sync.sandbox.crm.errors import HTML, ApiError, bad_request, not_found
from vmh_sync.sandbox.crm.people.accounts import Account
from vmh_sync.sandbox.crm.query import ListQuery
from vmh_sync.sandbox.crm.records.lists import Lists
from vmh_sync.sandbox.crm.records.records import Records

if TYPE_CHECKING:
    from vmh_sync.sandbox.crm.state import Crm


class Relations:
    """Changes which records belong together; neither side's ``modifiedAt`` moves."""

    def __init__(self, crm: "Crm", records: Records, lists: Lists) -> None:
        self._crm = crm
        self._records = records
        self._lists = lists

    def link(self, user: Account, entity: str, record_id: str, link: str, body: dict[str, Any]) -> bool:
        """Link ``{"id"}`` or ``{"ids"}``; linking again is no error, an unknown record is a 404."""
        user.require(entity, "edit", self._row(entity, record_id))
        foreign, column = self._lists.children_of(entity, record_id, link)
        ids = body.get("ids") or ([body["id"]] if body.get("id") else [])
        if not ids:
            raise bad_request("No foreign id.")
        table = self._crm.tables[foreign]
        for child_id in ids:
            child = table.rows.get(str(child_id))
            if child is None:
                raise not_found()
            table.update(child, {column: record_id})
        return True

    def unlink(self, user: Account, entity: str, record_id: str, link: str, body: dict[str, Any]) -> bool:
        """Unlink the id in the body; without one nothing happens and the answer is ``false``."""
        user.require(entity, "edit", self._row(entity, record_id))
        foreign, column = self._lists.children_of(entity, record_id, link)
        ids = body.get("ids") or ([body["id"]] if body.get("id") else [])
        if not ids:
            return False
        table = self._crm.tables[foreign]
        for child_id in ids:
            child = table.rows.get(str(child_id))
            if child is None:
                raise not_found()
            if child[column] == record_id:
                table.update(child, {column: None})
        return True

    def _row(self, entity: str, record_id: str) -> dict[str, Any]:
        row = self._crm.tables[entity].rows.get(record_id)
        if row is None:
            raise not_found()
        return row

    def mass_action(self, user: Account, body: dict[str, Any]) -> dict[str, Any]:
        """Update or delete several records; an update needs the role's mass-update permission."""
        entity, action = body.get("entityType"), body.get("action")
        if not isinstance(entity, str) or entity not in self._crm.tables or action not in {"update", "delete"}:
            raise bad_request("Bad mass action.")
        user.require(entity, "edit" if action == "update" else "delete")
        if action == "update" and user.permission("massUpdatePermission") not in {"yes", "all"}:
            raise ApiError(403, "No mass-update permission.", content_type=HTML)
        values = (body.get("data") or {}).get("values") or {}
        done = []
        for record_id in self._mass_ids(user, entity, body.get("params") or {}):
            if record_id not in self._crm.tables[entity].rows:
                continue
            if action == "update":
                self._records.update(user, entity, record_id, values)
            else:
                self._records.delete(user, entity, record_id)
            done.append(record_id)
        return {"count": len(done), "ids": done}

    def _mass_ids(self, user: Account, entity: str, params: dict[str, Any]) -> list[str]:
        if isinstance(params.get("ids"), list):
            return [str(record_id) for record_id in params["ids"]]
        where = params.get("where") or []
        everything = ListQuery(where=where, order_by="id", max_size=len(self._crm.tables[entity].rows), select=["id"])
        return [row["id"] for row in self._lists.records(user, entity, everything, count=True)["list"]]
