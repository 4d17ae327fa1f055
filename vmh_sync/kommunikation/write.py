"""Carries out a party's Kommunikation plan: Advoware's entries, then the lists for the party's one PUT to EspoCRM.

What is stored at the end follows from what both sides really hold then: pairs from the read-back, and the mark that
an unchanged party needs no closer look only if a plan made from that state would do nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from vmh_sync.engine.passes.part import PartDone, PartInput
from vmh_sync.engine.passes.pass_context import PassContext, WriteGate
from vmh_sync.engine.writing.audit_rows import Audited
from vmh_sync.kommunikation import task_texts
from vmh_sync.kommunikation.doubtful import reads_otherwise
from vmh_sync.kommunikation.entry_write import EntryWriter
from vmh_sync.kommunikation.errors import EntryListMissing, SuspiciousEmpty
from vmh_sync.kommunikation.lists import refused_whole
from vmh_sync.kommunikation.merge import plan_communication
from vmh_sync.kommunikation.model import Channel, Pair, PartyCommunication
from vmh_sync.kommunikation.narrowing import only_first, without_postponed
from vmh_sync.kommunikation.noted_lists import brought, note_lists
from vmh_sync.kommunikation.pairs import ENTITY, store_delta
from vmh_sync.kommunikation.phone_types import with_types_of_the_installation
from vmh_sync.kommunikation.plan import EspoList, KommunikationPlan, PairDelta, espo_step
from vmh_sync.kommunikation.planning import (
    LISTS,
    Notes,
    PlannedEntries,
    compatible_hash,
    listed,
    quiet_mark,
    unknown_tasks,
)
from vmh_sync.kommunikation.readback import as_read, missing_values
from vmh_sync.kommunikation.shared_flags import with_shared_flags
from vmh_sync.kommunikation.tracing import change_row, record_conflicts, refusal_rows
from vmh_sync.store.pairs.kommunikation_states import KommunikationState
from vmh_sync.store.store import Transaction
from vmh_sync.sync.base import Side
from vmh_sync.sync.planning.plan import TaskWanted
from vmh_sync.systems.espocrm.records import EspoRecord


async def write_part(
    context: PassContext, gate: WriteGate, party: PartInput, notes: Notes, work: PlannedEntries
) -> PartDone:
    """Write to Advoware; returns what goes into EspoCRM's record and what is to be stored afterwards.

    Raises :class:`EntryListMissing` or :class:`SuspiciousEmpty` before anything is written, and any ``AdvowareError``;
    entries written until then are stored already.
    """
    sides = work.mapped.sides
    if sides.entries is None:
        raise EntryListMissing("GET Beteiligte/{betnr}: no list of Kommunikation")
    if work.plan.suspicious_empty:
        await _note_empty(context, party, notes, work.plan)
        raise SuspiciousEmpty(f"party {party.betnr}: {', '.join(sorted(map(str, work.plan.suspicious_empty)))}")
    if await reads_otherwise(context, party, sides, work.plan):
        return PartDone(again=True)
    note = None
    if work.plan.conflicts or work.mapped.adopted or work.mapped.settled or brought(work.plan):
        note = await context.store.write(_prepare, context, party, work)
    writer = EntryWriter(
        context,
        gate,
        party.espo_id,
        party.betnr,
        work.plan,
        pairs=sides.pairs,
        entries={entry.id: entry for entry in sides.entries},
        just_created=party.just_created,
        in_flight=work.mapped.in_flight,
    )
    await writer.run()
    execution = Execution(context, party, notes, work, writer, note)
    await execution.prepare_lists()
    return execution.result()


async def _note_empty(context: PassContext, party: PartInput, notes: Notes, plan: KommunikationPlan) -> None:
    sides = tuple(sorted(map(str, plan.suspicious_empty)))
    if notes.state is not None and notes.state.empty_sides == sides:
        return  # the run that saw it first is the one that a later run confirms
    empty = KommunikationState(party.espo_id, party.betnr, empty_sides=sides, empty_seen_by=context.run_id)
    await context.store.write(lambda tx: tx.kommunikation_states.save(empty))


def _prepare(tx: Transaction, context: PassContext, party: PartInput, work: PlannedEntries) -> str | None:
    """Store what must be known before anything is written; returns the note of what EspoCRM is going to get."""
    record_conflicts(tx, Audited(ENTITY, party.espo_id, party.betnr, context.run_id), work.plan)
    for one in work.mapped.adopted:
        store_delta(tx, party.espo_id, party.betnr, PairDelta((), (one.pair,)))
        tx.intents.complete(one.intent.id, str(one.pair.advoware_id))
    store_delta(tx, party.espo_id, party.betnr, PairDelta((), work.mapped.noted))
    for intent in work.mapped.settled:
        tx.intents.abandon(intent.id)
    pairs = brought(work.plan)
    return note_lists(tx, context.run_id, party.espo_id, party.betnr, pairs) if pairs else None


@dataclass(slots=True, repr=False)
class Execution:
    """The second half: EspoCRM's lists, and what is stored when they are through."""

    context: PassContext
    party: PartInput
    notes: Notes
    work: PlannedEntries
    writer: EntryWriter
    note: str | None = None
    lists: tuple[EspoList, ...] = ()
    again: bool = False
    postponed: set[Channel] = field(default_factory=set)
    done: PartDone = field(default_factory=PartDone)

    async def prepare_lists(self) -> None:
        """Decide whether the lists may be sent.

        A sent list replaces the whole list: the PUT looks at it directly before (``engine.crm_write``).
        """
        self.again = self.writer.moved
        if not self.work.plan.lists or self.again:
            return
        lists = [self._narrowed(one) for one in self.work.plan.lists]
        lists = [await with_shared_flags(self.context, one, self.party.espo_id) for one in lists]
        self.lists = tuple([await with_types_of_the_installation(self.context, one) for one in lists])

    def _narrowed(self, one: EspoList) -> EspoList:
        refused_whole = self.notes.state.one_by_one if self.notes.state is not None else ()
        if one.channel not in refused_whole or len(one.added) < 2:
            return one
        self.postponed.add(one.channel)
        return only_first(one, listed(self.party.espo.attributes, one.channel) or ())

    def result(self) -> PartDone:
        """Return what the party pass goes on with."""
        content: dict[str, object] = {}
        for one in self.lists:
            content |= one.attributes
        planned = self.party.espo.attributes
        written_anyway = content or planned.get("syncStatus") not in ("clean", "conflict", None)
        if (
            "kommunikationHash" in planned
            and self.work.problem is None
            and (written_anyway or self.notes.options.write_markers)
        ):
            told = compatible_hash(self.writer.entries.values())
            if planned["kommunikationHash"] != told:
                content["kommunikationHash"] = told
        self.done.espo = content
        self.done.commit = self.commit
        self.done.conflicts = len(self.work.plan.conflicts)
        self.done.findings = self.work.plan.findings
        self.done.again = self.again
        self.done.failed = self.work.problem
        return self.done

    def commit(self, tx: Transaction, espo: EspoRecord | None) -> None:
        """Store pairs, audit and the mark; decide which tasks are still missing."""
        party, plan = self.party, self.work.plan
        audited = Audited(ENTITY, party.espo_id, party.betnr, self.context.run_id)
        if self.note is not None:
            tx.intents.complete(self.note, party.espo_id)
        attributes = self._standing(espo)
        steps, refused, ignored = self._steps(attributes)
        for one in self.lists:
            if len(one.added) == 1 and one.channel in self.postponed:
                plan = without_postponed(plan, one)
        read = as_read(
            plan.pairs_after(steps, refused, ignored), self.writer.entries.values(), self.writer.planned.values()
        )
        pairs = store_delta(tx, party.espo_id, party.betnr, read.delta)
        rows = [
            change_row(audited, change, "applied", Side.ESPOCRM)
            for one in self.lists
            if espo_step(one.channel) in steps
            for change in one.changes
        ]
        after = self._plan_after(attributes, pairs)
        known = {(one.field, one.value) for one in (*plan.quarantined, *self.work.still_refused)}
        newly = tuple(replace(one, new=True) for one in after.quarantined if (one.field, one.value) not in known)
        new = replace(after, quarantined=newly if refused or ignored or read.not_taken else ())
        rows += refusal_rows(audited, (plan, new))
        if rows:
            tx.audit.append(rows)
        told = {(finding.field, finding.message) for finding in plan.findings}
        more = [one for one in (*read.findings, *after.findings) if (one.field, one.message) not in told]
        self.done.findings = (*plan.findings, *more)
        self.done.lasting = task_texts.for_people((*after.tasks, *self._refused_whole()))
        self.done.tasks = unknown_tasks(self.done.lasting, self.notes.tasks)
        self.done.again = self.again = self.again or bool(self.postponed) or read.edited or after.only_marks
        quiet = (
            self.work.problem is None
            and after.writes_nothing
            and not after.base_moves
            and not after.suspicious_empty
            and not self.again
        )
        entries = tuple(self.writer.entries.values())
        mark = quiet_mark(attributes, entries, pairs, self.notes.options) if quiet else None
        postponed = tuple(sorted(self.postponed))
        tx.kommunikation_states.save(
            KommunikationState(party.espo_id, party.betnr, quiet_mark=mark, one_by_one=postponed)
        )

    def _standing(self, espo: EspoRecord | None) -> Mapping[str, object]:
        """EspoCRM's record as it stands now; an answer without lists says nothing of them."""
        before = self.party.espo.attributes
        if espo is None:
            return before
        return {**{name: before.get(name) for name in LISTS.values()}, **espo.attributes}

    def _steps(self, attributes: Mapping[str, object]) -> tuple[dict[str, int | None], dict[str, str], set[str]]:
        steps, refused, ignored = dict(self.writer.done), dict(self.writer.refused), set[str]()
        for one in self.lists:
            standing = listed(attributes, one.channel)
            turned_away = LISTS[one.channel] in self.done.refused
            if turned_away and len(one.added) > 1:
                self.postponed.add(one.channel)  # nobody knows yet which of them it was
                self.again = True
            elif turned_away:
                refused[espo_step(one.channel)] = ""
            elif standing is None or missing_values(one, standing):
                ignored.add(espo_step(one.channel))
            else:
                steps[espo_step(one.channel)] = None
        return steps, refused, ignored

    def _refused_whole(self) -> Iterator[TaskWanted]:
        for one in self.lists:
            why = self.done.refused.get(LISTS[one.channel])
            if why is not None and not one.added:
                yield refused_whole(one, why)

    def _plan_after(self, attributes: Mapping[str, object], pairs: tuple[Pair, ...]) -> KommunikationPlan:
        sides = PartyCommunication(
            emails=listed(attributes, Channel.EMAIL),
            phones=listed(attributes, Channel.PHONE),
            entries=tuple(self.writer.entries.values()),
            pairs=pairs,
            contacts=self.work.mapped.sides.contacts,
        )
        return plan_communication(sides, replace(self.notes.options, confirmed_empty=True))
