"""Filling a simulated EspoCRM with given records, quickly and without side effects."""

from typing import TYPE_CHECKING, Any

from vmh_sync.sandbox.crm.fields.contact_rows import ContactBook, ContactItem
from vmh_sync.sandbox.crm.fields.layout import SEARCH_KEY, Layout
from vmh_sync.sandbox.crm.fields.table import Row
from vmh_sync.sandbox.crm.fields.variation import fitted

if TYPE_CHECKING:
    from vmh_sync.sandbox.crm.state import Crm


def seed_records(crm: "Crm", entity: str, records: list[dict[str, Any]]) -> list[str]:
    """Insert records of one type as given and return their ids; what is missing gets its default.

    ``createdAt``/``modifiedAt`` default to now, ``id`` to a new one. ``emailAddressData``/``phoneNumberData`` (or the
    single values) become shared rows. Raises ``ValueError`` for an unknown type or an id that exists.
    """
    if entity not in crm.tables:
        raise ValueError(f"Unknown entity type {entity!r}")
    return [_seed(crm, entity, record) for record in records]


def _seed(crm: "Crm", entity: str, record: dict[str, Any]) -> str:
    layout, table = crm.layouts[entity], crm.tables[entity]
    now = crm.now()
    row: Row = layout.empty | {name: value or None for name, value in layout.defaults.items() if value == ""}
    row |= {name: value for name, value in layout.defaults.items() if value != ""}
    row |= {"createdAt": now, "createdById": crm.admin.id}
    row |= {
        name: value if name == "id" else _fitted(layout, name, value)
        for name, value in record.items()
        if name in layout.empty
    }
    row["id"] = row["id"] or crm.ids.new()
    row["modifiedAt"] = row["modifiedAt"] or row["createdAt"]
    if row["id"] in table.rows or row["id"] in table.deleted:
        raise ValueError(f"Record {row['id']} exists")
    if layout.is_person:
        parts = (row.get("firstName"), row.get("middleName"), row.get("lastName"))
        row["name"] = " ".join(part for part in parts if part) or None
        row[SEARCH_KEY] = (row["name"] or "").casefold()
    if layout.entity.stream:
        row["streamUpdatedAt"] = row["streamUpdatedAt"] or row["createdAt"]
    if layout.entity.optimistic and "versionNumber" not in record:
        row["versionNumber"] = 1
    deleted = bool(row["deleted"])
    row["deleted"] = False
    table.insert(row)
    if layout.has_contacts:
        for book in (crm.emails, crm.phones):
            _seed_contacts(book, (entity, row["id"]), record)
    if deleted:
        table.remove(row["id"])
    return str(row["id"])


def _fitted(layout: Layout, name: str, value: Any) -> Any:
    attribute = layout.stored.get(name)
    return value if attribute is None else fitted(attribute, value)


def _seed_contacts(book: ContactBook, owner: tuple[str, str], record: dict[str, Any]) -> None:
    entries = record.get(f"{book.attribute}Data")
    if entries is None:
        value = record.get(book.attribute)
        entries = [{book.attribute: value, "primary": True}] if value else []
    default = "Mobile" if book.kind == "phone" else None
    items = [
        ContactItem(
            value=entry[book.attribute],
            primary=bool(entry.get("primary")),
            type=entry.get("type") or default,
            opt_out=bool(entry.get("optOut")),
            invalid=bool(entry.get("invalid")),
        )
        for entry in entries
    ]
    if items:
        book.replace(owner, items)
