"""What a record looks like in an answer: in full, in a list, after a POST (specification, espocrm.md B4, B6)."""

from collections.abc import Collection, Mapping
from typing import Any

from vmh_sync.sandbox.crm.fields.contact_rows import ContactBook
from vmh_sync.sandbox.crm.fields.layout import SEARCH_KEY, TEAMS_KEY, Layout
from vmh_sync.sandbox.crm.fields.table import Row, Table
from vmh_sync.sandbox.crm.people.accounts import Account

CONTACT_FLAGS = ("emailAddressIsOptedOut", "emailAddressIsInvalid", "phoneNumberIsOptedOut", "phoneNumberIsInvalid")
ALWAYS_SELECTED = ("id", "createdById", "assignedUserId")


class Renderer:
    """Shows rows; needs all tables, accounts and both books for linked names, addresses and numbers."""

    def __init__(
        self, tables: Mapping[str, Table], accounts: Mapping[str, Account], emails: ContactBook, phones: ContactBook
    ) -> None:
        self._tables = tables
        self._accounts = accounts
        self._emails = emails
        self._phones = phones

    def linked_name(self, layout: Layout, row: Row, attribute: str) -> Any:
        """Return the name of the linked record, ``None`` if there is none or it is deleted."""
        id_column, foreign = layout.names[attribute]
        record_id = row.get(id_column)
        if record_id is None:
            return None
        if foreign is None:
            foreign = row.get(id_column.removesuffix("Id") + "Type")
        if foreign == "User":
            account = self._accounts.get(record_id)
            return account.name if account else None
        table = self._tables.get(foreign or "")
        linked = table.rows.get(record_id) if table else None
        return linked.get("name") if linked else None

    def contact_attributes(self, entity: str, record_id: str) -> dict[str, Any]:
        """Return primary address and number with their flags (``None`` without a primary)."""
        shown: dict[str, Any] = {}
        for book in (self._emails, self._phones):
            primary = book.primary((entity, record_id))
            shown[book.attribute] = primary.value if primary else None
            shown[f"{book.attribute}IsOptedOut"] = primary.opt_out if primary else None
            shown[f"{book.attribute}IsInvalid"] = primary.invalid if primary else None
        return shown

    def plain(self, layout: Layout, row: Row) -> Row:
        """Return a record as in a list without ``select``: all attributes, but none of the arrays."""
        shown = dict(row)
        shown.pop(SEARCH_KEY, None)
        for attribute in layout.hidden:
            shown.pop(attribute, None)
        for attribute in layout.names:
            shown[attribute] = self.linked_name(layout, row, attribute)
        if layout.has_contacts:
            shown |= self.contact_attributes(layout.entity.name, row["id"])
        return shown

    def full(self, layout: Layout, row: Row) -> Row:
        """Return a record as GET shows it to somebody who may read all fields."""
        return self.plain(layout, row) | self.arrays(layout, row)

    def arrays(self, layout: Layout, row: Row) -> Row:
        """Return the attributes that only a single record has."""
        shown: Row = {}
        owner = (layout.entity.name, row["id"])
        if layout.has_contacts:
            shown["emailAddressData"] = self._emails.data(owner)
            shown["phoneNumberData"] = self._phones.data(owner)
        if layout.teams:
            known = self._tables["Team"].rows
            teams = {team: known[team]["name"] for team in row.get(TEAMS_KEY) or () if team in known}
            shown |= {"teamsIds": list(teams), "teamsNames": teams}
        if layout.entity.stream:
            shown |= self.followers(row)
        if layout.entity.name == "Task":
            shown |= task_extras(row)
        return shown

    def followers(self, row: Row) -> Row:
        """Return who follows a record; assigning a record to a person makes them follow it."""
        user_id = row.get("assignedUserId")
        account = self._accounts.get(user_id) if user_id else None
        names = {account.id: account.name} if account else {}
        return {"isFollowed": False, "followersIds": list(names), "followersNames": names}

    @staticmethod
    def visible_to(user: Account, layout: Layout, shown: Row) -> Row:
        """Return an answer without what the user may not read: closed fields, and followers without stream right."""
        closed = user.closed_fields(layout.entity.name, "read")
        if layout.entity.stream and not user.sees_followers(layout.entity.name):
            closed |= {"followers"}
        if not closed:
            return shown
        return {name: value for name, value in shown.items() if layout.field_of(name) not in closed}

    def list_row(self, layout: Layout, row: Row, select: list[str] | None, order_by: str) -> Row:
        """Return a row of a list. Named attributes come with a few that EspoCRM always adds."""
        if select is None:
            return self.plain(layout, row)
        wanted = dict.fromkeys([*select, *ALWAYS_SELECTED, order_by])
        if "parentId" in wanted and "parentType" in wanted:
            wanted["parentName"] = None
        contacts: dict[str, Any] | None = None
        shown: Row = {}
        for attribute in wanted:
            if attribute in layout.hidden or attribute == SEARCH_KEY:
                continue
            if attribute in row:
                shown[attribute] = row[attribute]
            elif attribute in layout.names:
                shown[attribute] = self.linked_name(layout, row, attribute)
            elif layout.has_contacts:
                if contacts is None:
                    contacts = self.contact_attributes(layout.entity.name, row["id"])
                if attribute in contacts:
                    shown[attribute] = contacts[attribute]
        return shown

    def created(self, layout: Layout, row: Row, touched: Collection[str], echo: Row) -> Row:
        """Return the answer to a POST: what was set, and what EspoCRM loads besides."""
        shown = {name: row[name] for name in touched if name in row and name not in layout.hidden}
        if layout.is_person and row.get("firstName") is None:
            shown.pop("name", None)
        shown |= {
            name: self.linked_name(layout, row, name) for name in layout.names if not name.startswith("createdBy")
        }
        shown["createdByName"] = self.linked_name(layout, row, "createdByName")
        shown |= self.arrays(layout, row)
        if layout.has_contacts:
            shown |= dict.fromkeys(CONTACT_FLAGS, False)
            contacts = self.contact_attributes(layout.entity.name, row["id"])
            shown |= {name: contacts[name] for name in ("emailAddress", "phoneNumber") if name in touched}
        if layout.entity.stream:
            shown["streamUpdatedAt"] = row["streamUpdatedAt"]
        if layout.entity.optimistic:
            shown["versionNumber"] = row["versionNumber"]
        return shown | echo


def task_extras(row: Row) -> Row:
    """Return what a Task shows besides its columns."""
    return {
        "isOverdue": False,
        "reminders": [],
        "attachmentsIds": [],
        "attachmentsNames": {},
        "attachmentsTypes": {},
    } | {name: row.get(name) for name in ("dateCompleted", "accountId", "contactId")}
