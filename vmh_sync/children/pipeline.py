"""Makes the Dagster job of a kind of child records: fetch → map → diff → write over a batch."""

import time
from collections import Counter
from dataclasses import dataclass, field

import dagster as dg

from vmh_sync.children import batch as stages
from vmh_sync.children.batch import ChildBatch
from vmh_sync.children.part import ChildrenPart
from vmh_sync.children.selection import select
from vmh_sync.runtime.context import PassContext
from vmh_sync.runtime.passes import record_pass
from vmh_sync.runtime.queue import Chosen, acknowledge, choose, release
from vmh_sync.runtime.report import outcome_metadata, plan_markdown
from vmh_sync.runtime.request import ENTITY_TAG, QUIET_CONSOLE, TRIGGER_TAG, Which
from vmh_sync.runtime.resource import Workplace
from vmh_sync.sync.guards import GuardTripped
from vmh_sync.sync.outcome import RecordOutcome
from vmh_sync.systems.errors import ForeignSystemError


@dataclass(slots=True, repr=False)
class ChildWork:
    """A batch on its way through the ops, with what was asked for."""

    batch: ChildBatch
    which: Which
    chosen: Chosen
    started: float
    calls: Counter[str] = field(default_factory=Counter)


async def read_batch(opened: PassContext, part: ChildrenPart, which: Which) -> ChildWork:
    """Choose the records of a run and read them; raises ``dagster.Failure`` when that is impossible for all of them."""
    started = time.monotonic()
    chosen = Chosen([])
    try:
        chosen = await choose(
            opened,
            part.entity,
            which.ids,
            which.auswahl,
            select=lambda: select(opened, part.kind, which.auswahl),
            dry_run=which.dry_run,
        )
        batch = await stages.fetch(opened, part, chosen.ids, dry_run=which.dry_run)
    except ForeignSystemError as problem:
        await release(opened, chosen)
        raise dg.Failure(description=problem.message_for_people) from problem
    except GuardTripped as stop:
        raise dg.Failure(description=str(stop), allow_retries=False) from None
    return ChildWork(batch, which, chosen, started, Counter(opened.calls.by_system()))


async def write_batch(opened: PassContext, part: ChildrenPart, work: ChildWork) -> list[RecordOutcome]:
    """Carry the plans out, or only show them in a dry run."""
    if work.which.dry_run:
        return stages.dry_run(part, work.batch)
    try:
        outcomes = await stages.write(opened, part, work.batch, allow_mass_change=work.which.allow_mass_change)
    except GuardTripped as stop:
        await release(opened, work.chosen)
        raise dg.Failure(description=str(stop), allow_retries=False) from None
    await acknowledge(opened, work.chosen)
    return outcomes


def make_job(part: ChildrenPart, description: str) -> dg.JobDefinition:
    """Return the job ``sync_<entity>``; its writing op is called ``write_<entity>``."""
    entity = part.entity

    @dg.op(name=f"fetch_{entity}", description="Liest die Datensätze aus EspoCRM, Advoware und unserer Datenbank.")
    async def fetch(context: dg.OpExecutionContext, config: Which, workplace: Workplace) -> ChildWork:
        async with workplace.open(context.run_id) as opened:
            work = await read_batch(opened, part, config)
        context.log.info("%s: %d records to look at", entity, len(work.batch.ids))
        return work

    @dg.op(name=f"map_{entity}", description="Ordnet die Datensätze ihren Beteiligten und beide Seiten einander zu.")
    def map_children(work: ChildWork) -> ChildWork:
        return work

    @dg.op(name=f"diff_{entity}", description="Vergleicht mit dem zuletzt abgeglichenen Stand und plant.")
    def diff(context: dg.OpExecutionContext, work: ChildWork) -> ChildWork:
        stages.diff(part, work.batch)
        planned = sum(len(plan.detail) for plan in work.batch.plans.values())
        context.add_output_metadata({"planned": planned})
        return work

    @dg.op(name=f"write_{entity}", description="Schreibt den Plan auf beide Seiten und merkt sich den neuen Stand.")
    async def write(context: dg.OpExecutionContext, work: ChildWork, workplace: Workplace) -> list[RecordOutcome]:
        async with workplace.open(context.run_id) as opened:
            outcomes = await write_batch(opened, part, work)
            calls = dict(work.calls + Counter(opened.calls.by_system()))
            seconds = time.monotonic() - work.started
            if not work.which.dry_run:
                trigger = context.run.tags.get(TRIGGER_TAG, "person")
                await record_pass(opened, entity, trigger, outcomes, seconds=seconds, calls=calls)
        metadata = outcome_metadata(outcomes, seconds=seconds, calls=calls)
        if work.which.dry_run:
            metadata["plan"] = dg.MetadataValue.md(plan_markdown(outcomes, show_values=work.which.show_values))
        context.add_output_metadata(metadata)
        broken = next((outcome for outcome in outcomes if outcome.concerns_all), None)
        if broken is not None:
            raise dg.Failure(description=broken.error, metadata=metadata)
        return outcomes

    @dg.graph(name=entity, description=description)
    def children() -> list[RecordOutcome]:
        return write(diff(map_children(fetch())))  # type: ignore[no-any-return]

    @dg.config_mapping
    def which_records(config: Which) -> dg.RunConfig:
        return dg.RunConfig(ops={f"fetch_{entity}": config}, loggers=QUIET_CONSOLE)

    return children.to_job(
        name=f"sync_{entity}",
        config=which_records,
        executor_def=dg.in_process_executor,
        resource_defs={"io_manager": dg.mem_io_manager, "workplace": Workplace()},
        tags={ENTITY_TAG: entity},
    )
