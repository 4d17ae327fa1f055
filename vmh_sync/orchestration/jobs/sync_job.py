"""Makes the Dagster job of an entity: fetch → map → diff → write over a batch of its records.

Ops pass the batch on in memory: personal data is never written to disk (design.md 2). A run that is executed again
starts from ``fetch``. One record's failure never fails the run; a fault that concerns all of them does.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import dagster as dg

from vmh_sync.engine.counting.pass_history import record_pass
from vmh_sync.engine.passes.approved_plan import STOPPED, Approval, NoPlan, PlanMoved, approved_plan, save_plan
from vmh_sync.engine.passes.entity_pipeline import EntityPipeline, UnknownSelection
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.selecting.selection import Chosen, acknowledge, choose, put_off
from vmh_sync.engine.selecting.span import selection_name
from vmh_sync.entities import job_of
from vmh_sync.orchestration.jobs.checks import failed_in_a_pass, numbers_of_part, part_events
from vmh_sync.orchestration.jobs.entity_asset import PassFacts, pass_event
from vmh_sync.orchestration.jobs.giving_way import give_way
from vmh_sync.orchestration.jobs.handed_on import HandedOn
from vmh_sync.orchestration.jobs.redis_failure import require_our_redis
from vmh_sync.orchestration.jobs.resources import SyncResources
from vmh_sync.orchestration.jobs.run_report import (
    changes_metadata,
    outcome_metadata,
    plan_metadata,
    rang_text,
    warn,
)
from vmh_sync.orchestration.jobs.sentences import Stopped
from vmh_sync.orchestration.run_config import SELECTIONS, SyncRunConfig, launchpad_schema
from vmh_sync.orchestration.run_tags import (
    AGAIN_FROM_START,
    BULK_TAG,
    ENTITY_TAG,
    PERSONS,
    TRIGGER_TAG,
    Trigger,
    console,
)
from vmh_sync.store.history.audit import AuditQuery, Change
from vmh_sync.sync.planning.guards import GuardTripped
from vmh_sync.sync.planning.plan_print import prints_of
from vmh_sync.sync.reporting.outcome import PassSummary, RecordOutcome, Result
from vmh_sync.sync.reporting.plan_rows import plan_rows
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.espocrm.record_id import unusable_ids

MOST_CHANGES = 1000
CLOCK_SLACK_SECONDS = 60.0
"""How much the clock may be set back during a run without hiding its first changes."""

LONGEST_SECONDS = 4 * 3600
"""How long a run may last that takes all of a large selection, since its entity has no inbox for the rest."""


@dataclass(frozen=True, slots=True)
class Descriptions:
    """What the Dagster UI says about a job and its four ops (German)."""

    job: str
    fetch: str
    map: str
    diff: str
    write: str


@dataclass(slots=True, repr=False)
class SyncBatch:
    """A batch on its way through the ops, with what was asked for."""

    batch: Any
    config: SyncRunConfig
    chosen: Chosen
    started: float


class HandedBatch(HandedOn[SyncBatch]):
    """A batch between two ops."""


class HandedOutcomes(HandedOn[list[RecordOutcome]]):
    """What became of the records, for whoever runs the job."""


async def read_batch(
    opened: PassContext,
    pipeline: EntityPipeline[Any],
    config: SyncRunConfig,
    *,
    queued: bool = True,
    named: bool = False,
) -> SyncBatch:
    """Choose the records of a run and read them; raises ``dagster.Failure`` when that is impossible for all of them.

    ``queued``: the entity has an inbox; without one, a run takes all of its selection and claims nothing.
    ``named``: a person named the ids; others come from a system or our database, where an odd one fails alone.
    """
    started = time.monotonic()
    chosen = Chosen([])
    selection = selection_name(config.selection, config.since, config.until)
    if named and (refusal := unusable_ids(config.ids)) is not None:
        raise Stopped(refusal)
    if not config.dry_run:
        await require_our_redis(opened.leases)
    try:
        chosen = await choose(
            opened,
            pipeline.entity,
            config.ids,
            selection,
            select=lambda: pipeline.select(opened, selection),
            dry_run=config.dry_run or not queued,
        )
        batch = await pipeline.fetch(opened, chosen.ids, dry_run=config.dry_run)
    except ForeignSystemError as problem:
        await put_off(opened, chosen)
        raise Stopped(problem.message_for_people, allow_retries=True) from problem
    except (GuardTripped, UnknownSelection) as stop:
        raise Stopped(str(stop)) from None
    return SyncBatch(batch, config, chosen, started)


async def write_batch(opened: PassContext, pipeline: EntityPipeline[Any], work: SyncBatch) -> list[RecordOutcome]:
    """Carry the plans out, or only show them in a dry run. Raises ``dagster.Failure`` when a guard stops the run."""
    if work.config.dry_run:
        return pipeline.dry_run(work.batch)
    try:
        outcomes = await _write(opened, pipeline, work)
    except GuardTripped as stop:
        await put_off(opened, work.chosen)
        saved = await asyncio.to_thread(_save_stopped, opened, pipeline, work)
        raise Stopped(f"{stop} {saved}" if saved else str(stop)) from None
    except NoPlan as problem:
        raise Stopped(str(problem)) from None
    if any(outcome.concerns_all for outcome in outcomes):
        await put_off(opened, work.chosen)
    else:
        await acknowledge(opened, work.chosen, {outcome.id for outcome in outcomes if outcome.later})
    return outcomes


async def _write(opened: PassContext, pipeline: EntityPipeline[Any], work: SyncBatch) -> list[RecordOutcome]:
    """Write as the guards allow, or exactly what the plan says that a person approved."""
    if not work.config.plan:
        return await pipeline.write(opened, work.batch, allow_mass_change=work.config.allow_mass_change)
    plan = await asyncio.to_thread(approved_plan, opened.store, opened.clock, work.config.plan)
    opened.approval = Approval(plan.records)
    now = {outcome.id: outcome for outcome in pipeline.dry_run(work.batch)}
    moved = [one for one in now if prints_of(now[one].plans) != plan.records.get(one, frozenset())]
    if moved:
        work.batch = await pipeline.fetch(opened, [one for one in now if one not in moved], dry_run=False)
        pipeline.map_fields(work.batch)
        pipeline.diff(work.batch)
    written = await pipeline.write(opened, work.batch, allow_mass_change=True) if len(moved) < len(now) else []
    left = PlanMoved()
    return [
        *written,
        *(
            RecordOutcome(one, Result.FAILED, error=str(left), error_class="PlanMoved", retryable=False)
            for one in moved
        ),
    ]


def _save_stopped(opened: PassContext, pipeline: EntityPipeline[Any], work: SyncBatch) -> str | None:
    """Store what a guard stopped, so that a person looks at it and approves exactly that; returns what to do."""
    outcomes = pipeline.dry_run(work.batch)
    plan = save_plan(
        opened.store,
        opened.clock,
        pipeline.entity,
        [(outcome.id, outcome.plans) for outcome in outcomes],
        plan_rows(outcomes, show_values=True),
        why=STOPPED,
    )
    if plan is None:
        return None
    return f"Ansehen: vmh-sync plan show {plan.id}. Genau das freigeben: vmh-sync plan apply {plan.id}."


async def sync_ids(opened: PassContext, pipeline: EntityPipeline[Any], ids: Sequence[str]) -> list[RecordOutcome]:
    """Sync some records by their EspoCRM ids, all steps in one go. Raises ``dagster.Failure`` like the job."""
    work = await read_batch(opened, pipeline, SyncRunConfig(ids=list(ids)))
    pipeline.map_fields(work.batch)
    pipeline.diff(work.batch)
    return await write_batch(opened, pipeline, work)


def make_sync_job(
    pipeline: EntityPipeline[Any],
    descriptions: Descriptions,
    *,
    suffix: str = "",
    selections: Mapping[str, str] = SELECTIONS,
) -> dg.JobDefinition:
    """Return the job ``sync_<entity>``; ``suffix`` ends the names of its ops, which are unique among all jobs.

    ``selections``: those that the launchpad offers, the default first; without ``pending`` there is no inbox.
    """
    entity, queued = pipeline.entity, "pending" in selections
    fetch = _fetch_op(pipeline, f"fetch{suffix}", descriptions.fetch, queued=queued)
    write = _write_op(pipeline, f"write{suffix}", descriptions.write)

    @dg.op(name=f"map{suffix}", description=descriptions.map)
    def map_fields(handed: HandedBatch) -> HandedBatch:
        work = handed.take()
        pipeline.map_fields(work.batch)
        return HandedBatch(work)

    @dg.op(name=f"diff{suffix}", description=descriptions.diff)
    def diff(context: dg.OpExecutionContext, handed: HandedBatch) -> HandedBatch:
        work = handed.take()
        context.add_output_metadata({"geplant": pipeline.diff(work.batch)})
        return HandedBatch(work)

    @dg.graph(name=entity, description=descriptions.job)
    def graph() -> HandedOutcomes:
        return write(diff(map_fields(fetch())))  # type: ignore[no-any-return]

    def with_records(asked: dict[str, Any]) -> dict[str, Any]:
        """Let the launchpad ask for the records directly, without naming ops."""
        return {"ops": {f"fetch{suffix}": {"config": asked}}, "loggers": console.get()}

    longest = {} if queued else {"dagster/max_runtime": str(LONGEST_SECONDS)}
    return graph.to_job(
        name=job_of(entity),
        config=dg.ConfigMapping(config_schema=launchpad_schema(selections), config_fn=with_records),
        executor_def=dg.in_process_executor,
        tags={ENTITY_TAG: entity, **AGAIN_FROM_START, **longest},
    )


def _fetch_op(pipeline: EntityPipeline[Any], name: str, description: str, *, queued: bool) -> dg.OpDefinition:
    @dg.op(name=name, description=description)
    async def fetch(
        context: dg.OpExecutionContext, config: SyncRunConfig, sync_resources: SyncResources
    ) -> HandedBatch:
        if BULK_TAG in context.run.tags:
            give_way(context.instance)
        async with sync_resources.open(context.run_id) as opened:
            opened.by_person = _trigger(context) in PERSONS
            work = await read_batch(opened, pipeline, config, queued=queued, named=_trigger(context) != Trigger.CLI)
        context.log.info("%s: %d anzusehen", pipeline.entity, pipeline.size(work.batch))
        if work.chosen.rang:
            context.add_output_metadata({"geweckt von": rang_text(work.chosen.rang)})
        return HandedBatch(work)

    return fetch


def _write_op(pipeline: EntityPipeline[Any], name: str, description: str) -> dg.OpDefinition:
    entity = pipeline.entity

    @dg.op(name=name, description=description)
    async def write(
        context: dg.OpExecutionContext, handed: HandedBatch, sync_resources: SyncResources
    ) -> HandedOutcomes:
        work = handed.take()
        async with sync_resources.open(context.run_id) as opened:
            opened.by_person = _trigger(context) in PERSONS
            outcomes = await write_batch(opened, pipeline, work)
            calls = opened.calls.by_system()
            seconds = time.monotonic() - work.started
            parts: Sequence[dg.AssetObservation] = ()
            standing: Mapping[str, float]
            if work.config.dry_run:
                changes, facts, standing = [], None, {}
            else:
                standing = await asyncio.to_thread(numbers_of_part, opened.store, entity)
                facts = await _entered(context, opened, entity, outcomes, seconds, calls)
                parts = await asyncio.to_thread(part_events, opened.store, entity)
                changes = await changes_of(opened, outcomes, seconds)
        _tell(context, work.config, entity, outcomes, seconds, calls, changes)
        _report(context, facts, standing, parts)
        return HandedOutcomes(outcomes)

    return write


def _trigger(context: dg.OpExecutionContext) -> str:
    return str(context.run.tags.get(TRIGGER_TAG, Trigger.PERSON))


async def _entered(
    context: dg.OpExecutionContext,
    opened: PassContext,
    entity: str,
    outcomes: Sequence[RecordOutcome],
    seconds: float,
    calls: dict[str, int],
) -> PassFacts:
    """Enter the pass into our books; returns what Dagster shows of it."""
    trigger = _trigger(context)
    numbers = await record_pass(opened, entity, trigger, outcomes, seconds=seconds, calls=calls)
    return PassFacts(entity, trigger, outcomes, numbers, opened.clock.now(), seconds, calls)


def _report(
    context: dg.OpExecutionContext,
    facts: PassFacts | None,
    standing: Mapping[str, float],
    parts: Sequence[dg.AssetObservation],
) -> None:
    """Report a pass about its entity, and at once that it left failed records; a dry run reports nothing."""
    if facts is None:
        return
    for event in (pass_event(facts, standing), *parts):
        context.log_event(event)
    if facts.failed:
        context.log_event(failed_in_a_pass(facts.entity, max(facts.numbers.failed, facts.failed)))  # type: ignore[arg-type]  # taken too


async def changes_of(opened: PassContext, outcomes: Sequence[RecordOutcome], seconds: float) -> list[Change]:
    """Return what the run changed so far, as our audit log says; nobody is asked when nothing was done."""
    if all(outcome.result is Result.UNCHANGED and not outcome.conflicts for outcome in outcomes):
        return []
    since = opened.clock.now() - timedelta(seconds=seconds + CLOCK_SLACK_SECONDS)
    return await opened.store.read(
        lambda tx: tx.audit.find(AuditQuery(run_id=opened.run_id, since=since, limit=MOST_CHANGES))
    )


def _tell(
    context: dg.OpExecutionContext,
    config: SyncRunConfig,
    entity: str,
    outcomes: list[RecordOutcome],
    seconds: float,
    calls: dict[str, int],
    changes: Sequence[Change],
) -> None:
    """Show counts and outcomes in the run; a fault that concerns all records fails it (``dagster.Failure``)."""
    metadata = outcome_metadata(outcomes, seconds=seconds, calls=calls, entity=entity)
    if config.dry_run:
        metadata = plan_metadata(outcomes, show_values=config.show_values) | metadata
    else:
        metadata |= changes_metadata(changes, show_values=config.show_values)
    context.add_output_metadata(metadata)
    broken = next((outcome for outcome in outcomes if outcome.concerns_all), None)
    if broken is not None:
        raise Stopped(broken.error or "Der Lauf ist fehlgeschlagen.", metadata=metadata, allow_retries=True)
    warn(context, PassSummary().add(outcomes))
