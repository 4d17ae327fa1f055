"""A pass over the Kommunikation of linked parties alone: their phones and e-mails, and nothing else of them.

The same part, under the same lease and by the same rounds as in the party pass. What was not looked at is not marked
as agreed: link, base, stamps, fingerprint, status and ledger of the party stay as they are, and no event in the inbox
is answered. So whatever else waits is found by the next full pass, as if this one had not been. A party whose
Kommunikation failed is given to the full pass, which keeps the books of failures.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from vmh_sync.background import all_of
from vmh_sync.beteiligte.batch import CONCURRENT_PARTIES, UNKNOWN_ID, failed, party_table, unknown
from vmh_sync.beteiligte.errors import PartFailed
from vmh_sync.beteiligte.fields import ESPO_ENTITY
from vmh_sync.beteiligte.party import ENTITY, PartyRead
from vmh_sync.beteiligte.plan import PartyPlan, part_input
from vmh_sync.beteiligte.reading.fetch import fetch_parties, read_again
from vmh_sync.beteiligte.status.task_subject import subject
from vmh_sync.beteiligte.writing.attempt import Attempt
from vmh_sync.beteiligte.writing.failure import RECORD_FAILURES
from vmh_sync.beteiligte.writing.write import PartySync
from vmh_sync.coordination.errors import LeaseLost
from vmh_sync.engine.counting.pass_progress import Step, went_through
from vmh_sync.engine.failures.isolation import isolated, together_or_alone
from vmh_sync.engine.failures.outage import concerns_all
from vmh_sync.engine.passes.approved_plan import PlanMoved
from vmh_sync.engine.passes.part import PartDone, PartInput, PartPlan
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.selecting import erased
from vmh_sync.engine.selecting.selection import enqueue
from vmh_sync.engine.writing.create_once import CreatePutOff
from vmh_sync.engine.writing.crm_write import update_record
from vmh_sync.engine.writing.guard import ReplanGuard, guard_mass_change
from vmh_sync.kommunikation.part import KommunikationPart
from vmh_sync.kommunikation.task_texts import is_entry
from vmh_sync.store.errors import LinkTaken, StaleRow
from vmh_sync.store.store import Transaction
from vmh_sync.sync.deciding.apart import STAYS_APART
from vmh_sync.sync.planning.plan import TaskWanted
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync.systems.espocrm.records import EspoRecord
from vmh_sync.tasks.manual_tasks import close_tasks, note_tasks, open_tasks

PART = KommunikationPart()
READ_TOGETHER = 1000
"""Parties read at once; of those with nothing to do, nothing is kept."""
NOT_LINKED = "Noch nicht mit Advoware verknüpft; das macht der Abgleich der Beteiligten."
NOT_ON_BOTH_SIDES = "Diesen Beteiligten gibt es nicht (mehr) auf beiden Seiten; das klärt der Abgleich der Beteiligten."


@dataclass(slots=True, repr=False)
class AloneBatch:
    """One batch on its way through the stages: what has to be looked at closely, and the outcomes of all others."""

    ids: list[str]
    reads: dict[str, PartyRead] = field(default_factory=dict)
    inputs: dict[str, PartInput] = field(default_factory=dict)
    plans: dict[str, PartPlan] = field(default_factory=dict)
    settled: dict[str, RecordOutcome] = field(default_factory=dict)

    @property
    def to_write(self) -> list[str]:
        """The parties whose Kommunikation has to be written or remembered."""
        return [espo_id for espo_id, plan in self.plans.items() if not plan.is_empty]

    def settle(self, outcome: RecordOutcome) -> None:
        """Take a party out, with its outcome."""
        self.settled[outcome.id] = outcome
        for kept in (self.reads, self.inputs, self.plans):
            kept.pop(outcome.id, None)

    def blame(self, espo_id: str, error: Exception) -> None:
        """Take out a party that cannot be synced."""
        self.settle(failed(self.reads[espo_id], error))


async def fetch(context: PassContext, ids: Sequence[str]) -> AloneBatch:
    """Read the parties; keep those whose phones and e-mails may have moved. Raises as ``fetch_parties`` does."""
    batch = AloneBatch(list(dict.fromkeys(ids)))
    for start in range(0, len(batch.ids), READ_TOGETHER):
        await _fetch_some(context, batch, batch.ids[start : start + READ_TOGETHER])
    return batch


async def _fetch_some(context: PassContext, batch: AloneBatch, ids: Sequence[str]) -> None:
    some: list[PartInput] = []
    for read in await fetch_parties(context, ids):
        batch.reads[read.espo_id] = read
        inputs = part_input(read)
        left = _left_alone(read)
        if left is not None or inputs is None:
            batch.settle(left or _skipped(read, NOT_ON_BOTH_SIDES))
            continue
        batch.inputs[read.espo_id] = inputs
        some.append(inputs)
    await together_or_alone(
        f"{PART.entity} of parties",
        some,
        lambda of: PART.fetch(context, of),
        lambda inputs, error: batch.blame(inputs.espo_id, error),
    )
    await all_of(*(_complete(context, batch, one) for one in some if one.espo_id in batch.inputs))


async def _complete(context: PassContext, batch: AloneBatch, inputs: PartInput) -> None:
    """Read EspoCRM's lists where they may have moved; a party that did not move is done."""
    read = batch.reads[inputs.espo_id]
    with isolated(f"{ENTITY} {inputs.espo_id}", partial(batch.blame, inputs.espo_id)):
        if not inputs.espo_full and not PART.needs_full(inputs):
            batch.settle(_unchanged(read))
            return
        full = await context.espo.read(ESPO_ENTITY, inputs.espo_id)
        if full is None:
            batch.settle(_skipped(read, NOT_ON_BOTH_SIDES))
            return
        read.espo, read.espo_full = full, True
        inputs.espo, inputs.espo_full = full, True


def map_fields(batch: AloneBatch) -> None:
    """Bring both sides of each party's Kommunikation into canonical form."""
    for espo_id, inputs in list(batch.inputs.items()):
        with isolated(f"{PART.entity} of {espo_id}", partial(batch.blame, espo_id)):
            PART.map(inputs)


def diff(batch: AloneBatch) -> int:
    """Plan each party's Kommunikation; returns how many have to be written."""
    for espo_id, inputs in list(batch.inputs.items()):
        with isolated(f"{PART.entity} of {espo_id}", partial(batch.blame, espo_id)):
            batch.plans[espo_id] = PART.plan(inputs)
    return len(batch.to_write)


def dry_run(batch: AloneBatch) -> list[RecordOutcome]:
    """Return what would become of each party's Kommunikation."""
    outcomes = dict(batch.settled)
    for espo_id, plan in batch.plans.items():
        told = _unchanged(batch.reads[espo_id])
        planned = (plan.record,) if not plan.record.is_empty else ()
        outcomes[espo_id] = told if plan.is_empty else replace(told, result=Result.SKIPPED, plans=planned)
    return [outcomes[espo_id] for espo_id in batch.ids]


async def write(context: PassContext, batch: AloneBatch, *, allow_mass_change: bool = False) -> list[RecordOutcome]:
    """Carry the plans out; returns one outcome per party. Raises ``GuardTripped`` before anything is written."""
    to_write = batch.to_write
    await guard_mass_change(context, ENTITY, [batch.plans[one].record for one in to_write], allowed=allow_mass_change)
    guard = ReplanGuard(context, ENTITY, allow_mass_change)
    syncer = AloneSync(context, party_table(context), (PART,), context.zone, guard)
    limit = asyncio.Semaphore(CONCURRENT_PARTIES)

    async def one(espo_id: str) -> RecordOutcome:
        read, outcomes = batch.reads[espo_id], list[RecordOutcome]()
        async with limit:
            with isolated(
                f"{PART.entity} of {espo_id}",
                lambda error: outcomes.append(failed(read, error)),
                foreseen=RECORD_FAILURES,
            ):
                outcomes.append(await syncer.sync(espo_id, read))
        went_through(Step.DONE)
        return outcomes[-1]

    went_through(Step.DONE, len(batch.ids) - len(to_write))
    outcomes = batch.settled | {one: _unchanged(batch.reads[one]) for one in batch.plans}
    outcomes |= {outcome.id: outcome for outcome in await all_of(*map(one, to_write))}
    blamed = [one.id for one in outcomes.values() if _is_for_the_ledger(one)]
    if blamed:
        await enqueue(context, ENTITY, blamed, PART.entity)
    return [outcomes[espo_id] for espo_id in batch.ids]


@dataclass(slots=True)
class AloneSync(PartySync):
    """The rounds of a party under its lease, with its Kommunikation for all there is to carry out."""

    async def _once(self, read: PartyRead, attempt: Attempt, planned: PartyPlan | None) -> bool:
        fresh = await read_again(self.context, read)
        fresh.retry_refused = fresh.retry_refused and not attempt.tried
        attempt.betnr = fresh.betnr
        left, inputs = _left_alone(fresh), part_input(fresh)
        if left is not None or inputs is None:
            attempt.waits = (left.error if left is not None else None) or NOT_ON_BOTH_SIDES
            return False
        await PART.fetch(self.context, [inputs])
        PART.map(inputs)
        plan = PART.plan(inputs)
        await attempt.gate.replanned([plan.record] if not plan.record.is_empty else [])
        attempt.different = _apart(fresh, plan.record.tasks, plan.record.close_tasks)
        if plan.is_empty:
            return False
        return await self._carry_part_out(fresh, inputs, plan, attempt)

    async def _carry_part_out(self, fresh: PartyRead, inputs: PartInput, plan: PartPlan, attempt: Attempt) -> bool:
        context, gate, about, espo = self.context, attempt.gate, subject(fresh), inputs.espo
        await gate.ready()
        await open_tasks(context, gate, about, plan.record.tasks, PART.labels)
        done = await self._write_part(inputs, plan, attempt)
        if done.espo:
            answer = await update_record(context, gate, espo, done.espo)
            espo, done.refused = answer.record, answer.refused
        noted = await context.store.write(_commit, fresh, done, espo)
        await open_tasks(context, gate, about, done.tasks, PART.labels, noted=noted)
        closing = _closing(fresh, plan, done)
        await close_tasks(context, gate, closing)
        attempt.tried = True
        attempt.settled |= not plan.only_tries_again
        attempt.conflicts += done.conflicts
        attempt.findings += done.findings
        attempt.different = _apart(fresh, (*done.lasting, *plan.record.tasks), closing)
        if done.failed is not None:
            raise PartFailed(PART.label, done.failed)
        return done.again

    async def _write_part(self, inputs: PartInput, plan: PartPlan, attempt: Attempt) -> PartDone:
        """Write Advoware's side; what keeps it from that is told as in the party pass."""
        try:
            return await PART.write(self.context, attempt.gate, inputs, plan)
        except (LeaseLost, StaleRow, LinkTaken, CreatePutOff):
            raise
        except RECORD_FAILURES as error:
            if concerns_all(error):
                raise
            raise PartFailed(PART.label, error) from error


def _commit(tx: Transaction, fresh: PartyRead, done: PartDone, espo: EspoRecord) -> set[int]:
    done.commit(tx, espo)
    return note_tasks(tx, subject(fresh), done.tasks)


def _is_for_the_ledger(outcome: RecordOutcome) -> bool:
    """Whether the full pass has to tell a failure; what a plan left alone because it moved is the planner's."""
    its_own = outcome.error_class not in (UNKNOWN_ID, PlanMoved.__name__)
    return outcome.result is Result.FAILED and not outcome.concerns_all and its_own


def _closing(read: PartyRead, plan: PartPlan, done: PartDone) -> tuple[int, ...]:
    standing = {(str(task.kind), *sorted(task.fields)) for task in (*plan.record.tasks, *done.lasting, *done.tasks)}
    still = {row.id for row in read.tasks if (row.kind, *row.fields) in standing}
    return tuple(task for task in plan.record.close_tasks if task not in still)


def _apart(read: PartyRead, wanted: Sequence[TaskWanted], closing: Sequence[int] = ()) -> tuple[str, ...]:
    """Return the entries in which both sides stay apart, each with an open task."""
    names = {name for row in read.tasks if row.kind in STAYS_APART and row.id not in closing for name in row.fields}
    names |= {name for task in wanted if task.kind in STAYS_APART for name in task.fields}
    return tuple(sorted(name for name in names if is_entry(name)))


def _unchanged(read: PartyRead) -> RecordOutcome:
    return RecordOutcome(read.espo_id, Result.UNCHANGED, read.betnr, different=_apart(read, ()))


def _skipped(read: PartyRead, why: str) -> RecordOutcome:
    return RecordOutcome(read.espo_id, Result.SKIPPED, read.betnr, error=why)


def _left_alone(read: PartyRead) -> RecordOutcome | None:
    """Return how a party ends whose Kommunikation is not looked at, ``None`` for a linked one that both sides have."""
    if read.erased:
        return _skipped(read, erased.SAYS)
    if read.link is None:
        missing = read.espo is None and read.problem is None
        return unknown(read) if missing else _skipped(read, NOT_LINKED)
    if read.problem is not None:
        return failed(read, read.problem)
    if read.refusal is not None:
        return _skipped(read, read.refusal)
    if read.link.state != "active" or read.espo is None or read.advoware is None or read.heir_of is not None:
        return _skipped(read, NOT_ON_BOTH_SIDES)
    return None
