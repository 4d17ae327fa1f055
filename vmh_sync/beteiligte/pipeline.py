"""The Dagster job for parties: fetch → map → diff → write over a batch.

Ops pass the batch on in memory: personal data is never written to disk (design.md 2). A run that is executed again
starts from ``fetch``. One record's failure never fails the run; a fault that concerns all of them does.
"""

import time
from collections import Counter
from dataclasses import dataclass, field

import dagster as dg

from vmh_sync.beteiligte import batch as stages
from vmh_sync.beteiligte.batch import Batch
from vmh_sync.beteiligte.composition import PARTS
from vmh_sync.beteiligte.party import ENTITY
from vmh_sync.beteiligte.selection import Selection, select
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
class Work:
    """A batch on its way through the ops, with what was asked for."""

    batch: Batch
    which: Which
    chosen: Chosen
    started: float
    calls: Counter[str] = field(default_factory=Counter)


async def read_batch(opened: PassContext, which: Which) -> Work:
    """Choose the records of a run and read them; raises ``dagster.Failure`` when that is impossible for all of them."""
    started = time.monotonic()
    chosen = Chosen([])
    try:
        chosen = await choose(
            opened,
            ENTITY,
            which.ids,
            which.auswahl,
            select=lambda: select(opened, _selection(which.auswahl)),
            dry_run=which.dry_run,
        )
        batch = await stages.fetch(opened, PARTS, chosen.ids)
    except ForeignSystemError as problem:
        await release(opened, chosen)
        raise dg.Failure(description=problem.message_for_people) from problem
    except GuardTripped as stop:
        raise dg.Failure(description=str(stop), allow_retries=False) from None
    return Work(batch, which, chosen, started, Counter(opened.calls.by_system()))


def _selection(name: str) -> Selection:
    try:
        return Selection(name)
    except ValueError:
        known = ", ".join(Selection)
        raise dg.Failure(
            description=f"Die Auswahl „{name}“ gibt es nicht; möglich sind: {known}.", allow_retries=False
        ) from None


async def write_batch(opened: PassContext, work: Work) -> list[RecordOutcome]:
    """Carry the plans out, or only show them in a dry run."""
    if work.which.dry_run:
        return stages.dry_run(work.batch)
    try:
        outcomes = await stages.write(opened, PARTS, work.batch, allow_mass_change=work.which.allow_mass_change)
    except GuardTripped as stop:
        await release(opened, work.chosen)
        raise dg.Failure(description=str(stop), allow_retries=False) from None
    await acknowledge(opened, work.chosen)
    return outcomes


@dg.op(description="Liest die Beteiligten aus EspoCRM, Advoware und unserer Datenbank.")
async def fetch(context: dg.OpExecutionContext, config: Which, workplace: Workplace) -> Work:
    """Read a batch of parties."""
    async with workplace.open(context.run_id) as opened:
        work = await read_batch(opened, config)
    context.log.info("beteiligte: %d records to look at", len(work.batch.reads))
    return work


@dg.op(name="map", description="Bringt beide Seiten in dieselbe Form.")
def map_fields(work: Work) -> Work:
    """Bring both sides into canonical form."""
    stages.map_fields(work.batch)
    return work


@dg.op(description="Vergleicht mit dem zuletzt abgeglichenen Stand und plant, was zu schreiben ist.")
def diff(context: dg.OpExecutionContext, work: Work) -> Work:
    """Plan what has to be written."""
    stages.diff(PARTS, work.batch)
    context.add_output_metadata({"planned": len(work.batch.to_write)})
    return work


@dg.op(description="Schreibt den Plan auf beide Seiten, prüft und merkt sich den neuen Stand.")
async def write(context: dg.OpExecutionContext, work: Work, workplace: Workplace) -> list[RecordOutcome]:
    """Carry out the plan; tell how each record ended."""
    async with workplace.open(context.run_id) as opened:
        outcomes = await write_batch(opened, work)
        calls = dict(work.calls + Counter(opened.calls.by_system()))
        seconds = time.monotonic() - work.started
        if not work.which.dry_run:
            trigger = context.run.tags.get(TRIGGER_TAG, "person")
            await record_pass(opened, ENTITY, trigger, outcomes, seconds=seconds, calls=calls)
    metadata = outcome_metadata(outcomes, seconds=seconds, calls=calls)
    if work.which.dry_run:
        metadata["plan"] = dg.MetadataValue.md(plan_markdown(outcomes, show_values=work.which.show_values))
    context.add_output_metadata(metadata)
    broken = next((outcome for outcome in outcomes if outcome.concerns_all), None)
    if broken is not None:
        raise dg.Failure(description=broken.error, metadata=metadata)
    return outcomes


@dg.graph(description="Beteiligte mit Kommunikation, Adressen und Bankverbindungen: EspoCRM ↔ Advoware.")
def beteiligte() -> list[RecordOutcome]:
    """Sync a batch of parties in both directions."""
    return write(diff(map_fields(fetch())))  # type: ignore[no-any-return]


@dg.config_mapping
def which_records(config: Which) -> dg.RunConfig:
    """Let the launchpad ask for the records directly, without naming ops."""
    return dg.RunConfig(ops={"fetch": config}, loggers=QUIET_CONSOLE)


sync_beteiligte = beteiligte.to_job(
    name="sync_beteiligte",
    config=which_records,
    executor_def=dg.in_process_executor,
    resource_defs={"io_manager": dg.mem_io_manager, "workplace": Workplace()},
    tags={ENTITY_TAG: ENTITY},
)
