"""The runs of a pass in the foreground: the same Dagster job as everywhere, in this process."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import dagster as dg

from vmh_sync.commands.passes.instance import open_for_runs, run_job
from vmh_sync.commands.passes.sync_order import PassFailed, SyncOrder
from vmh_sync.commands.passes.targets import SyncTarget
from vmh_sync.commands.screens.unreachable import explained_run
from vmh_sync.engine.passes.opening import PassSettings
from vmh_sync.orchestration.jobs.resources import RESOURCES
from vmh_sync.orchestration.jobs.sync_job import HandedOutcomes
from vmh_sync.orchestration.run_config import SyncRunConfig
from vmh_sync.orchestration.run_tags import SILENT_CONSOLE, console
from vmh_sync.sync.reporting.outcome import RecordOutcome


@contextmanager
def open_runs(
    settings: PassSettings, target: SyncTarget, order: SyncOrder
) -> Iterator[Callable[[Sequence[str]], list[RecordOutcome]]]:
    """Open Dagster's instance and yield what runs the job over some ids; it raises :class:`PassFailed`."""
    job = target.job()
    with open_for_runs(settings.house) as instance:
        yield lambda ids: _run(instance, job, order, ids)


def _run(
    instance: dg.DagsterInstance, job: dg.JobDefinition, order: SyncOrder, ids: Sequence[str]
) -> list[RecordOutcome]:
    config = SyncRunConfig(
        ids=list(ids),
        dry_run=order.dry_run,
        show_values=order.show_values,
        allow_mass_change=order.allow_mass_change,
        plan=order.plan,
    )
    console.set(SILENT_CONSOLE)
    try:
        # What the person did not choose is the job's own default.
        result = run_job(instance, job, config.model_dump(exclude_unset=True), RESOURCES)
    except dg.Failure as failure:
        raise PassFailed(explained_run(failure, failure.description)) from failure
    outcomes: HandedOutcomes = result.output_value()
    return outcomes.take()
