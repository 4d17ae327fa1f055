"""Locked records of EspoCRM 10: what may still be changed, and who locks (specification, espocrm.md, last section)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from vmh_sync.sandbox.crm.errors import bad_request, forbidden, locked, locked_delete, not_found
from vmh_sync.sandbox.crm.fields.layout import Layout
from vmh_sync.sandbox.crm.fields.table import Row
from vmh_sync.sandbox.crm.people.accounts import Account

if TYPE_CHECKING:
    from vmh_sync.sandbox.crm.state import Crm

_FREE = {"modifiedAt", "modifiedBy", "isLocked", "streamUpdatedAt"}


def check_change(crm: "Crm", layout: Layout, row: Row, changed: Iterable[str]) -> None:
    """Raise the 409 for the first changed field of a locked record that is not ``notLockable``."""
    if not layout.entity.lockable or not row.get("isLocked"):
        return
    fields = {layout.field_of(attribute) for attribute in changed}
    for name, definition in layout.entity.fields.items():
        free = name in _FREE or definition.get("readOnly") or definition.get("notLockable")
        if name in fields and not free:
            raise locked(crm.labels.get((layout.entity.name, name), name))


def check_delete(layout: Layout, row: Row) -> None:
    """Raise the 409 for the delete of a locked record."""
    if layout.entity.lockable and row.get("isLocked"):
        raise locked_delete()


def act(crm: "Crm", user: Account, body: dict[str, Any]) -> Row:
    """``POST Action`` with ``lock`` or ``unlock``; the record in full."""
    entity, action = str(body.get("entityType") or ""), body.get("action")
    if entity not in crm.tables or action not in {"lock", "unlock"}:
        raise bad_request("")
    if not crm.schema[entity].lockable or not (user.is_admin or user.permission("lockPermission") == "yes"):
        raise forbidden("Not enabled.")
    row = crm.tables[entity].rows.get(str(body.get("id")))
    if row is None:
        raise not_found("")
    set_locked(crm, entity, row["id"], locked=action == "lock")
    return crm.render.full(crm.layouts[entity], row)


def set_locked(crm: "Crm", entity: str, record_id: str, *, locked: bool) -> None:
    """Lock or unlock a record."""
    crm.tables[entity].update(crm.tables[entity].rows[record_id], {"isLocked": locked, "modifiedAt": crm.now()})
