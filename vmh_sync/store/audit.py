"""The audit log: every applied change, conflict, refusal and task, with both values (sync-semantics.md 7)."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import and_, exists, insert, or_, select, update

from vmh_sync.store.errors import StaleRow
from vmh_sync.store.models import ChangeRow, ManualTaskRow
from vmh_sync.store.repository import Repository, chunks, columns_of, storable_text, table_of

ChangeKind = Literal["applied", "conflict", "refused", "ignored", "task", "undo", "created", "linked", "first_contact"]
Side = Literal["advoware", "espocrm", "google"]

_TABLE = table_of(ChangeRow)
_COLUMNS = columns_of(ChangeRow)
_LARGEST_BETNR = 2**63 - 1
_INSERT_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One row of the audit log. ``old``, ``new`` and ``losing_value`` are JSON values.

    ``at`` is when it happened (aware); None means when it is stored. ``undo_of`` and ``undone_by`` are ids of other
    rows. ``id`` is None until stored.
    """

    entity: str
    kind: ChangeKind
    reason: str = dataclasses.field(repr=False)
    espo_id: str | None = None
    betnr: int | None = None
    advoware_id: str | None = None
    field: str | None = None
    old: Any = dataclasses.field(default=None, repr=False)
    new: Any = dataclasses.field(default=None, repr=False)
    side_written: Side | None = None
    losing_value: Any = dataclasses.field(default=None, repr=False)
    losing_side: Side | None = None
    run_id: str | None = None
    undo_of: int | None = None
    undone_by: int | None = None
    at: datetime | None = None
    id: int | None = None


class Audit(Repository):
    """Appends to and reads the audit log."""

    def append(self, changes: Sequence[Change]) -> list[int]:
        """Store changes and return their ids in the same order."""
        now = self._now()
        rows = []
        for change in changes:
            values = dataclasses.asdict(change)
            del values["id"]
            rows.append(values | {"at": change.at or now, "reason": storable_text(change.reason)})
        statement = insert(_TABLE).returning(_TABLE.c.id, sort_by_parameter_order=True)
        return [
            row_id for chunk in chunks(rows, _INSERT_CHUNK) for row_id in self._connection.scalars(statement, chunk)
        ]

    def get(self, change_id: int) -> Change | None:
        """Return one change."""
        row = self._connection.execute(select(*_COLUMNS).where(ChangeRow.id == change_id)).one_or_none()
        return Change(**row._asdict()) if row is not None else None

    def for_record(self, record_id: str, limit: int | None = None) -> list[Change]:
        """Return the changes of a record, newest first. ``record_id`` is an EspoCRM id or a betnr in digits."""
        conditions = [ChangeRow.espo_id == record_id]
        if record_id.isascii() and record_id.isdigit() and int(record_id) <= _LARGEST_BETNR:
            conditions.append(ChangeRow.betnr == int(record_id))
        statement = select(*_COLUMNS).where(or_(*conditions)).order_by(ChangeRow.id.desc()).limit(limit)
        return [Change(**row._asdict()) for row in self._connection.execute(statement)]

    def mark_undone(self, change_id: int, undone_by: int) -> None:
        """Note which row undid a change. Raises StaleRow if it was undone before or does not exist."""
        statement = (
            update(_TABLE).where(_TABLE.c.id == change_id, _TABLE.c.undone_by.is_(None)).values(undone_by=undone_by)
        )
        if self._connection.execute(statement).rowcount == 0:
            raise StaleRow(f"change {change_id} was undone before or does not exist")

    def purge(self, before: datetime, limit: int | None = None) -> int:
        """Delete what is older than ``before`` (retention), at most ``limit`` rows. Returns the number deleted.

        Two kinds stay longer: everything about a record or party for which a task is still open, since a person may
        need it to decide; and a change whose undoing is not old enough itself, so that no undo stands there alone.
        """
        open_tasks = select(ManualTaskRow).where(ManualTaskRow.state != "closed").subquery()
        undo = _TABLE.alias("undo")
        condition = and_(
            _TABLE.c.at < before,
            or_(_TABLE.c.espo_id.is_(None), _TABLE.c.espo_id.not_in(select(open_tasks.c.espo_id))),
            or_(
                _TABLE.c.betnr.is_(None),
                _TABLE.c.betnr.not_in(select(open_tasks.c.betnr).where(open_tasks.c.betnr.is_not(None))),
            ),
            ~exists().where(undo.c.id == _TABLE.c.undone_by, undo.c.at >= before),
        )
        return self._delete(_TABLE, condition, limit)
