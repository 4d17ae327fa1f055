"""The four stages of a pass over a batch of parties: fetch, map, diff, write.

Entity rules stand elsewhere; here it is decided what happens to which party, and how each one ended.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from vmh_sync.background import all_of
from vmh_sync.beteiligte.fields import ESPO_ENTITY, FIELDS
from vmh_sync.beteiligte.master_data.state import PartyState
from vmh_sync.beteiligte.party import ENTITY, PartyRead
from vmh_sync.beteiligte.plan import PartyPlan, map_parts, part_input, plan_party
from vmh_sync.beteiligte.reading.canonical import map_party
from vmh_sync.beteiligte.reading.fetch import fetch_parties
from vmh_sync.beteiligte.reading.recognise import Recognition
from vmh_sync.beteiligte.status import status_fields
from vmh_sync.beteiligte.status.ledger import close_ledger, mark_unchanged
from vmh_sync.beteiligte.writing.failure import RECORD_FAILURES, explain
from vmh_sync.beteiligte.writing.write import PartySync
from vmh_sync.engine.counting.pass_progress import Step, went_through
from vmh_sync.engine.failures.isolation import isolated, one_by_one, together_or_alone
from vmh_sync.engine.passes.part import Asked, Part, PartInput
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.selecting import erased
from vmh_sync.engine.writing.guard import ReplanGuard, guard_mass_change
from vmh_sync.sync.base import Side
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.planning.plan import Action, Operation, RecordPlan, TaskKind
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result

UNKNOWN_ID = "UnknownId"
CONCURRENT_PARTIES = 16
"""Parties written at once; the clients bound their calls themselves."""


@dataclass(slots=True, repr=False)
class Batch:
    """One batch on its way through the stages."""

    parts: Sequence[Part]
    reads: list[PartyRead]
    table: FieldTable
    zone: ZoneInfo
    read_at: datetime
    inputs: dict[str, PartInput] = field(default_factory=dict)
    states: dict[str, PartyState] = field(default_factory=dict)
    plans: dict[str, PartyPlan] = field(default_factory=dict)
    to_write: set[str] = field(default_factory=set)


def party_table(context: PassContext) -> FieldTable:
    """Return the field table with the operator's changes."""
    return context.table(ENTITY, FIELDS)


async def fetch(context: PassContext, parts: Sequence[Part], ids: Sequence[str]) -> Batch:
    """Read a batch of parties and what their parts need."""
    recognition = Recognition(context, parts)
    reads = await fetch_parties(context, ids, recognition)
    batch = Batch(parts, reads, party_table(context), context.zone, context.clock.now())
    batch.inputs = {
        read.espo_id: inputs for read in batch.reads if _may_sync(read) and (inputs := part_input(read)) is not None
    }
    unknown = [read for read in reads if read.espo_id in batch.inputs and read.espo_id not in recognition.rows]
    await recognition.remember([read for read in unknown if read.link is None])
    for read in reads:
        read.rows = recognition.rows.get(read.espo_id)
    for part in parts:
        await _fetch_part(context, part, batch, recognition.asked.get(part.entity))
    wanting = [read for read in batch.reads if _wants_full(batch.inputs.get(read.espo_id), parts)]
    await all_of(*(_complete(context, batch, read) for read in wanting))
    return batch


async def _fetch_part(context: PassContext, part: Part, batch: Batch, asked: Asked | None) -> None:
    """Read for all parties together; where one of them breaks that, for each alone."""
    by_id = {read.espo_id: read for read in batch.reads}
    await together_or_alone(
        f"{part.entity} of parties",
        batch.inputs.values(),
        lambda some: part.fetch(context, some, asked),
        lambda inputs, error: by_id[inputs.espo_id].blame(error),
    )
    batch.inputs = {espo_id: one for espo_id, one in batch.inputs.items() if by_id[espo_id].problem is None}


def _may_sync(read: PartyRead) -> bool:
    sound = read.espo is not None and read.problem is None and read.refusal is None and not read.erased
    return sound and not read.gone_in_advoware and not read.recognised


def _wants_full(inputs: PartInput | None, parts: Sequence[Part]) -> bool:
    return inputs is not None and not inputs.espo_full and any(part.needs_full(inputs) for part in parts)


async def _complete(context: PassContext, batch: Batch, read: PartyRead) -> None:
    inputs = batch.inputs[read.espo_id]
    with isolated(_name(read), read.blame):
        full = await context.espo.read(ESPO_ENTITY, read.espo_id)
    if read.problem is not None:
        return
    read.espo, read.espo_full = full, full is not None
    if full is not None:
        inputs.espo, inputs.espo_full = full, True


def map_fields(batch: Batch) -> Batch:
    """Bring both sides of each party, and of what belongs to it, into canonical form."""
    for read in batch.reads:
        if _may_sync(read):
            with isolated(_name(read), read.blame, foreseen=RECORD_FAILURES):
                batch.states[read.espo_id] = map_party(read, batch.table, batch.zone)
                map_parts(batch.parts, batch.inputs.get(read.espo_id))
    return batch


def _name(read: PartyRead) -> str:
    return f"{ENTITY} {read.espo_id}"


def diff(parts: Sequence[Part], batch: Batch) -> Batch:
    """Plan each party; find out which of them have to be written."""
    for read in batch.reads:
        state = batch.states.get(read.espo_id)
        if state is not None:
            with isolated(_name(read), read.blame, foreseen=RECORD_FAILURES):
                plan = plan_party(read, state, batch.inputs.get(read.espo_id), parts, batch.table)
                if _has_to_write(plan, batch.read_at):
                    batch.to_write.add(read.espo_id)
                batch.plans[read.espo_id] = plan
        elif read.problem is None and read.refusal is None and not read.erased and _newly_gone(read):
            batch.to_write.add(read.espo_id)
    return batch


def _has_to_write(plan: PartyPlan, now: datetime) -> bool:
    if plan.has_work or plan.read.link is None or plan.read.link.state != "active" or plan.read.espo is None:
        return True
    row_id = plan.read.advoware.row_id if plan.read.advoware is not None else None
    return bool(
        status_fields.agreed(
            plan.read.espo.attributes,
            now=now,
            betnr=plan.read.betnr,
            row_id=row_id,
            status=plan.status,
            message=plan.message,
            kept=plan.read.kept,
        )
    )


def _newly_gone(read: PartyRead) -> bool:
    if read.espo is None:
        if read.link is None:
            return read.unanswered is not None or any(task.kind == TaskKind.TWIN_SUSPECTED for task in read.tasks)
        return read.link.state != "deleted_in_espocrm" or bool(read.settled)
    if not read.gone_in_advoware:
        return False
    known = read.link is not None and read.link.state == "deleted_in_advoware"
    return not known or read.espo.attributes.get("syncStatus") not in ("deleted_in_advoware", None)


def _plans_to_guard(batch: Batch) -> list[RecordPlan]:
    plans = [record for plan in batch.plans.values() for record in plan.records]
    gone = (read for read in batch.reads if read.espo_id in batch.to_write and read.espo_id not in batch.plans)
    return [*plans, *(_gone(read) for read in gone)]


def _gone(read: PartyRead) -> RecordPlan:
    """What is done to a party that one side has no longer: it is marked, and a task tells it, or is closed."""
    if read.settled:
        return RecordPlan(ESPO_ENTITY, read.espo_id, read.betnr, close_tasks=tuple(sorted(read.settled)))
    gone = Operation(Side.ESPOCRM, Action.REMOVE, ESPO_ENTITY, read.espo_id, reason="gone on one side")
    return RecordPlan(ESPO_ENTITY, read.espo_id, read.betnr, (gone,))


async def write(
    context: PassContext, parts: Sequence[Part], batch: Batch, *, allow_mass_change: bool = False
) -> list[RecordOutcome]:
    """Carry the plans out; returns one outcome per party. Raises ``GuardTripped`` before anything is written."""
    await guard_mass_change(context, ENTITY, _plans_to_guard(batch), allowed=allow_mass_change)
    syncer = PartySync(context, batch.table, parts, batch.zone, ReplanGuard(context, ENTITY, allow_mass_change))
    limit = asyncio.Semaphore(CONCURRENT_PARTIES)

    async def one(read: PartyRead) -> RecordOutcome:
        outcomes: list[RecordOutcome] = []
        async with limit:
            with isolated(_name(read), lambda error: outcomes.append(failed(read, error)), foreseen=RECORD_FAILURES):
                outcomes.append(await syncer.sync(read.espo_id, read, batch.plans.get(read.espo_id)))
        went_through(Step.DONE)
        return outcomes[-1]

    quiet = [read for read in batch.reads if read.espo_id not in batch.to_write]
    went_through(Step.DONE, len(quiet))
    written = await all_of(*(one(read) for read in batch.reads if read.espo_id in batch.to_write))
    outcomes = {outcome.id: outcome for outcome in (*(_left_alone(batch, read) for read in quiet), *written)}
    agreed = [read for read in quiet if outcomes[read.espo_id].result is Result.UNCHANGED]
    for read in agreed:
        plan = batch.plans.get(read.espo_id)
        if plan is not None and not plan.agreed:
            read.fingerprint = None
    moved = await asyncio.to_thread(_mark_unchanged, context, agreed)
    outcomes |= {read.espo_id: failed(read, error) for read, error in moved}
    ordered = [_edited(outcomes[read.espo_id], batch.states.get(read.espo_id)) for read in batch.reads]
    return await close_ledger(context, batch.reads, ordered)


def _edited(outcome: RecordOutcome, state: PartyState | None) -> RecordOutcome:
    """Note when the edit was made that was written: on the side to which nothing was written, if both say so."""
    if state is None or outcome.result is not Result.SYNCED:
        return outcome
    return replace(outcome, edited_at=state.stamps.espocrm if outcome.advoware_writes else state.stamps.advoware)


def _left_alone(batch: Batch, read: PartyRead) -> RecordOutcome:
    outcome, plan = _quiet(read), batch.plans.get(read.espo_id)
    return replace(outcome, different=plan.different) if plan and outcome.result is Result.UNCHANGED else outcome


def _quiet(read: PartyRead) -> RecordOutcome:
    """Return the outcome of a party to which nothing is to be done."""
    if read.erased:
        return RecordOutcome(read.espo_id, Result.SKIPPED, read.betnr, error=erased.SAYS)
    if read.refusal is not None:
        return RecordOutcome(
            read.espo_id, Result.FAILED, read.betnr, error=read.refusal, error_class="Refused", retryable=False
        )
    if read.problem is not None:
        return failed(read, read.problem)
    if read.espo is None and read.link is None:
        return unknown(read)
    return RecordOutcome(read.espo_id, Result.UNCHANGED, read.betnr)


def unknown(read: PartyRead) -> RecordOutcome:
    """Return the outcome of an id that stands for nothing."""
    return RecordOutcome(
        read.espo_id,
        Result.FAILED,
        error="Diesen Beteiligten gibt es in EspoCRM nicht (mehr); bitte die ID prüfen.",
        error_class=UNKNOWN_ID,
        retryable=False,
    )


def _mark_unchanged(context: PassContext, reads: list[PartyRead]) -> list[tuple[PartyRead, Exception]]:
    failed: list[tuple[PartyRead, Exception]] = []
    one_by_one(
        ENTITY, reads, lambda some: mark_unchanged(context, some), lambda read, error: failed.append((read, error))
    )
    return failed


def failed(read: PartyRead, error: Exception) -> RecordOutcome:
    """Return the outcome of a party that an error kept from being synced."""
    return explain(error).outcome(read.espo_id, read.betnr)


def dry_run(batch: Batch) -> list[RecordOutcome]:
    """Return what would become of each party, without writing anything."""
    return [
        replace(
            _quiet(read),
            result=Result.SKIPPED,
            plans=batch.plans[read.espo_id].records if read.espo_id in batch.plans else (_gone(read),),
            different=batch.plans[read.espo_id].different if read.espo_id in batch.plans else (),
        )
        if read.espo_id in batch.to_write
        else _left_alone(batch, read)
        for read in batch.reads
    ]
