"""``vmh-sync sync ...``: one pass in the foreground, through the same Dagster job as everywhere."""

import asyncio
from collections.abc import Iterator, Sequence

from vmh_sync.clock import SystemClock
from vmh_sync.commands.passes.foreground_marks import of_killed_commands
from vmh_sync.commands.passes.pass_progress import PassProgress
from vmh_sync.commands.passes.sync_order import PassFailed, SyncOrder
from vmh_sync.commands.passes.targets import SyncTarget
from vmh_sync.commands.screens.unreachable import explained
from vmh_sync.engine.counting.pass_progress import listened
from vmh_sync.engine.passes.approved_plan import save_plan
from vmh_sync.engine.passes.opening import PassSettings, open_context, open_database
from vmh_sync.services.valkey import ensure_redis
from vmh_sync.settings import VmhSettings, load
from vmh_sync.store import upgrade
from vmh_sync.sync.planning.guards import GuardTripped
from vmh_sync.sync.reporting.outcome import PassSummary, RecordOutcome
from vmh_sync.sync.reporting.plan_rows import plan_rows
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.espocrm.record_id import unusable_ids

RECORDS_PER_RUN = 1000
"""A pass is cut into runs of this size, so that memory does not grow with the number of records."""


def run_sync(
    target: SyncTarget, order: SyncOrder, *, progress: PassProgress | None = None
) -> tuple[PassSummary, list[RecordOutcome]]:
    """Run one pass; returns its summary and, for a dry run, the outcomes with their plans.

    Raises :class:`PassFailed` when the pass itself failed, ``SettingsError`` for bad settings.
    """
    if not order.plan and (refusal := unusable_ids(order.ids)) is not None:
        raise PassFailed(refusal)
    settings = PassSettings.read()
    prepare(settings)
    ids = list(order.ids) or asyncio.run(_select(settings, target, order.selection or "dirty"))
    progress = progress or PassProgress(lambda _: None)
    progress.begin(len(ids))
    summary, shown = PassSummary(), list[RecordOutcome]()
    if not ids and not of_killed_commands(settings.house.home):
        return summary, shown
    from vmh_sync.commands.passes.sync_runs import open_runs  # brings Dagster along, which takes longer than a look

    with open_runs(settings, target, order) as run:
        for chunk in _chunks(ids):
            with listened(progress.heard):
                outcomes = run(chunk)
            summary.add(outcomes)
            progress.chunk_done(len(chunk))
            if order.dry_run:
                shown += [outcome for outcome in outcomes if outcome.plans or outcome.different]
    return summary, shown


def prepare(settings: PassSettings) -> None:
    """Bring the house up: database schema and, if none is set, the embedded Valkey."""
    upgrade(settings.house.database)
    ensure_redis(settings.house.home, settings.house.redis_url)


async def _select(settings: PassSettings, target: SyncTarget, selection: str) -> list[str]:
    try:
        async with open_context("selection", settings) as context:
            return await target.pipeline.select(context, selection)
    except ForeignSystemError as error:
        raise PassFailed(explained(error)) from error
    except GuardTripped as stop:
        raise PassFailed(str(stop)) from None


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), RECORDS_PER_RUN):
        yield ids[start : start + RECORDS_PER_RUN]


def save_shown(entity: str, shown: Sequence[RecordOutcome]) -> str | None:
    """Store what a dry run has shown, to be applied exactly; returns the plan's id, None when nothing is to be done."""
    with open_database(load(VmhSettings)) as store:
        plans = [(outcome.id, outcome.plans) for outcome in shown]
        plan = save_plan(store, SystemClock(), entity, plans, plan_rows(shown, show_values=True), why="Probelauf")
    return plan.id if plan is not None else None
