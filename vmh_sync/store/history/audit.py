"""The audit log: every applied change, conflict, refusal and task, with both values (sync-semantics.md 7)."""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, exists, func, insert, or_, select, update

from vmh_sync.store.database.prepared import Prepared
from vmh_sync.store.errors import StaleRow
from vmh_sync.store.models import ChangeRow, ManualTaskRow
from vmh_sync.store.repository import CHUNK, Repository, chunks, columns_of, storable_text, table_of
from vmh_sync.whole_number import whole_number

ChangeKind = Literal[
    "applied",
    "conflict",
    "refused",
    "ignored",
    "task",
    "undo",
    "created",
    "linked",
    "first_contact",
    "approved",
    "rejected",
    "erased",
]
Side = Literal["advoware", "espocrm", "google"]

_TABLE = table_of(ChangeRow)
_COLUMNS = columns_of(ChangeRow)
_NAMES = [column.name for column in _COLUMNS if column.name != "id"]
_WRITES: tuple[ChangeKind, ...] = ("applied", "created", "undo")
"""Kinds of changes after which something new stands on a side; a conflict has a row of its own beside them."""
_INSERT_CHUNK = 500
# Built once: to build a statement costs more than to carry it out.
_INSERT = Prepared(insert(_TABLE))
_INSERT_NUMBERED = insert(_TABLE).returning(_TABLE.c.id, sort_by_parameter_order=True)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """Which rows of the audit log; what is None or empty does not restrict.

    ``espo_ids``, ``betnr`` and ``under`` together mean: of one of them. ``under`` are all records that are named
    ``<under>/…``, as appointments are by their Kürzel, in any case. ``since`` and ``until`` are aware; ``until``
    is not part of the span. ``field`` is a name, or the channel before the slash (``email`` finds ``email/4711``).
    """

    espo_ids: tuple[str, ...] = ()
    betnr: int | None = None
    under: str | None = None
    entity: str | None = None
    advoware_id: str | None = None
    field: str | None = None
    run_id: str | None = None
    kinds: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = None


class Audit(Repository):
    """Appends to and reads the audit log."""

    def append(self, changes: Sequence[Change]) -> None:
        """Store changes in their order, all in one statement."""
        for chunk in chunks(self._rows(changes), _INSERT_CHUNK):
            _INSERT.each(self._connection, chunk)

    def append_numbered(self, changes: Sequence[Change]) -> list[int]:
        """Store changes and return their ids in the same order; on SQLite that is a statement each."""
        rows = chunks(self._rows(changes), _INSERT_CHUNK)
        return [row_id for chunk in rows for row_id in self._connection.scalars(_INSERT_NUMBERED, chunk)]

    def _rows(self, changes: Sequence[Change]) -> Iterator[dict[str, Any]]:
        now = self._now()
        for change in changes:
            values = {name: getattr(change, name) for name in _NAMES}
            yield values | {"at": change.at or now, "reason": storable_text(change.reason)}

    def get(self, change_id: int) -> Change | None:
        """Return one change."""
        row = self._connection.execute(select(*_COLUMNS).where(ChangeRow.id == change_id)).one_or_none()
        return Change(**row._asdict()) if row is not None else None

    def for_record(self, record_id: str, limit: int | None = None) -> list[Change]:
        """Return the changes of a record, newest first. ``record_id`` is an EspoCRM id or a betnr in digits."""
        conditions = [ChangeRow.espo_id == record_id]
        betnr = whole_number(record_id)
        if betnr is not None:
            conditions.append(ChangeRow.betnr == betnr)
        statement = select(*_COLUMNS).where(or_(*conditions)).order_by(ChangeRow.id.desc()).limit(limit)
        return [Change(**row._asdict()) for row in self._connection.execute(statement)]

    def find(self, query: AuditQuery) -> list[Change]:
        """Return the changes that a query means, newest first."""
        statement = select(*_COLUMNS).where(*_conditions(query)).order_by(ChangeRow.id.desc()).limit(query.limit)
        return [Change(**row._asdict()) for row in self._connection.execute(statement)]

    def written_since(self, since: datetime) -> dict[str, int]:
        """Return how many values were written since a moment, by side; sides without any are left out."""
        statement = (
            select(ChangeRow.side_written, func.count())
            .where(ChangeRow.at >= since, ChangeRow.side_written.is_not(None), ChangeRow.kind.in_(_WRITES))
            .group_by(ChangeRow.side_written)
        )
        return {str(side): count for side, count in self._connection.execute(statement)}

    def busiest(self, entity: str, since: datetime, limit: int) -> list[str]:
        """Return the EspoCRM ids of the records with the most changes since a moment, those first."""
        statement = (
            select(ChangeRow.espo_id)
            .where(ChangeRow.at >= since, ChangeRow.entity == entity, ChangeRow.espo_id.is_not(None))
            .group_by(ChangeRow.espo_id)
            .order_by(func.count().desc(), ChangeRow.espo_id)
            .limit(limit)
        )
        return [str(espo_id) for espo_id in self._connection.scalars(statement)]

    def changed_in(self, entity: str, since: datetime, until: datetime | None) -> list[str]:
        """Return the EspoCRM ids of the records of an entity that were changed in a span, each once."""
        span = [ChangeRow.entity == entity, ChangeRow.at >= since, ChangeRow.espo_id.is_not(None)]
        span += [ChangeRow.at < until] if until is not None else []
        found = self._connection.scalars(select(ChangeRow.espo_id).where(*span).distinct().order_by(ChangeRow.espo_id))
        return [espo_id for espo_id in found if espo_id is not None]

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


def _conditions(query: AuditQuery) -> list[ColumnElement[bool]]:
    whose = _whose(query)
    found = [or_(*whose)] if whose else []
    if query.advoware_id is not None:
        found.append(ChangeRow.advoware_id == query.advoware_id)
    if query.entity is not None:
        found.append(ChangeRow.entity == query.entity)
    if query.field is not None:
        found.append(
            or_(ChangeRow.field == query.field, ChangeRow.field.startswith(f"{query.field}/", autoescape=True))
        )
    if query.run_id is not None:
        found.append(ChangeRow.run_id.startswith(query.run_id, autoescape=True))
    if query.kinds:
        found.append(ChangeRow.kind.in_(query.kinds))
    if query.since is not None:
        found.append(ChangeRow.at >= query.since)
    if query.until is not None:
        found.append(ChangeRow.at < query.until)
    return found


def _whose(query: AuditQuery) -> list[ColumnElement[bool]]:
    whose: list[ColumnElement[bool]] = []
    if query.espo_ids:
        whose.append(ChangeRow.espo_id.in_(query.espo_ids[:CHUNK]))
    if query.betnr is not None:
        whose.append(ChangeRow.betnr == query.betnr)
    if query.under is not None:
        whose.append(ChangeRow.espo_id.istartswith(f"{query.under}/", autoescape=True))
    return whose
