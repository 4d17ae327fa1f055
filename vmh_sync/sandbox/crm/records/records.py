"""Creating, changing and deleting records, with everything that a save sets off.

``modifiedAt``: with the stream on, every update moves it; with the stream off, only a real change does
(specification, espocrm.md B1.1, B1.2). What an answer shows after a write: B4, B5.
"""

from typing import TYPE_CHECKING, Any

from vmh_sync.sandbox.crm.errors import ApiError, forbidden, not_found
from vmh_sync.sandbox.crm.fields.contact_rows import Owner
from vmh_sync.sandbox.crm.fields.layout import SEARCH_KEY, TEAMS_KEY, Layout
from vmh_sync.sandbox.crm.fields.record_input import RecordInput, read_input, taken_input
from vmh_sync.sandbox.crm.fields.table import Row
from vmh_sync.sandbox.crm.people.accounts import Account
from vmh_sync.sandbox.crm.query import php_int
from vmh_sync.sandbox.crm.records.link_check import check_links
from vmh_sync.sandbox.crm.records.locking import check_change, check_delete
from vmh_sync.sandbox.crm.rendering import CONTACT_FLAGS

if TYPE_CHECKING:
    from vmh_sync.sandbox.crm.records.stream import Stream
    from vmh_sync.sandbox.crm.state import Crm
    from vmh_sync.sandbox.crm.webhooks.webhooks import Webhooks

BOOKKEEPING = {
    "advowareRowId",
    "syncStatus",
    "advowareLastSync",
    "syncErrorMessage",
    "syncRetryCount",
    "syncNextRetry",
    "syncAutoResetAt",
    "advowareDeletedAt",
    "kommunikationHash",
}
CONTACT_ATTRIBUTES = ("emailAddress", "phoneNumber", *CONTACT_FLAGS)


class Records:
    """The record service of one installation; every method is one request's work and runs to its end at once."""

    def __init__(self, crm: "Crm", webhooks: "Webhooks", stream: "Stream") -> None:
        self._crm = crm
        self._webhooks = webhooks
        self._stream = stream

    def read(self, user: Account, entity: str, record_id: str) -> Row:
        """Return one record in full."""
        row = self._crm.tables[entity].rows.get(record_id)
        if row is None:
            raise not_found(f"Record {record_id} does not exist.")
        user.require(entity, "read", row)
        layout, render = self._crm.layouts[entity], self._crm.render
        return render.visible_to(user, layout, render.full(layout, row))

    def create(self, user: Account, entity: str, body: dict[str, Any], *, skip_duplicates: bool = False) -> Row:
        """Store a new record and return the answer of POST: only the attributes that have a value."""
        crm, layout = self._crm, self._crm.layouts[entity]
        user.require(entity, "create")
        with_defaults = layout.defaults | taken_input(layout, body)
        closed = user.closed_fields(entity, "edit")
        given = read_input(layout, with_defaults, crm.readers[entity], row=None, closed=closed)
        check_links(crm, user, layout, given.values, {})
        if not skip_duplicates:
            self._check_duplicates(layout, given)
        row = self._new_row(user, layout, given)
        crm.tables[entity].insert(row)
        owner = (entity, row["id"])
        for name, contact in given.contacts.items():
            crm.readers[entity][name].apply(contact, owner)
        touched = self._touched(layout, given, row)
        answer = crm.render.created(layout, row, touched, given.echo)
        self._webhooks.created(user, entity, row["id"], self._create_payload(layout, row, touched, answer))
        self._stream.record_created(user, entity, row)
        return crm.render.visible_to(user, layout, answer)

    def _new_row(self, user: Account, layout: Layout, given: RecordInput) -> Row:
        now = self._crm.now()
        row: Row = layout.empty | given.values
        row |= {"id": self._crm.ids.new(), "createdAt": now, "modifiedAt": now, "createdById": user.id}
        if layout.is_person:
            row["name"] = _person_name(row)
            row[SEARCH_KEY] = (row["name"] or "").casefold()
        if layout.entity.stream:
            row["streamUpdatedAt"] = now
        if layout.entity.optimistic:
            row["versionNumber"] = 1
        return row

    @staticmethod
    def _touched(layout: Layout, given: RecordInput, row: Row) -> list[str]:
        touched = ["id", "deleted", *given.values, "createdAt", "modifiedAt", "createdById"]
        if layout.is_person:
            touched.append("name")
        touched += [name for name, contact in given.contacts.items() if contact.given]
        return [name for name in touched if name in row or name in given.contacts]

    @staticmethod
    def _create_payload(layout: Layout, row: Row, touched: list[str], answer: Row) -> Row:
        payload = {name: answer[name] for name in touched if name in answer}
        if layout.has_contacts:
            payload |= {name: answer[name] for name in CONTACT_FLAGS}
        if layout.entity.stream:
            payload |= {"streamUpdatedAt": row["streamUpdatedAt"], "isFollowed": False}
        return payload

    def _check_duplicates(self, layout: Layout, given: RecordInput) -> None:
        """Answer 409 with the records that have the same name or the same e-mail address (B1.3)."""
        if not layout.entity.duplicate_check:
            return
        crm, entity = self._crm, layout.entity.name
        table = crm.tables[entity]
        found: dict[str, None] = {}
        name = _person_name(given.values)
        if name:
            found |= table.by_value[SEARCH_KEY].get(name.casefold(), {})
        for address in _addresses(given):
            found |= dict.fromkeys(owner for kind, owner in crm.emails.owners(address) if kind == entity)
        rows = [table.rows[record_id] for record_id in sorted(found) if record_id in table.rows]
        if rows:
            raise ApiError(409, "duplicate", [crm.render.plain(layout, row) for row in rows])

    def update(
        self, user: Account, entity: str, record_id: str, body: dict[str, Any], version: str | None = None
    ) -> Row:
        """Change a record and return the answer of PUT: the full record, contact lists as they were sent."""
        crm, layout = self._crm, self._crm.layouts[entity]
        row = crm.tables[entity].rows.get(record_id)
        if row is None:
            raise not_found(f"Record {record_id} not found.")
        user.require(entity, "edit", row)
        readers, owner = crm.readers[entity], (entity, record_id)
        given = read_input(
            layout, taken_input(layout, body), readers, row=row, closed=user.closed_fields(entity, "edit")
        )
        check_links(crm, user, layout, given.values, row)
        changes = {name: value for name, value in given.values.items() if value != row[name]}
        contacts = [name for name, contact in given.contacts.items() if readers[name].changes(contact, owner)]
        if layout.entity.optimistic and version is not None:
            _check_version(row, php_int(version), changes)
        check_change(crm, layout, row, [*changes, *contacts])
        self._complete(user, layout, row, changes, contact_changed=bool(contacts), body=body)
        before = self._contact_state(layout, owner)
        for name in contacts:
            readers[name].apply(given.contacts[name], owner)
        payload = self._store(user, layout, row, changes, contact_changed=bool(contacts))
        answer = crm.render.full(layout, row) | before | given.echo
        self._webhooks.updated(user, entity, record_id, payload | self._contact_payload(given, contacts, before))
        if layout.is_person and isinstance(body.get("name"), str):
            answer["name"] = body["name"].strip()
        return crm.render.visible_to(user, layout, answer)

    def _complete(
        self, user: Account, layout: Layout, row: Row, changes: Row, *, contact_changed: bool, body: dict[str, Any]
    ) -> None:
        """Add what follows from the changes: the composed name, and the status a formula sets for people's edits."""
        if layout.is_person and changes.keys() & {"firstName", "lastName", "middleName", "salutationName"}:
            name = _person_name(row | changes)
            if name != row["name"]:
                changes |= {"name": name, SEARCH_KEY: (name or "").casefold()}
        status = layout.stored.get("syncStatus")
        if status is None or user.is_api or not self._crm.formula_dirty or "syncStatus" in body:
            return
        if not contact_changed and not changes.keys() - BOOKKEEPING:
            return
        options = status.definition.get("options", [])
        due = next((value for value in ("dirty", "unclean") if value in options), None)
        if due is not None and row["syncStatus"] not in {due, "pending_sync"}:
            changes["syncStatus"] = due

    def _contact_state(self, layout: Layout, owner: Owner) -> Row:
        if not layout.has_contacts:
            return {}
        state = self._crm.render.contact_attributes(*owner)
        return state | {
            "emailAddressData": self._crm.emails.data(owner),
            "phoneNumberData": self._crm.phones.data(owner),
        }

    def _store(self, user: Account, layout: Layout, row: Row, changes: Row, *, contact_changed: bool) -> Row:
        payload = {name: value for name, value in changes.items() if name not in {SEARCH_KEY, TEAMS_KEY}}
        if changes or contact_changed or layout.entity.stream:
            if (changes or contact_changed) and row.get("modifiedById") != user.id:
                payload |= {"modifiedById": user.id, "modifiedByName": user.name}
            changes |= {"modifiedAt": self._crm.now(), "modifiedById": user.id}
        if layout.entity.optimistic:
            changes["versionNumber"] = (row["versionNumber"] or 0) + 1
        self._crm.tables[layout.entity.name].update(row, changes)
        for name, (id_column, _) in layout.names.items():
            if id_column in payload and name != "modifiedByName":
                payload[name] = self._crm.render.linked_name(layout, row, name)
        return payload

    @staticmethod
    def _contact_payload(given: RecordInput, changed: list[str], before: Row) -> Row:
        payload: Row = {}
        for name in changed:
            contact = given.contacts[name]
            if contact.items is not None:
                payload[f"{name}Data"] = contact.raw
            value = contact.echo.get(name)
            if value != before[name] and (value or "").lower() != (before[name] or "").lower():
                payload[name] = value
        return payload

    def write_silently(self, entity: str, record_id: str, values: dict[str, Any]) -> None:
        """Change a record as a script on the server does: checked, but no webhook, no formula, no ``modifiedAt``."""
        crm, layout, table = self._crm, self._crm.layouts[entity], self._crm.tables[entity]
        row = table.rows.get(record_id)
        if row is None:
            raise not_found(f"Record {record_id} not found.")
        given = read_input(layout, values, crm.readers[entity], row=row, closed=())
        changes = dict(given.values)
        if layout.is_person:
            name = _person_name(row | changes)
            changes |= {"name": name, SEARCH_KEY: (name or "").casefold()}
        table.update(row, changes)
        for field_name, contact in given.contacts.items():
            crm.readers[entity][field_name].apply(contact, (entity, record_id))

    def delete(self, user: Account, entity: str, record_id: str) -> bool:
        """Delete a record softly; children keep pointing at it (B7)."""
        table = self._crm.tables[entity]
        row = table.rows.get(record_id)
        if row is None:
            raise not_found(f"Record {record_id} not found.")
        user.require(entity, "delete", row)
        check_delete(self._crm.layouts[entity], row)
        table.update(row, {"modifiedAt": self._crm.now(), "modifiedById": user.id})
        table.remove(record_id)
        self._webhooks.deleted(user, entity, record_id)
        return True

    def restore(self, user: Account, entity: str, record_id: str) -> bool:
        """Bring a deleted record back; admin only."""
        if not user.is_admin:
            raise forbidden()
        if record_id not in self._crm.tables[entity].deleted:
            raise not_found()
        self._crm.tables[entity].restore(record_id)
        return True


def _person_name(row: Row) -> str | None:
    parts = (row.get("firstName"), row.get("middleName"), row.get("lastName"))
    return " ".join(part for part in parts if part) or None


def _addresses(given: RecordInput) -> list[str]:
    contact = given.contacts.get("emailAddress")
    if contact is None:
        return []
    values = [item.value for item in contact.items or []]
    return [*values, contact.value] if contact.value else values


def _check_version(row: Row, version: int, changes: Row) -> None:
    """Answer 409 if the caller's version is stale and it would change something (B8)."""
    current = row["versionNumber"]
    if current is None or version == current or not changes:
        return
    values = {name: row[name] for name in changes}
    raise ApiError(409, "modified", {"values": values, "versionNumber": current})
