"""Enters a finished run into our books, for the metrics."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from vmh_sync.runtime.context import PassContext
from vmh_sync.store.metrics import PassSummary as PassRow
from vmh_sync.sync.outcome import PassSummary, RecordOutcome


async def record_pass(
    context: PassContext,
    entity: str,
    trigger: str,
    outcomes: Sequence[RecordOutcome],
    *,
    seconds: float,
    calls: dict[str, int],
) -> None:
    """Store counts and calls of a run."""
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
    await asyncio.to_thread(_store, context, row)


def _store(context: PassContext, row: PassRow) -> None:
    with context.store.transaction() as tx:
        tx.passes.record(row)
