"""Carries out the plan of one party under its lease (specification, sync-semantics.md 3).

Order: losers and their tasks, Advoware, EspoCRM's content, base and link in one transaction, EspoCRM's bookkeeping.
The batch's plan is carried out if our database still says what it was made from, and everything is compared with its
target directly before it is written; what moved is read and planned anew under the lease.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from vmh_sync import fence
from vmh_sync.beteiligte.errors import PartFailed, Refused, StillMoving
from vmh_sync.beteiligte.fields import list_attributes
from vmh_sync.beteiligte.model import HOME_LABELS
from vmh_sync.beteiligte.party import ENTITY, PartyRead
from vmh_sync.beteiligte.plan import PartyPlan, map_parts, part_input, plan_party
from vmh_sync.beteiligte.reading.asking import PartsAsked
from vmh_sync.beteiligte.reading.canonical import map_party
from vmh_sync.beteiligte.reading.fetch import read_again
from vmh_sync.beteiligte.status import status_fields
from vmh_sync.beteiligte.status.locked import LOCKED, tell_long_locked
from vmh_sync.beteiligte.status.task_subject import subject
from vmh_sync.beteiligte.twins.twin_question import TwinSuspected
from vmh_sync.beteiligte.twins.unanswered import CreateOutcomeUnknown
from vmh_sync.beteiligte.twins.waiting import wait_for_person
from vmh_sync.beteiligte.writing.attempt import Attempt
from vmh_sync.beteiligte.writing.commit import Written, begin, commit_party, record_beforehand
from vmh_sync.beteiligte.writing.create import ensure_created
from vmh_sync.beteiligte.writing.failure import RECORD_FAILURES
from vmh_sync.beteiligte.writing.first_plan import still_stands
from vmh_sync.beteiligte.writing.inherit import take_over
from vmh_sync.beteiligte.writing.master_write import write_master
from vmh_sync.beteiligte.writing.missing import settle_missing
from vmh_sync.beteiligte.writing.read_back import fields_in, moved_meanwhile, note_made_of_it
from vmh_sync.beteiligte.writing.stray import tell_stray
from vmh_sync.coordination.errors import LeaseLost
from vmh_sync.engine.failures.isolation import isolated
from vmh_sync.engine.failures.outage import concerns_all
from vmh_sync.engine.passes.part import Part, PartDone
from vmh_sync.engine.passes.pass_context import PassContext, WriteGate
from vmh_sync.engine.writing.create_once import CreatePutOff
from vmh_sync.engine.writing.crm_write import EspoAnswer, update_record
from vmh_sync.engine.writing.guard import ReplanGuard
from vmh_sync.store.errors import LinkTaken, StaleRow
from vmh_sync.sync.base import Side
from vmh_sync.sync.deciding.apart import news
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.planning.guards import GuardTripped
from vmh_sync.sync.planning.plan import Finding, TaskKind, TaskWanted
from vmh_sync.sync.planning.plan_print import prints_of
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync.sync.reporting.status_values import kept_after, newly_kept
from vmh_sync.systems.advoware.errors import OutcomeUnknown as AdvowareOutcomeUnknown
from vmh_sync.systems.errors import Conflict, ForeignSystemError
from vmh_sync.systems.espocrm.errors import NotFound as EspoNotFound
from vmh_sync.systems.espocrm.errors import OutcomeUnknown as EspoOutcomeUnknown
from vmh_sync.tasks.manual_tasks import close_tasks, open_tasks

MAX_ROUNDS = 4
LEASE_WAIT_SECONDS = 2.0


@dataclass(slots=True)
class PartySync:
    """Syncs single parties; holds what all of them need."""

    context: PassContext
    table: FieldTable
    parts: Sequence[Part]
    zone: ZoneInfo
    guard: ReplanGuard

    async def sync(self, espo_id: str, read: PartyRead, plan: PartyPlan | None = None) -> RecordOutcome:
        """Bring one party to agreement; returns its outcome, also when it failed. ``plan`` is the batch's."""
        async with self.context.leases.hold(f"{ENTITY}:{espo_id}", wait=LEASE_WAIT_SECONDS) as lease:
            if lease is None:
                return RecordOutcome(espo_id, Result.SKIPPED, betnr=read.betnr, later=True)
            attempt = Attempt(WriteGate(lease, self.guard))
            with isolated(f"{ENTITY} {espo_id}", attempt.blame, foreseen=RECORD_FAILURES):
                try:
                    with fence.over_comes_first():
                        await self._until_quiet(read, attempt, plan)
                except (CreatePutOff, LeaseLost) as put_off:
                    attempt.waits, attempt.later = put_off.message_for_people, True
                except GuardTripped as stop:
                    attempt.blame(stop)
            if attempt.locked:
                with isolated(f"{ENTITY} {espo_id}", lambda error: None, foreseen=RECORD_FAILURES):
                    await tell_long_locked(self.context, attempt.gate, read, subject(read))
            if attempt.waits is not None:
                return replace(
                    attempt.outcome(espo_id),
                    result=Result.SKIPPED,
                    error=attempt.waits,
                    error_class=LOCKED if attempt.locked else None,
                    later=attempt.later,
                )
            return attempt.outcome(espo_id)

    async def _until_quiet(self, read: PartyRead, attempt: Attempt, plan: PartyPlan | None) -> None:
        for round_number in range(1, MAX_ROUNDS + 1):
            try:
                again = await self._once(read, attempt, plan if round_number == 1 else None)
            except (Conflict, StaleRow, LinkTaken):
                again = True  # somebody else was faster, over there or in our database: look again
            except EspoNotFound:
                if round_number > 1:
                    raise
                again = True  # deleted since the batch read it
            except (AdvowareOutcomeUnknown, EspoOutcomeUnknown):
                # The next round reads what became of it.
                if round_number == MAX_ROUNDS or attempt.creating:
                    raise
                again = True
            if not again:
                return
        raise StillMoving(f"{ENTITY} {read.espo_id} kept moving")

    async def _once(self, read: PartyRead, attempt: Attempt, planned: PartyPlan | None) -> bool:
        if planned is not None and await still_stands(self.context, self.parts, planned):
            attempt.betnr = planned.read.betnr
            await attempt.gate.replanned(planned.records)
            return await self._carry_out(planned, attempt)
        with PartsAsked(self.context, self.parts, read.espo_id) as asked:
            return await self._anew(read, attempt, planned, asked)

    async def _anew(self, read: PartyRead, attempt: Attempt, planned: PartyPlan | None, asked: PartsAsked) -> bool:
        """Read the party under its lease, plan it and carry that out, after creating it where it is missing."""
        fresh = await read_again(self.context, read)
        if fresh.erased:
            return False
        fresh.retry_refused = fresh.retry_refused and not attempt.tried
        attempt.betnr = fresh.betnr
        if fresh.espo is None or fresh.gone_in_advoware:
            attempt.settled |= await settle_missing(self.context, attempt.gate, fresh)
            return False
        if fresh.refusal is not None:
            raise Refused(fresh.refusal)
        if fresh.heir_of is not None:
            await take_over(self.context, attempt.gate, fresh)
            return True
        plan = await self._plan(fresh, attempt, asked)
        attempt.replanned |= planned is not None and prints_of(plan.records) != prints_of(planned.records)
        if not plan.master.creates:
            return await self._carry_out(plan, attempt)
        attempt.creating = True
        created = await self._create(fresh, plan, attempt)
        attempt.creating = False
        if created is None:
            return False
        attempt.betnr = created.betnr
        if created.advoware is None:
            return True
        return await self._carry_out(await self._plan(created, attempt, asked), attempt)

    async def _plan(self, fresh: PartyRead, attempt: Attempt, asked: PartsAsked) -> PartyPlan:
        """Plan from what was read under the lease; raises ``GuardTripped``."""
        inputs = part_input(fresh)
        if inputs is not None:
            for part in self.parts:
                await part.fetch(self.context, [inputs], await asked.of(part))
        state = map_party(fresh, self.table, self.zone)
        map_parts(self.parts, inputs)
        plan = plan_party(fresh, state, inputs, self.parts, self.table)
        await attempt.gate.replanned(plan.records)
        return plan

    async def _create(self, fresh: PartyRead, plan: PartyPlan, attempt: Attempt) -> PartyRead | None:
        """Create the party in Advoware, and return it with its number and what Advoware says of it.

        ``None`` when a person must decide first whether it is there already.
        """
        try:
            return await ensure_created(self.context, attempt.gate, fresh, plan.master, self.table)
        except CreateOutcomeUnknown:
            wanted = TaskWanted(TaskKind.CREATE_UNKNOWN, ())
            await open_tasks(self.context, attempt.gate, subject(fresh), [wanted], {})
            raise
        except TwinSuspected as suspected:
            await open_tasks(self.context, attempt.gate, subject(fresh), [suspected.task], {})
            await wait_for_person(self.context, attempt.gate, fresh, suspected.message_for_people)
            attempt.waits = suspected.message_for_people
            return None

    async def _carry_out(self, shown: PartyPlan, attempt: Attempt) -> bool:
        plan = shown.copy()
        context, gate, fresh = self.context, attempt.gate, plan.read
        if fresh.espo is None or fresh.advoware is None:
            raise ValueError("a plan is carried out only for a party that both sides have")
        about = subject(fresh)
        labels = {rule.name: rule.label for rule in self.table.rules} | HOME_LABELS
        await gate.held()
        await tell_stray(context, gate, fresh)
        written = begin(context, plan, fresh.advoware, fresh.espo)
        await record_beforehand(context, written)
        try:
            answer = await self._write_both(plan, written, gate, labels)
        except (ForeignSystemError, LeaseLost):
            await written.sending.failed()
            raise
        written.tasks = news(written.tasks, ((row.kind, row.fields, row.details) for row in fresh.reported_tasks))
        await context.store.write(commit_party, context, written)
        lasting = tuple(task for _, done in written.parts for task in done.lasting)
        told = (*written.tasks, *(task for _, done in written.parts for task in done.tasks))
        plan = written.plan = replace(plan, lasting=lasting, told=told)
        await open_tasks(context, gate, about, written.tasks, labels, noted=written.noted)
        for part, done in written.parts:
            await open_tasks(context, gate, about, done.tasks, part.labels, noted=written.noted)
            labels |= part.labels
        await open_tasks(context, gate, about, plan.pending, labels)
        await close_tasks(context, gate, plan.closing)
        attempt.take(written)
        if written.failed is not None:
            raise written.failed
        if answer is None or answer.refused or written.espo.attributes.get("syncStatus") != plan.status:
            answer = await self._write_bookkeeping(plan, written, attempt) or answer
        return moved_meanwhile(plan, written, answer) or any(done.again for _, done in written.parts)

    async def _write_both(
        self, plan: PartyPlan, written: Written, gate: WriteGate, labels: Mapping[str, str]
    ) -> EspoAnswer | None:
        """Tell what is going to be lost, then write Advoware's side and EspoCRM's; returns the answer of the latter."""
        about = subject(plan.read)
        await open_tasks(self.context, gate, about, plan.master.record.tasks, labels)
        for part, part_plan in plan.parts:
            await open_tasks(self.context, gate, about, part_plan.record.tasks, part.labels)
        if plan.master.advoware:
            written.take_advoware(
                await write_master(
                    self.context, gate, written.advoware, plan.state, plan.master, self.table, written.sending
                )
            )
        await self._write_parts(plan, written, gate)
        return await self._write_content(plan, written, gate)

    async def _write_parts(self, plan: PartyPlan, written: Written, gate: WriteGate) -> None:
        for part, part_plan in plan.parts:
            if part_plan.is_empty or plan.inputs is None:
                continue
            failed: list[Exception] = []
            with isolated(f"{part.entity} of {plan.read.espo_id}", failed.append, foreseen=RECORD_FAILURES):
                done = await part.write(self.context, gate, plan.inputs, part_plan)
                written.parts.append((part, done))
                failed += [done.failed] if done.failed is not None else []
            for error in failed:
                if isinstance(error, LeaseLost) or concerns_all(error):
                    raise error
                if isinstance(error, StaleRow | LinkTaken):
                    written.parts.append((part, PartDone(again=True)))
                    continue
                if isinstance(error, CreatePutOff):
                    written.failed = written.failed or error  # what only waits is told if nothing failed
                else:
                    written.failed = PartFailed(part.label, error)

    async def _write_content(self, plan: PartyPlan, written: Written, gate: WriteGate) -> EspoAnswer | None:
        # What a part had planned is sent only if the part, having written its own side, still wants it.
        content = dict(plan.master.espo)
        for _, done in written.parts:
            content |= done.espo
        if not content:
            return None
        bookkeeping: dict[str, object] = {}
        # What only tries again is sent without our stamps: while it is refused, nothing is written.
        if written.failed is None and not plan.only_tries_again:
            bookkeeping = self._bookkeeping(plan, written)
            content |= bookkeeping or self._stamps(written)
        answer = await update_record(
            self.context,
            gate,
            written.espo,
            content,
            planned_from=_planned_from(plan, written),
            leaving=lambda sent: written.sending.leaving(Side.ESPOCRM, written.espo, fields_in(sent, plan)),
        )
        written.sending.answered(Side.ESPOCRM, answer.record)
        written.espo = answer.record
        written.findings += _note_bookkeeping(written, bookkeeping)
        note_made_of_it(plan, written, answer)
        for _, done in written.parts:
            done.refused = {name: why for name, why in answer.refused.items() if name in done.espo}
        return answer

    async def _write_bookkeeping(self, plan: PartyPlan, written: Written, attempt: Attempt) -> EspoAnswer | None:
        values = self._bookkeeping(plan, written)
        if not values:
            return None
        answer = await update_record(
            self.context, attempt.gate, written.espo, values, planned_from=_planned_from(plan, written)
        )
        written.espo = answer.record
        attempt.findings += _note_bookkeeping(written, values)
        await self.context.store.write(commit_party, self.context, written, bookkeeping_only=True)
        return answer

    def _bookkeeping(self, plan: PartyPlan, written: Written) -> dict[str, object]:
        return status_fields.agreed(
            written.espo.attributes,
            now=self.context.clock.now(),
            betnr=plan.read.betnr,
            row_id=written.advoware.row_id,
            status=plan.status,
            message=plan.message,
            kept=written.kept,
        )

    def _stamps(self, written: Written) -> dict[str, object]:
        now = self.context.clock.now()
        return status_fields.stamps(written.espo.attributes, now=now, row_id=written.advoware.row_id)


def _planned_from(plan: PartyPlan, written: Written) -> tuple[str, ...]:
    """Return what must not have moved in EspoCRM: all that the plan saw, until an answer of ours shows newer."""
    return list_attributes(plan.table) if written.espo is plan.read.espo else ()


def _note_bookkeeping(written: Written, sent: Mapping[str, object]) -> list[Finding]:
    """Remember which bookkeeping values EspoCRM did not take as sent; returns what is new about that."""
    before, written.kept = written.kept, kept_after(sent, written.espo.attributes, written.kept)
    return newly_kept(before, written.kept)
