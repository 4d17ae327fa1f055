"""``vmh-sync sync ...``: one pass in the foreground, through the same Dagster job as everywhere."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import dagster as dg

from vmh_sync.commands.foreground_job import in_foreground
from vmh_sync.commands.instance import PROCESS_TAG, open_instance, own_process
from vmh_sync.commands.pass_progress import PassProgress
from vmh_sync.engine.opening import PassSettings, open_context
from vmh_sync.engine.pass_progress import listened
from vmh_sync.orchestration.resources import RESOURCES
from vmh_sync.orchestration.run_config import SILENT_CONSOLE, TRIGGER_TAG, SyncRunConfig, Trigger, console
from vmh_sync.orchestration.sync_job import EntityPipeline
from vmh_sync.services.valkey import ensure_redis
from vmh_sync.store import default_url, upgrade
from vmh_sync.sync.guards import GuardTripped
from vmh_sync.sync.outcome import PassSummary, RecordOutcome
from vmh_sync.systems.errors import ForeignSystemError

RECORDS_PER_RUN = 1000
"""A pass is cut into runs of this size, so that memory does not grow with the number of records."""


class PassFailed(Exception):
    """The pass itself failed; ``str`` says why, in German."""


@dataclass(frozen=True, slots=True)
class SyncTarget:
    """What can be synced from the command line: a job, and what it does with the records."""

    entity: str
    job: dg.JobDefinition
    pipeline: EntityPipeline


@dataclass(frozen=True, slots=True)
class SyncOrder:
    """What the person asked for: ids, or the name of a selection."""

    ids: Sequence[str]
    selection: str | None
    dry_run: bool = False
    show_values: bool = False
    allow_mass_change: bool = False


def run_sync(
    target: SyncTarget, order: SyncOrder, *, progress: PassProgress | None = None
) -> tuple[PassSummary, list[RecordOutcome]]:
    """Run one pass; returns its summary and, for a dry run, the outcomes with their plans.

    Raises :class:`PassFailed` when the pass itself failed, ``SettingsError`` for bad settings.
    """
    settings = PassSettings.read()
    prepare(settings)
    ids = list(order.ids) or asyncio.run(_select(settings, target, order.selection or "dirty"))
    summary, shown = PassSummary(), []
    with open_instance(settings.house) as instance:
        progress = progress or PassProgress(lambda _: None)
        progress.begin(len(ids))
        for chunk in _chunks(ids):
            with listened(progress.heard):
                outcomes = _run(instance, target, order, chunk)
            summary.add(outcomes)
            progress.chunk_done(len(chunk))
            if order.dry_run:
                shown += [outcome for outcome in outcomes if outcome.plans or outcome.different]
    return summary, shown


def prepare(settings: PassSettings) -> None:
    """Bring the house up: database schema and, if none is set, the embedded Valkey."""
    upgrade(settings.house.database_url or default_url(settings.house.home))
    ensure_redis(settings.house.home, settings.house.redis_url)


async def _select(settings: PassSettings, target: SyncTarget, selection: str) -> list[str]:
    try:
        async with open_context("selection", settings) as context:
            return await target.pipeline.select(context, selection)
    except ForeignSystemError as error:
        raise PassFailed(error.message_for_people) from error
    except GuardTripped as stop:
        raise PassFailed(str(stop)) from None


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), RECORDS_PER_RUN):
        yield ids[start : start + RECORDS_PER_RUN]


def _run(instance: dg.DagsterInstance, target: SyncTarget, order: SyncOrder, ids: Sequence[str]) -> list[RecordOutcome]:
    which = SyncRunConfig(
        ids=list(ids),
        dry_run=order.dry_run,
        show_values=order.show_values,
        allow_mass_change=order.allow_mass_change,
    )
    console.set(SILENT_CONSOLE)
    try:
        result = in_foreground(
            lambda: target.job.execute_in_process(
                run_config=which.model_dump(),
                instance=instance,
                tags={TRIGGER_TAG: str(Trigger.CLI), PROCESS_TAG: own_process()},
                resources=RESOURCES,
            )
        )
    except dg.Failure as failure:
        raise PassFailed(failure.description or "Der Lauf ist fehlgeschlagen.") from failure
    outcomes: list[RecordOutcome] = result.output_value()
    return outcomes
