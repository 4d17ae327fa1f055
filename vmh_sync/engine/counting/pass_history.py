"""Enters a finished run into our books, for the metrics, and tells how its entity stands then."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from vmh_sync.clock import Clock
from vmh_sync.engine.counting.entity_numbers import EntityNumbers, read_numbers
from vmh_sync.store import Store
from vmh_sync.store.history.metrics import PassSummary as PassRow
from vmh_sync.sync.reporting.outcome import PassSummary, RecordOutcome


class Booked(Protocol):
    """What is needed of a pass, whatever it is about."""

    @property
    def run_id(self) -> str:
        """Return Dagster's run id."""
        ...

    @property
    def clock(self) -> Clock:
        """Return the clock."""
        ...

    @property
    def store(self) -> Store:
        """Return our database."""
        ...


async def record_pass(
    context: Booked,
    entity: str,
    trigger: str,
    outcomes: Sequence[RecordOutcome],
    *,
    seconds: float,
    calls: dict[str, int],
) -> EntityNumbers:
    """Store counts and calls of a run; returns the numbers of its entity after it."""
    now = context.clock.now()
    summary = PassSummary().add(outcomes)
    row = PassRow(
        run_id=context.run_id,
        entity=entity,
        trigger=trigger,
        started_at=now - timedelta(seconds=seconds),
        finished_at=now,
        counts={str(result): count for result, count in summary.results.items()} | {"conflicts": summary.conflicts},
        calls=calls,
    )
    return await asyncio.to_thread(_store, context.store, row)


def _store(store: Store, row: PassRow) -> EntityNumbers:
    with store.transaction() as tx:
        tx.passes.record(row)
    with store.reading() as tx:
        return read_numbers(tx, row.entity, row.finished_at or row.started_at)
