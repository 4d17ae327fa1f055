"""Stream notes and bell notifications (specification, espocrm.md B1.4, B1.5)."""

import re
from typing import TYPE_CHECKING, Any

from vmh_sync.sandbox.crm.errors import bad_request, forbidden, not_found
from vmh_sync.sandbox.crm.fields.table import Row
from vmh_sync.sandbox.crm.people.accounts import Account
from vmh_sync.sandbox.crm.query import ListQuery

if TYPE_CHECKING:
    from vmh_sync.sandbox.crm.state import Crm

_MENTION = re.compile(r"@([\w.@-]+)")


class Stream:
    """Writes notes and notifications of one installation."""

    def __init__(self, crm: "Crm") -> None:
        self._crm = crm

    def record_created(self, user: Account, entity: str, row: Row) -> None:
        """Leave a ``Create`` note on a record with a stream, and ring the bell of the person it is assigned to."""
        if not self._crm.schema[entity].stream:
            return
        assignee = self._crm.accounts.get(row.get("assignedUserId") or "")
        data: Row = {}
        if assignee is not None:
            data = {"assignedUserId": assignee.id, "assignedUserName": assignee.name}
            if "status" in row:
                data |= {"statusValue": row["status"], "statusField": "status"}
        note = self._note(user, "Create", entity, row["id"], None, data)
        if assignee is not None and assignee.id != user.id:
            related = {"relatedParentId": row["id"], "relatedParentType": entity}
            self._notify(assignee, "Note", note, created_by=None, related=related)

    def _note(self, user: Account, kind: str, parent_type: str, parent_id: str, post: str | None, data: Row) -> Row:
        crm = self._crm
        crm.note_number += 1
        now = crm.now()
        note: Row = crm.layouts["Note"].empty | {
            "id": crm.ids.new(),
            "post": post,
            "type": kind,
            "data": data,
            "parentId": parent_id,
            "parentType": parent_type,
            "number": crm.note_number,
            "isInternal": False,
            "createdAt": now,
            "modifiedAt": now,
            "createdById": user.id,
        }
        crm.tables["Note"].insert(note)
        return note

    def post(self, user: Account, body: dict[str, Any]) -> Row:
        """Store a stream post on a record and return the answer of ``POST Note``.

        A mention notifies only if the user's role has ``mentionPermission``; the record's ``streamUpdatedAt`` moves.
        """
        parent_type, parent_id = str(body.get("parentType") or ""), str(body.get("parentId") or "")
        if body.get("type", "Post") != "Post":
            raise forbidden("Only 'Post' type allowed.")
        post = str(body.get("post") or "")
        table = self._crm.tables.get(parent_type)
        if not post or table is None:
            raise bad_request("Bad note.")
        parent = table.rows.get(parent_id)
        if parent is None:
            raise forbidden()
        user.require(parent_type, "read", parent)
        mentioned = self._mentioned(user, post)
        data: Row = {"mentions": {f"@{m.user_name}": _mention(m) for m in mentioned}} if mentioned else {}
        note = self._note(user, "Post", parent_type, parent_id, post, data)
        for account in mentioned:
            self._notify(account, "MentionInPost", note, created_by=user.id, related={})
        if self._crm.schema[parent_type].stream:
            table.update(parent, {"streamUpdatedAt": note["createdAt"]})
        return self._posted(note, mentioned)

    def _mentioned(self, user: Account, post: str) -> list[Account]:
        if user.permission("mentionPermission") not in {"all", "yes"}:
            return []
        names = {name.rstrip(".") for name in _MENTION.findall(post)}
        return [account for account in self._crm.accounts.values() if account.user_name in names]

    def _posted(self, note: Row, mentioned: list[Account]) -> Row:
        shown = {name: note[name] for name in ("id", "deleted", "post", "data", "type", "isInternal", "createdAt")}
        if mentioned:
            shown["notifiedUserIdList"] = [account.id for account in mentioned]
        layout = self._crm.layouts["Note"]
        return shown | {
            "reactionCounts": None,
            "myReactions": [],
            "modifiedAt": note["modifiedAt"],
            "parentId": note["parentId"],
            "parentType": note["parentType"],
            "parentName": self._crm.render.linked_name(layout, note, "parentName"),
            "relatedName": None,
            "attachmentsIds": [],
            "attachmentsNames": {},
            "attachmentsTypes": {},
            "createdById": note["createdById"],
            "createdByName": self._crm.render.linked_name(layout, note, "createdByName"),
            "modifiedByName": None,
        }

    def of_record(self, user: Account, entity: str, record_id: str, query: ListQuery) -> dict[str, Any]:
        """Return the stream of a record, newest first."""
        row = self._crm.tables[entity].rows.get(record_id)
        if row is None:
            raise not_found()
        user.require(entity, "read", row)
        table = self._crm.tables["Note"]
        ids = sorted(table.by_value["parentId"].get(record_id, {}), reverse=True)
        page = ids[query.offset : query.offset + query.max_size]
        shown = [self._shown(table.rows[note_id]) for note_id in page]
        for entry in shown:
            entry |= {"reactionCounts": None, "myReactions": []}
        return {"total": len(ids), "list": shown, "pinnedList": []}

    def _shown(self, note: Row) -> Row:
        layout = self._crm.layouts["Note"]
        names = ("id", "deleted", "post", "data", "type", "number", "isInternal", "createdAt", "modifiedAt")
        shown = {name: note[name] for name in (*names, "parentId", "parentType", "relatedId", "relatedType")}
        shown |= {"targetType": None, "isGlobal": False, "createdByGender": None, "isPinned": False}
        shown |= {"createdById": note["createdById"], "modifiedById": None, "modifiedByName": None}
        shown |= {"superParentId": None, "superParentType": None}
        shown["createdByName"] = self._crm.render.linked_name(layout, note, "createdByName")
        return shown | (_attachments() if note["type"] == "Post" else {})

    def _notify(self, account: Account, kind: str, note: Row | None, *, created_by: str | None, related: Row) -> Row:
        self._crm.notification_number += 1
        entry: Row = {
            "id": self._crm.ids.new(),
            "deleted": False,
            "number": self._crm.notification_number,
            "data": {"noteId": note["id"]} if note else None,
            "type": kind,
            "read": False,
            "emailIsProcessed": False,
            "createdAt": self._crm.now(),
            "message": None,
            "actionId": None,
            "groupedCount": None,
            "userId": account.id,
            "userName": account.name,
            "relatedId": note["id"] if note else None,
            "relatedType": "Note" if note else None,
            "relatedParentId": None,
            "relatedParentType": None,
            "createdById": created_by,
        } | related
        self._crm.notifications.append(entry)
        return entry

    def create_notification(self, user: Account, body: dict[str, Any]) -> Row:
        """Answer ``POST Notification``: admins only, and even then the related record is not kept (B1.4)."""
        if not user.is_admin:
            raise forbidden("No create access.")
        account = self._crm.accounts.get(str(body.get("userId") or ""), user)
        entry = self._notify(account, str(body.get("type") or ""), None, created_by=user.id, related={})
        entry["message"] = body.get("message")
        names = ("id", "deleted", "type", "read", "emailIsProcessed", "createdAt", "message", "userId", "userName")
        more = {"relatedName": None, "relatedParentName": None, "createdById": user.id, "createdByName": user.name}
        return {name: entry[name] for name in names} | more

    def notifications(self, user: Account, query: ListQuery) -> dict[str, Any]:
        """Return a user's notifications, newest first; being listed marks them as read."""
        own = [entry for entry in reversed(self._crm.notifications) if entry["userId"] == user.id]
        page = own[query.offset : query.offset + query.max_size]
        shown = [entry | self._note_data(entry) for entry in page]
        for entry in page:
            entry["read"] = True
        return {"total": -1 if len(own) > query.offset + len(page) else -2, "list": shown}

    def _note_data(self, entry: Row) -> Row:
        note_id = (entry["data"] or {}).get("noteId")
        note = self._crm.tables["Note"].rows.get(note_id or "")
        if note is None:
            return {}
        name = self._crm.render.linked_name(self._crm.layouts["Note"], note, "parentName")
        return {"noteData": self._shown(note) | _attachments() | {"parentName": name}}

    def unread(self, user: Account) -> int:
        """Return how many notifications a user has not seen."""
        return sum(1 for entry in self._crm.notifications if entry["userId"] == user.id and not entry["read"])


def _mention(account: Account) -> Row:
    return {"id": account.id, "name": account.name, "userName": account.user_name, "_scope": "User"}


def _attachments() -> Row:
    return {"attachmentsIds": [], "attachmentsNames": {}, "attachmentsTypes": {}}
