"""Lists of records and of linked records (specification, espocrm.md B6, B7)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from vmh_sync.sandbox.crm.errors import bad_request, forbidden, not_found
from vmh_sync.sandbox.crm.fields.layout import Layout
from vmh_sync.sandbox.crm.fields.table import Row
from vmh_sync.sandbox.crm.people.accounts import Account
from vmh_sync.sandbox.crm.query import ListQuery
from vmh_sync.sandbox.crm.records.listing import Order, find
from vmh_sync.sandbox.crm.records.where import CONTACTS, Condition, WhereCompiler

if TYPE_CHECKING:
    from vmh_sync.sandbox.crm.state import Crm

Answer = dict[str, Any]

PRIMARY_FILTERS = {"Task": ("actual", "completed", "todays", "overdue", "deferred"), "User": ("active",)}
"""Known ones, by entity type; they narrow nothing here."""


class Lists:
    """Answers list requests of one installation."""

    def __init__(self, crm: "Crm") -> None:
        self._crm = crm

    def records(
        self, user: Account, entity: str, query: ListQuery, *, count: bool, extra: Condition | None = None
    ) -> Answer:
        """Return ``{"total", "list"}``; ``extra`` narrows the list further (linked records)."""
        crm, layout, table = self._crm, self._crm.layouts[entity], self._crm.tables[entity]
        level = user.level(entity, "read")
        if level == "no":
            raise forbidden("No read access.")
        if query.primary_filter is not None and query.primary_filter not in PRIMARY_FILTERS.get(entity, ()):
            raise bad_request(f"No primary filter '{query.primary_filter}' for '{entity}'.")
        closed = user.closed_fields(entity, "read")
        hidden = {name for name in layout.searchable if layout.field_of(name) in closed} if closed else frozenset()
        compiler = WhereCompiler(layout, table, crm.lookups(entity), forbidden=hidden, restricted=not user.is_admin)
        conditions = [compiler.compile(item) for item in query.where]
        if extra is not None:
            conditions.append(extra)
        if level != "all":
            conditions.append(Condition(user.owns))
        if entity == "User":
            conditions.append(Condition(lambda row: _is_shown(user, row)))
        if "onlyMy" in query.bool_filters:
            conditions.append(compiler.compile({"type": "equals", "attribute": "assignedUserId", "value": user.id}))
        if query.text:
            conditions.append(self._text_filter(layout, query.text))
        order = self._order(layout, query)
        counted = count and not query.text
        page = find(table, conditions, order, offset=query.offset, limit=query.max_size, count=counted)
        rows = [crm.render.list_row(layout, row, query.select, order.attribute) for row in page.rows]
        if closed:
            rows = [crm.render.visible_to(user, layout, row) for row in rows]
        return {"total": page.total, "list": rows}

    def linked(self, user: Account, entity: str, record_id: str, link: str, query: ListQuery, *, count: bool) -> Answer:
        """Return the records a record is linked with over a has-many link."""
        foreign, column = self.children_of(entity, record_id, link, unknown="Link does not exist.")
        index = self._crm.tables[foreign].by_value[column]
        ids = index.get(record_id, {})
        extra = Condition(lambda row: row[column] == record_id, ids=ids)
        return self.records(user, foreign, query, count=count, extra=extra)

    def children_of(self, entity: str, record_id: str, link: str, unknown: str | None = None) -> tuple[str, str]:
        """Return the foreign type and its column for a has-many link; 404 if record or link is ``unknown``."""
        definition = self._crm.schema[entity].links.get(link)
        if record_id not in self._crm.tables[entity].rows:
            raise not_found()
        if definition is None or definition.kind != "hasMany" or definition.entity not in self._crm.tables:
            raise not_found(unknown or f"Entity {entity} does not have link {link}.")
        return definition.entity or "", f"{definition.foreign}Id"

    def _text_filter(self, layout: Layout, text: str) -> Condition:
        part = text.strip().casefold()
        lookups = self._crm.lookups(layout.entity.name)

        def matches(row: Row) -> bool:
            if part in str(row.get("name") or "").casefold():
                return True
            if not layout.has_contacts:
                return False
            return any(value.casefold().startswith(part) for value in lookups.contact_values(row, "emailAddress"))

        return Condition(matches)

    def _order(self, layout: Layout, query: ListQuery) -> Order:
        if query.order_by is None:
            named = {"User": "userName", "Team": "name", "ScheduledJob": "name"}.get(layout.entity.name)
            if named is not None:
                return Order(named, descending=False, key=lambda row: row[named])
            return Order("createdAt", descending=True, key=lambda row: row["createdAt"])
        attribute = query.order_by
        if attribute not in layout.searchable and f"{attribute}Id" not in layout.searchable:
            raise bad_request(f"Order by non-existing field '{attribute}'.")
        return Order(attribute, descending=query.descending, key=self._sort_key(layout, attribute))

    def _sort_key(self, layout: Layout, attribute: str) -> Callable[[Row], Any]:
        render, entity = self._crm.render, layout.entity.name
        if attribute in CONTACTS and layout.has_contacts:
            return lambda row: render.contact_attributes(entity, row["id"])[attribute]
        if attribute in layout.names:
            return lambda row: render.linked_name(layout, row, attribute)
        column = attribute if attribute in layout.searchable else f"{attribute}Id"
        return lambda row: row.get(column)


def _is_shown(user: Account, row: Row) -> bool:
    """Machines and people who left are shown to an admin only (9.3.9 recordings u02, u03)."""
    return user.is_admin or (bool(row["isActive"]) and row["type"] not in {"api", "system"})
