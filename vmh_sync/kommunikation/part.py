"""Kommunikation as a part of the party pass (specification, entities.md 2; issue 3)."""

from collections.abc import Mapping, Sequence

from vmh_sync.engine.passes.modified_stamps import settled
from vmh_sync.engine.passes.part import Asked, PartDone, PartInput, PartPlan, own
from vmh_sync.engine.passes.pass_context import PassContext, WriteGate
from vmh_sync.kommunikation.marking import any_lacks_marker
from vmh_sync.kommunikation.model import Options, PairState
from vmh_sync.kommunikation.notation import Refusal
from vmh_sync.kommunikation.pairs import ENTITY, pairs_of
from vmh_sync.kommunikation.planning import (
    ESPO_ENTITY,
    MappedEntries,
    Notes,
    PlannedEntries,
    entries_of,
    map_entries,
    plan_part,
    quiet_mark,
)
from vmh_sync.kommunikation.task_texts import EntryLabels
from vmh_sync.kommunikation.unreadable import problem_of
from vmh_sync.kommunikation.unsettled import Arriving
from vmh_sync.kommunikation.write import write_part
from vmh_sync.store.store import Transaction
from vmh_sync.sync.merge import ConflictRule
from vmh_sync.sync.planning.plan import RecordPlan

PARTY = "beteiligte"


class KommunikationPart:
    """Phones and e-mails of a party, both ways, entry by entry."""

    entity = ENTITY
    label = "Kommunikation"
    labels: Mapping[str, str] = EntryLabels()

    link_entities = (ENTITY,)
    has_records = False

    async def ask(self, context: PassContext, espo_ids: Sequence[str]) -> None:
        """Nothing: its lists stand in the party's record."""

    async def fetch(self, context: PassContext, parties: Sequence[PartInput], asked: Asked | None = None) -> None:
        """Read pairs, marks, open tasks and unsettled creates; both sides' values come with the parties."""
        await context.store.read(_remember, context, parties)

    def needs_full(self, party: PartInput) -> bool:
        """Whether EspoCRM's lists must be read: they were changed, or may have been, since they were last agreed."""
        notes = own(party.notes[ENTITY], Notes)
        link, state, espo = notes.party, notes.state, party.espo
        if party.retry_refused and any(pair.refusal and Refusal(pair.refusal).may_pass for pair in notes.pairs):
            return True
        unsure = any(pair.sent is not None for pair in notes.pairs)
        if link is None or state is None or notes.intents or unsure or state.quiet_mark is None:
            return True
        known = (link.espo_modified_at, link.espo_version) == (espo.modified_at, espo.version)
        if not known or not settled(link_read_at=link.espo_read_at, modified_at=espo.modified_at):
            return True
        if problem_of(espo, party.advoware) is not None:
            return True
        entries = entries_of(party.advoware)
        if entries is not None and any_lacks_marker(notes.pairs, entries, notes.options):
            return True
        return entries is None or state.quiet_mark != quiet_mark(espo.attributes, entries, notes.pairs, notes.options)

    def map(self, party: PartInput) -> None:
        """Bring both sides and the pairs together; nothing where a list entry showed that nothing changed."""
        party.mapped[ENTITY] = map_entries(party, own(party.notes[ENTITY], Notes)) if party.espo_full else None

    def plan(self, party: PartInput) -> PartPlan:
        """Decide what is to be done with what was mapped."""
        notes = own(party.notes[ENTITY], Notes)
        mapped = party.mapped[ENTITY]
        if mapped is None:
            return PartPlan(RecordPlan(ESPO_ENTITY, party.espo_id, party.betnr), agreed=_is_agreed(notes))
        return plan_part(party, notes, own(mapped, MappedEntries))

    async def write(self, context: PassContext, gate: WriteGate, party: PartInput, plan: PartPlan) -> PartDone:
        """Carry the plan out, except for the party's own EspoCRM record."""
        notes, work = own(party.notes[ENTITY], Notes), own(plan.detail, PlannedEntries)
        return await write_part(context, gate, party, notes, work)


def _is_agreed(notes: Notes) -> bool:
    refused = any(pair.state is PairState.REFUSED or pair.advoware_id is None or pair.sent for pair in notes.pairs)
    return not (refused or notes.tasks or notes.intents)


def _remember(tx: Transaction, context: PassContext, parties: Sequence[PartInput]) -> None:
    ids = [party.espo_id for party in parties]
    options = _options(context)
    links = tx.links.get_many(PARTY, ids)
    states = tx.kommunikation_states.get_many(ids)
    entries = tx.links.entries_of(ENTITY, ids)
    tasks = tx.tasks.open_for_many(PARTY, ids)
    intents = tx.intents.open_for_many(ENTITY, ids)
    for party in parties:
        # What was noted of another party's entries, before a merge in EspoCRM, says nothing of these.
        state = states.get(party.espo_id)
        party.notes[ENTITY] = Notes(
            context.run_id,
            options,
            links.get(party.espo_id),
            state if state is not None and state.betnr == party.betnr else None,
            pairs_of(link for link in entries.get(party.espo_id, []) if link.betnr == party.betnr),
            tasks.get(party.espo_id, []),
            intents.get(party.espo_id, []),
            Arriving.at(context.clock.now(), context.longest_request),
        )


def _options(context: PassContext) -> Options:
    """Return the merge's settings; the operator's conflict rule stands under ``kommunikation`` / ``tlf``.

    No time stamps: Advoware's ``geaendertAm`` is the party's own and does not move with its entries, so "newest" would
    be a guess (specification, sync-semantics.md 1: without stamps EspoCRM wins).
    """
    rule = context.field_changes.get(ENTITY, {}).get("tlf", {}).get("conflict", ConflictRule.ESPOCRM_WINS)
    return Options(conflict=ConflictRule(rule), write_markers=context.rules.write_markers)
