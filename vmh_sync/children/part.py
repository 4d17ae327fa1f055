"""The children of one kind as a part of the party pass (see ``vmh_sync.engine.passes.part``)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from vmh_sync import fence
from vmh_sync.children.diff import plan_children
from vmh_sync.children.fetching import fetch_children, read_believed
from vmh_sync.children.kind import ChildKind
from vmh_sync.children.ledger import close_ledger
from vmh_sync.children.listing import ListedChildren, list_children
from vmh_sync.children.pairing import Pair, map_children
from vmh_sync.children.pending import differing
from vmh_sync.children.plan import ChildPlan, Step
from vmh_sync.children.spoilt import failures, without_spoilt
from vmh_sync.children.sync_state import PartyChildren, key_of
from vmh_sync.children.write import ChildWriter
from vmh_sync.coordination.errors import LeaseLost
from vmh_sync.engine.failures.isolation import isolated
from vmh_sync.engine.failures.ledger import waits_for_next_try
from vmh_sync.engine.failures.outage import concerns_all
from vmh_sync.engine.passes.part import Asked, PartDone, PartInput, PartPlan, own
from vmh_sync.engine.passes.pass_context import PassContext, WriteGate
from vmh_sync.engine.writing.create_once import CreatePutOff
from vmh_sync.engine.writing.failure import explain
from vmh_sync.store.errors import LinkTaken, StaleRow
from vmh_sync.store.pairs.records import REFUSED
from vmh_sync.sync.base import Side
from vmh_sync.sync.fields import WrongKind
from vmh_sync.sync.planning.plan import RecordPlan
from vmh_sync.systems.advoware.errors import OutcomeUnknown as AdvowareUnknown
from vmh_sync.systems.errors import Conflict, Rejected
from vmh_sync.systems.espocrm.errors import NotFound
from vmh_sync.systems.espocrm.errors import OutcomeUnknown as EspoUnknown

MAX_ROUNDS = 3
_LOOK_AGAIN = (Conflict, NotFound, AdvowareUnknown, EspoUnknown, StaleRow, LinkTaken)


@dataclass(frozen=True, slots=True)
class ChildrenPart:
    """One kind of children; implements ``Part``."""

    kind: ChildKind

    @property
    def entity(self) -> str:
        """Our name of the entity."""
        return self.kind.entity

    @property
    def label(self) -> str:
        """German name, for messages."""
        return self.kind.label

    @property
    def labels(self) -> Mapping[str, str]:
        """German names of its fields."""
        return self.kind.labels

    @property
    def link_entities(self) -> Sequence[str]:
        """Its links are the children's own."""
        return (self.kind.entity,)

    @property
    def has_records(self) -> bool:
        """Each child is a record of its own."""
        return True

    async def ask(self, context: PassContext, espo_ids: Sequence[str]) -> ListedChildren:
        """List the children of parties in EspoCRM."""
        return await list_children(context, self.kind, espo_ids)

    async def fetch(self, context: PassContext, parties: Sequence[PartInput], asked: Asked | None = None) -> None:
        """Read what EspoCRM and our database have of all parties' children."""
        listed = asked if isinstance(asked, ListedChildren) else None
        await fetch_children(context, self.kind, parties, listed)

    def needs_full(self, party: PartInput) -> bool:
        """Never: the party's own record is not looked at."""
        return False

    def children(self, party: PartInput) -> PartyChildren:
        """Return what ``fetch`` read."""
        return own(party.notes[self.kind.entity], PartyChildren)

    def mapped(self, party: PartInput) -> tuple[Pair, ...]:
        """Return what ``map`` made of it."""
        return own(party.mapped[self.entity], tuple)

    def map(self, party: PartInput) -> None:
        """Bring both sides' children into canonical form and pair them up."""
        children = self.children(party)
        party.mapped[self.entity] = ()
        if children.problem is None:
            with isolated(f"{self.entity} of {party.espo_id}", children.blame, foreseen=(WrongKind,)):
                party.mapped[self.entity] = map_children(children, self.kind)

    def plan(self, party: PartInput) -> PartPlan:
        """Decide what is to be done; no I/O."""
        children = self.children(party)
        if children.problem is None:
            with isolated(f"{self.entity} of {party.espo_id}", children.blame, foreseen=(WrongKind,)):
                every = plan_children(children, self.kind, self.mapped(party))
                plans = [plan for plan in without_spoilt(children, every) if plan.has_work]
                held_up = failures(children, every)
                record = replace(self.record(party, plans), base_moves=bool(plans or held_up))
                tries = not held_up and all(plan.only_tries_again for plan in plans)
                agreed = not held_up and all(self._agreed(children, plan) for plan in every)
                detail = ChildrenPlan(every, tuple(plans), held_up)
                return PartPlan(record, detail=detail, only_tries_again=tries, agreed=agreed)
        record = RecordPlan(self.kind.espo_entity, party.espo_id, party.betnr, base_moves=True)
        return PartPlan(record, detail=ChildrenPlan())

    def _agreed(self, children: PartyChildren, plan: ChildPlan) -> bool:
        """Whether both sides have a child, say the same of it, and nothing about it is open."""
        link = plan.pair.link
        both = plan.pair.espo is not None and plan.pair.advoware is not None
        if not both or plan.has_work or plan.message or plan.open_rows or plan.fields is None:
            return False
        return link is not None and link.state == "active" and not differing(children.table, plan.fields.base)

    def record(self, party: PartInput, plans: Sequence[ChildPlan]) -> RecordPlan:
        """Return the plans of several children as one, to show and to guard."""
        return RecordPlan(
            self.kind.espo_entity,
            party.espo_id,
            party.betnr,
            tuple(operation for plan in plans for operation in plan.operations),
            tuple(task for plan in plans for task in plan.tasks),
            (),
            tuple(finding for plan in plans for finding in plan.findings),
            tuple(change for plan in plans if plan.fields for change in plan.fields.conflicts),
            base_moves=bool(plans),
        )

    async def write(self, context: PassContext, gate: WriteGate, party: PartInput, plan: PartPlan) -> PartDone:
        """Carry the plan out; what moves meanwhile is planned again.

        Raises the first child's error after the others were written.
        """
        written = await self.write_children(context, gate, party, plan)
        if written.failures:
            await self._tell(context, gate, party, written.failures)
            # What only waits comes last: a failure must be told.
            raise min(written.failures.values(), key=lambda error: isinstance(error, CreatePutOff))
        return written.done

    async def _tell(
        self, context: PassContext, gate: WriteGate, party: PartInput, failures: Mapping[str, Exception]
    ) -> None:
        """Tell the failures in the children's own records; one that waits for its next try was told and counted, and
        what Advoware refused as a whole with its reason (``ChildWriter``)."""
        children, now = self.children(party), context.clock.now()
        known = await context.store.read(lambda tx: tx.records.get_many(self.kind.entity, list(failures)))
        refused = {child for child, one in known.items() if one.error_class == REFUSED}
        outcomes = [
            explain(error).outcome(child, party.betnr)
            for child, error in failures.items()
            if (child in children.espo or child in children.spoilt_in_espocrm)
            and not waits_for_next_try(known.get(child), now)
            and not (child in refused and isinstance(error, Rejected))
        ]
        for outcome in await close_ledger(context, self.kind, children.espo, outcomes) if outcomes else ():
            if outcome.espocrm_writes:
                gate.writes[Side.ESPOCRM] += 1

    async def write_children(
        self, context: PassContext, gate: WriteGate, party: PartInput, plan: PartPlan
    ) -> "ChildrenWritten":
        """Like ``write``, but tell what became of each child."""
        written = ChildrenWritten(children_plan(plan))
        findings = list(plan.record.findings)
        conflicts = len(plan.record.conflicts)
        for number in range(1, MAX_ROUNDS + 1):
            problem = self.children(party).problem
            if problem is not None:
                raise problem
            written.failures = dict(written.plan.held_up)
            writer = ChildWriter(context, gate, self.kind, party, self.children(party))
            again = await self._round(writer, written, last=number == MAX_ROUNDS)
            planned = (finding for child in written.plan.to_write for finding in child.findings)
            findings += [finding for finding in (*planned, *writer.findings) if finding not in findings]
            if not again:
                break
            fresh = await self.plan_anew(context, party, tried=True)
            written.plan = children_plan(fresh)
            if fresh.is_empty:
                break
            await gate.replanned([fresh.record])
            written.replanned = True
        written.done = PartDone(findings=tuple(findings), conflicts=conflicts)
        return written

    async def _round(self, writer: ChildWriter, written: "ChildrenWritten", *, last: bool) -> bool:
        gate = writer.gate
        again = False
        for child in written.plan.to_write:
            failed: list[Exception] = []
            tries, writes = child.only_tries_again, gate.writes.total()
            with (
                isolated(f"{self.entity} {_name(child)}", failed.append, foreseen=(WrongKind,)),
                fence.over_comes_first(),
            ):
                await gate.held()
                again = await writer.carry_out(child) or again
            for error in failed:
                if isinstance(error, LeaseLost) or concerns_all(error):
                    raise error
                if isinstance(error, AdvowareUnknown | EspoUnknown):
                    written.unanswered[_name(child)] = error
                if isinstance(error, _LOOK_AGAIN) and not last:
                    again = True
                    continue
                # That its own request of this pass may still arrive is why the child waits, and what has failed.
                waits = isinstance(error, CreatePutOff)
                written.failures[_name(child)] = written.unanswered.get(_name(child), error) if waits else error
            if not tries or gate.writes.total() > writes:
                written.touched.add(_name(child))
        return again and not last

    async def plan_anew(self, context: PassContext, party: PartInput, *, tried: bool = False) -> PartPlan:
        """Read a party's children anew, on both sides, and plan them."""
        await self.fetch(context, [party])
        children = self.children(party)
        children.tried = tried
        if children.problem is None:
            children.take(await read_believed(context, self.kind, children))
        self.map(party)
        return self.plan(party)


@dataclass(frozen=True, slots=True, repr=False)
class ChildrenPlan:
    """The plans of all children of a party, those to be carried out, and why others are held up, by child."""

    every: tuple[ChildPlan, ...] = ()
    to_write: tuple[ChildPlan, ...] = ()
    held_up: Mapping[str, Exception] = field(default_factory=dict)

    @property
    def creates(self) -> bool:
        """Whether a record is created on either side."""
        return any(child.step in (Step.CREATE, Step.IMPORT) for child in self.to_write)


def children_plan(plan: PartPlan) -> ChildrenPlan:
    """Return the plans of the children that a part's plan is made of."""
    return own(plan.detail, ChildrenPlan)


@dataclass(slots=True)
class ChildrenWritten:
    """What became of a party's children, by child (EspoCRM id, else Advoware's key).

    ``plan`` is the last one, ``replanned`` whether it is another one than was shown. ``touched``: those for which more
    was done than to send once more, in vain, what was refused. ``unanswered``: those of which a request of this pass
    got no answer, and the error.
    """

    plan: ChildrenPlan
    replanned: bool = False
    done: PartDone = field(default_factory=PartDone)
    failures: dict[str, Exception] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    unanswered: dict[str, Exception] = field(default_factory=dict)


def _name(plan: ChildPlan) -> str:
    if plan.espo_id is not None:
        return plan.espo_id
    return key_of(plan.pair.advoware) if plan.pair.advoware is not None else ""
