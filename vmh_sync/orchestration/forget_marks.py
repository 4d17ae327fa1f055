"""Takes out of Dagster what names a record outside of its runs (those: :mod:`vmh_sync.orchestration.delete_run`).

That are the keys of repairs and their backfills, ticks of sensors, results of asset checks, and the last
materialisation of a repair, of which Dagster keeps a copy at the asset.
"""

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import dagster as dg
from sqlalchemy import ColumnElement, Connection, Table, delete, func, or_, select, update

from vmh_sync.orchestration.dagster_internals.core import BulkActionsFilter, BulkActionStatus
from vmh_sync.orchestration.dagster_internals.tables import (
    AssetCheckExecutionsTable,
    AssetKeyTable,
    BackfillTagsTable,
    BulkActionsTable,
    DynamicPartitionsTable,
    JobTickTable,
    SqlEventLogStorage,
    SqlRunStorage,
    SqlScheduleStorage,
)

_WORKING = (BulkActionStatus.REQUESTED, BulkActionStatus.CANCELING, BulkActionStatus.FAILING)


@dataclass(frozen=True, slots=True)
class _Place:
    """A table, a transaction on it, the column that may name a record, and which rows are in use and stay."""

    opened: AbstractContextManager[Connection]
    table: Table
    column: str
    free: ColumnElement[bool] | None = None

    def named(self, marks: Collection[str]) -> ColumnElement[bool]:
        text = self.table.c[self.column]
        named = or_(*(text.contains(mark, autoescape=True) for mark in sorted(marks)))
        return named if self.free is None else named & self.free


def marks_in_dagster(instance: dg.DagsterInstance, marks: Collection[str]) -> int:
    """Return how many rows name one of the marks and can be taken out now."""
    found = 0
    for place in _places(instance) if marks else ():
        with place.opened as connection:
            statement = select(func.count()).select_from(place.table).where(place.named(marks))
            found += int(connection.execute(statement).scalar_one())
    return found


def forget_marks(instance: dg.DagsterInstance, marks: Collection[str]) -> None:
    """Take them out. Safe to repeat; what is still being worked on stays until it has ended."""
    for place in _places(instance) if marks else ():
        with place.opened as connection:
            if place.table is AssetKeyTable:
                connection.execute(update(place.table).where(place.named(marks)).values({place.column: None}))
            else:
                connection.execute(delete(place.table).where(place.named(marks)))


def _places(instance: dg.DagsterInstance) -> Iterator[_Place]:
    events, runs, ticks = instance.event_log_storage, instance.run_storage, instance.schedule_storage
    if isinstance(events, SqlEventLogStorage):
        yield _Place(events.index_connection(), AssetKeyTable, "last_materialization")
        yield _Place(events.index_connection(), AssetCheckExecutionsTable, "evaluation_event")
        # A backfill fails when one of its keys is gone; the sensor takes the key away after it.
        if not instance.get_backfills(filters=BulkActionsFilter(statuses=list(_WORKING)), limit=1):
            yield _Place(events.index_connection(), DynamicPartitionsTable, "partition")
    if isinstance(runs, SqlRunStorage):
        ended = BulkActionsTable.c.status.not_in([status.value for status in _WORKING])
        yield _Place(runs.connect(), BulkActionsTable, "body", ended)
        yield _Place(runs.connect(), BackfillTagsTable, "value")
    if isinstance(ticks, SqlScheduleStorage):
        yield _Place(ticks.connect(), JobTickTable, "tick_body", JobTickTable.c.status != "STARTED")
