"""The steps of a pass over child records of their own: only these children of their parties, nothing else of the party.

The same part as in the party pass does the work, under the party's lease. A child whose party has never been synced
waits: the party goes into the inbox, and its pass takes the child along (specification, entities.md 4).
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from vmh_sync import fence
from vmh_sync.background import all_of
from vmh_sync.children.difference import different
from vmh_sync.children.ledger import UNKNOWN_ID, close_ledger
from vmh_sync.children.moved import is_nobodys
from vmh_sync.children.part import ChildrenPart, ChildrenWritten, children_plan
from vmh_sync.children.selection import SELECTIONS, changed_between, select
from vmh_sync.engine.counting.pass_progress import Step, went_through
from vmh_sync.engine.failures.isolation import isolated, together_or_alone
from vmh_sync.engine.failures.outage import common_outage
from vmh_sync.engine.passes.entity_pipeline import UnknownSelection
from vmh_sync.engine.passes.part import PartInput, PartPlan
from vmh_sync.engine.passes.pass_context import PassContext, WriteGate
from vmh_sync.engine.selecting.erased import SAYS, erased_of
from vmh_sync.engine.selecting.selection import enqueue
from vmh_sync.engine.selecting.span import span_of
from vmh_sync.engine.writing.failure import explain
from vmh_sync.engine.writing.guard import ReplanGuard, guard_mass_change
from vmh_sync.store.pairs.fingerprints import PartyRows
from vmh_sync.store.pairs.links import Link
from vmh_sync.store.pairs.records import REFUSED
from vmh_sync.store.store import Transaction
from vmh_sync.sync.base import Side
from vmh_sync.sync.fields import WrongKind
from vmh_sync.sync.planning.guards import GuardTripped
from vmh_sync.sync.planning.plan_print import prints_of
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync.systems.espocrm.errors import UnexpectedAnswer
from vmh_sync.systems.espocrm.records import EspoRecord

PARTY = "beteiligte"
PARTY_ESPO = "CBeteiligte"
CONCURRENT_PARTIES = 16
LEASE_WAIT_SECONDS = 2.0


@dataclass(slots=True, repr=False)
class ChildBatch:
    """One batch on its way through the stages. ``party_of`` maps a child to its party, ``settled`` are outcomes.

    ``taken_from`` are parties that a child was taken away from, which their own pass has not noticed yet.
    """

    ids: list[str]
    records: dict[str, EspoRecord] = field(default_factory=dict)
    party_of: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, PartInput] = field(default_factory=dict)
    rows: dict[str, PartyRows] = field(default_factory=dict)
    plans: dict[str, PartPlan] = field(default_factory=dict)
    settled: dict[str, RecordOutcome] = field(default_factory=dict)
    taken_from: set[str] = field(default_factory=set)

    def children_of(self, party_id: str) -> list[str]:
        """Return the asked-for children of a party that are not settled yet."""
        return [i for i in self.ids if self.party_of.get(i) == party_id and i not in self.settled]


@dataclass(frozen=True)
class ChildPipeline:
    """What the job does with a batch of children, see ``EntityPipeline``."""

    part: ChildrenPart

    @property
    def entity(self) -> str:
        """Return the kind's name."""
        return self.part.entity

    async def select(self, opened: PassContext, selection: str) -> list[str]:
        """Return the EspoCRM ids of a selection."""
        if (span := span_of(selection)) is not None:
            return await changed_between(opened, self.part.kind, span)
        if selection not in SELECTIONS:
            raise UnknownSelection(selection, SELECTIONS)
        return await select(opened, self.part.kind, selection)

    async def fetch(self, opened: PassContext, ids: Sequence[str], *, dry_run: bool = False) -> ChildBatch:
        """Read the children's parties and, through the part, everything the plan needs."""
        context, part, kind = opened, self.part, self.part.kind
        batch = ChildBatch(list(dict.fromkeys(ids)))
        spoilt: dict[str, UnexpectedAnswer] = {}
        names = kind.attributes(context.table(kind.entity, kind.table))
        listed = context.espo.list_ids_in(kind.espo_entity, "id", batch.ids, select=names, spoilt=spoilt)
        async for record in listed:
            batch.records[record.id] = record
        for child, error in spoilt.items():
            batch.settled[child] = explain(error).outcome(child)
        await context.store.read(_find_parties, part, batch)
        if batch.taken_from and not dry_run:
            await enqueue(context, PARTY, sorted(batch.taken_from), "moved")
        wanted = sorted(set(batch.party_of.values()))
        bad_parties: dict[str, UnexpectedAnswer] = {}
        of_party = ("betnr", "assignedUserId")
        parties = {
            record.id: record
            async for record in context.espo.list_ids_in(PARTY_ESPO, "id", wanted, select=of_party, spoilt=bad_parties)
        }
        for party_id, error in bad_parties.items():
            batch.settled |= {child: explain(error).outcome(child) for child in batch.children_of(party_id)}
        # Before either side is read: what another process stores from now on is noticed under the lease.
        links = await context.store.read(_party_links, wanted)
        batch.rows = await context.store.read(_rows, part, links.values())
        waiting = await _set_waiting_apart(context, batch, {*wanted} - {*links})
        if waiting and not dry_run:
            await enqueue(
                context, PARTY, [party_id for party_id in wanted if party_id in waiting & {*parties}], part.entity
            )
        reading = [link for party_id, link in links.items() if party_id in parties]
        problems = await all_of(*(_read_party(context, batch, parties[link.espo_id], link) for link in reading))
        outage = common_outage(problems)
        if outage is not None:
            raise outage
        for child, party_id in batch.party_of.items():
            if party_id in links and party_id not in parties and child not in batch.settled:
                # It hangs on a deleted record, and nobody can mend it there: its party's task says what is to be done.
                said = "Den Beteiligten dazu gibt es in EspoCRM nicht (mehr)."
                batch.settled[child] = RecordOutcome(child, Result.SKIPPED, links[party_id].betnr, error=said)
        await together_or_alone(
            f"{part.entity} of parties",
            list(batch.inputs.values()),
            lambda some: part.fetch(context, some),
            lambda party, error: _settle(batch, party.espo_id, error),
        )
        return batch

    def size(self, batch: ChildBatch) -> int:
        """Return the number of children."""
        return len(batch.ids)

    def map_fields(self, batch: ChildBatch) -> None:
        """Bring both sides' children of each party into canonical form."""
        for party_id, party in list(batch.inputs.items()):
            with isolated(f"{self.entity} of {party_id}", partial(_settle, batch, party_id)):
                self.part.map(party)

    def diff(self, batch: ChildBatch) -> int:
        """Plan the children of each party; returns how many have to be written."""
        for party_id, party in list(batch.inputs.items()):
            with isolated(f"{self.entity} of {party_id}", partial(_settle, batch, party_id)):
                batch.plans[party_id] = self.part.plan(party)
        return sum(len(children_plan(plan).to_write) for plan in batch.plans.values())

    def dry_run(self, batch: ChildBatch) -> list[RecordOutcome]:
        """Return what would become of each child, without writing anything."""
        outcomes = dict(batch.settled)
        for party_id, plan in batch.plans.items():
            party = batch.inputs[party_id]
            by_child = {child.espo_id: child for child in children_plan(plan).to_write}
            apart = {child.espo_id: different(self.part.kind, child) for child in children_plan(plan).every}
            for child in batch.children_of(party_id):
                own = by_child.get(child)
                plans = (self.part.record(party, [own]),) if own is not None else ()
                result = Result.SKIPPED if own is not None else Result.UNCHANGED
                outcomes[child] = RecordOutcome(child, result, party.betnr, plans=plans, different=apart.get(child, ()))
        return [outcomes[child] for child in batch.ids]

    async def write(
        self, opened: PassContext, batch: ChildBatch, *, allow_mass_change: bool = False
    ) -> list[RecordOutcome]:
        """Carry the plans out; returns one outcome per child. Raises ``GuardTripped`` before anything is written."""
        context, part = opened, self.part
        records = [plan.record for plan in batch.plans.values() if not plan.is_empty]
        await guard_mass_change(context, part.entity, records, allowed=allow_mass_change)
        guard = ReplanGuard(context, part.entity, allow_mass_change)
        limit = asyncio.Semaphore(CONCURRENT_PARTIES)

        async def one(party_id: str) -> list[RecordOutcome]:
            children, betnr = batch.children_of(party_id), batch.inputs[party_id].betnr
            done: list[RecordOutcome] = []

            def blame(error: Exception) -> None:
                done.extend(explain(error).outcome(child, betnr) for child in children)

            async with limit:
                with isolated(f"{part.entity} of {party_id}", blame, foreseen=(WrongKind,)):
                    try:
                        done += await _write_party(context, part, batch, party_id, guard)
                    except GuardTripped as stop:
                        blame(stop)
            went_through(Step.DONE, len(children))
            return done

        outcomes = dict(batch.settled)
        for done in await all_of(*(one(party_id) for party_id in batch.plans)):
            outcomes |= {outcome.id: outcome for outcome in done}
        ordered = [_edited(batch, outcomes[child]) for child in batch.ids]
        return await close_ledger(context, part.kind, batch.records, ordered)


def _find_parties(tx: Transaction, part: ChildrenPart, batch: ChildBatch) -> None:
    ids = [child for child in batch.ids if child not in batch.settled]
    links = tx.links.get_many(part.entity, [i for i in ids if i not in batch.records or is_nobodys(batch.records[i])])
    owners = tx.links.get_many_by_betnr([link.betnr for link in links.values() if link.betnr is not None])
    for child in ids:
        record, link = batch.records.get(child), links.get(child)
        if record is not None and record.attributes.get("beteiligteId"):
            batch.party_of[child] = str(record.attributes["beteiligteId"])
        elif record is None and link is not None and link.betnr in owners:
            batch.party_of[child] = owners[link.betnr].espo_id
        elif record is not None:
            if link is not None and link.betnr in owners and link.state in ("active", "deleted_in_advoware"):
                batch.taken_from.add(owners[link.betnr].espo_id)
            text = f"{part.label}: Der Datensatz gehört zu keinem Beteiligten. Bitte einen Beteiligten zuordnen."
            batch.settled[child] = _failed(child, text, REFUSED)
        else:
            text = "Diesen Datensatz gibt es in EspoCRM nicht (mehr); bitte die ID prüfen."
            batch.settled[child] = _failed(child, text, UNKNOWN_ID)


async def _set_waiting_apart(context: PassContext, batch: ChildBatch, unlinked: set[str]) -> set[str]:
    """Settle the children of parties without a link; returns the parties that come first: no erased ones."""
    erased = await erased_of(context.store)
    for party_id in unlinked:
        said = SAYS if erased.covers(party_id) else None
        batch.settled |= {c: RecordOutcome(c, Result.SKIPPED, error=said) for c in batch.children_of(party_id)}
    return unlinked - erased.espo_ids


def _failed(child: str, message: str, error_class: str) -> RecordOutcome:
    return RecordOutcome(child, Result.FAILED, error=message, error_class=error_class, retryable=False)


def _rows(tx: Transaction, part: ChildrenPart, parties: Iterable[Link]) -> dict[str, PartyRows]:
    numbers = {link.espo_id: link.betnr for link in parties if link.betnr is not None}
    return tx.fingerprints.rows_of(numbers, (), part.link_entities)


def _party_links(tx: Transaction, ids: Sequence[str]) -> dict[str, Link]:
    links = tx.links.get_many(PARTY, ids)
    return {espo_id: link for espo_id, link in links.items() if link.betnr is not None}


async def _read_party(context: PassContext, batch: ChildBatch, espo: EspoRecord, link: Link) -> Exception | None:
    betnr = link.betnr or 0
    failed: list[Exception] = []
    advoware = None
    with isolated(f"{PARTY} {espo.id}", failed.append):
        advoware = await context.advoware.read_beteiligter(betnr)
    went_through(Step.READ, len(batch.children_of(espo.id)))
    for error in failed:
        batch.settled |= {child: explain(error).outcome(child, betnr) for child in batch.children_of(espo.id)}
        return error
    if advoware is None:
        for child in batch.children_of(espo.id):
            batch.settled[child] = _failed(child, "Den Beteiligten dazu gibt es in Advoware nicht mehr.", "NotFound")
        return None
    batch.inputs[espo.id] = PartInput(espo.id, betnr, espo, False, advoware)
    return None


def _settle(batch: ChildBatch, party_id: str, error: Exception) -> None:
    betnr = batch.inputs.pop(party_id).betnr
    batch.settled |= {child: explain(error).outcome(child, betnr) for child in batch.children_of(party_id)}


def _edited(batch: ChildBatch, outcome: RecordOutcome) -> RecordOutcome:
    """Note when a person edited the child in EspoCRM; Advoware keeps no such time of its own for children."""
    record = batch.records.get(outcome.id)
    if record is None or not outcome.advoware_writes:
        return outcome
    return replace(outcome, edited_at=record.modified_at)


async def _write_party(
    context: PassContext, part: ChildrenPart, batch: ChildBatch, party_id: str, guard: ReplanGuard
) -> list[RecordOutcome]:
    party, plan = batch.inputs[party_id], batch.plans[party_id]
    children = batch.children_of(party_id)
    if part.children(party).problem is None and plan.is_empty:
        return _told(party, children, ChildrenWritten(children_plan(plan)), None)
    later = [RecordOutcome(child, Result.SKIPPED, party.betnr, later=True) for child in children]
    async with context.leases.hold(f"{PARTY}:{party_id}", wait=LEASE_WAIT_SECONDS) as lease:
        if lease is None:
            return later
        gate = WriteGate(lease, guard)
        with fence.over_comes_first():
            if not await _still_stands(context, part, batch, party_id):
                # Meanwhile the person may have been erased, or the record got another number.
                links = await context.store.read(_party_links, [party_id])
                if party_id not in links or links[party_id].betnr != party.betnr:
                    return later
                plan = await part.plan_anew(context, party)
            await gate.replanned([plan.record])
            written = await part.write_children(context, gate, party, plan)
            shown = batch.plans[party_id].record
            written.replanned = written.replanned or prints_of([plan.record]) != prints_of([shown])
        return _told(party, children, written, gate)


async def _still_stands(context: PassContext, part: ChildrenPart, batch: ChildBatch, party_id: str) -> bool:
    """Whether a plan may be carried out that was made before the party's lease was ours.

    As for parties (:mod:`vmh_sync.beteiligte.writing.first_plan`): our database must say what it said before anything
    was read, all else is compared at the target, and what is created is planned from reads made under the lease.
    """
    if part.children(batch.inputs[party_id]).problem is not None or children_plan(batch.plans[party_id]).creates:
        return False
    party = Link(entity=PARTY, espo_id=party_id, betnr=batch.inputs[party_id].betnr)
    return await context.store.read(_rows, part, [party]) == {party_id: batch.rows[party_id]}


def _told(
    party: PartInput, children: Sequence[str], written: ChildrenWritten, gate: WriteGate | None
) -> list[RecordOutcome]:
    plans = {plan.espo_id: plan for plan in written.plan.every}
    outcomes = []
    for number, child in enumerate(children):
        writes = gate.writes if gate is not None and number == 0 else {}
        plan = plans.get(child)
        message = plan.message if plan is not None else None
        if child in written.failures:
            outcomes.append(explain(written.failures[child]).outcome(child, party.betnr))
            continue
        result = Result.FAILED if message else Result.SYNCED if child in written.touched else Result.UNCHANGED
        outcomes.append(
            RecordOutcome(
                child,
                result,
                party.betnr,
                error=message,
                error_class=REFUSED if message else None,
                retryable=not message,
                advoware_writes=writes.get(Side.ADVOWARE, 0),
                espocrm_writes=writes.get(Side.ESPOCRM, 0),
                findings=plan.findings if plan is not None else (),
                replanned=written.replanned,
            )
        )
    return outcomes
