"""Reads the children of a batch of parties: EspoCRM by one list per 100 parties, our database in one go.

Advoware's children come embedded in the party that was read already; only where an installation does not embed them,
they cost a call (specification, advoware-wire.md 5). Nothing is taken for deleted because a list lacks it: EspoCRM is
asked directly, and an empty list of Advoware is read a second time (invariant 5).
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from vmh_sync.background import all_of
from vmh_sync.children.kind import ChildKind
from vmh_sync.children.listing import ListedChildren, list_children
from vmh_sync.children.moved import is_nobodys, is_orphaned, read_living_owners
from vmh_sync.children.sync_state import ChildrenRead, PartyChildren, owner_of
from vmh_sync.engine.failures.isolation import isolated
from vmh_sync.engine.passes.part import PartInput
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.store.store import Transaction
from vmh_sync.sync.base import Side
from vmh_sync.systems.advoware.errors import CapabilityMissing, NotFound, NotOffered, UnexpectedAnswer
from vmh_sync.systems.advoware.records import Beteiligter
from vmh_sync.systems.spoilt_row import SpoiltRow
from vmh_sync.tasks.answered import note_answers


async def fetch_children(
    context: PassContext, kind: ChildKind, parties: Sequence[PartInput], listed: ListedChildren | None = None
) -> None:
    """Fill ``notes[kind.entity]`` of each party; whom ``listed`` does not name is listed now.

    Raises a ``ForeignSystemError`` when EspoCRM cannot list at all.
    """
    if not parties:
        return
    now = context.clock.now()
    table = context.table(kind.entity, kind.table)
    all_children: dict[str, PartyChildren] = {}
    for party in parties:
        all_children[party.espo_id] = PartyChildren(
            party.espo_id,
            party.betnr,
            owner_of(party.advoware),
            table,
            context.rules,
            now,
            now.astimezone(context.zone).date(),
            by_person=context.by_person,
        )
        party.notes[kind.entity] = all_children[party.espo_id]
    known = {espo_id for espo_id in all_children if listed is not None and espo_id in listed.records}
    unknown = [espo_id for espo_id in all_children if espo_id not in known]
    if listed is not None:
        _take(listed, {espo_id: all_children[espo_id] for espo_id in known})
    if unknown:
        _take(await list_children(context, kind, unknown), {espo_id: all_children[espo_id] for espo_id in unknown})
    await context.store.read(_remember, kind, list(all_children.values()))
    await note_answers(context, [rows for children in all_children.values() for rows in children.tasks.values()])
    await read_living_owners(context, all_children.values())
    await all_of(*(_complete(context, kind, party, all_children[party.espo_id]) for party in parties))


def _take(listed: ListedChildren, all_children: Mapping[str, PartyChildren]) -> None:
    for espo_id, children in all_children.items():
        children.espo = {record.id: record for record in listed.records[espo_id] if not record.deleted}
        children.problem = listed.spoilt.get(espo_id)
        rows = listed.rows.get(espo_id, [])
        children.spoilt_in_espocrm = {row.id: row.error for row in rows if row.id is not None}


def _remember(tx: Transaction, kind: ChildKind, all_children: Sequence[PartyChildren]) -> None:
    by_betnr = tx.links.children_of(kind.entity, [children.betnr for children in all_children])
    by_espo = tx.links.get_many(kind.entity, [espo_id for children in all_children for espo_id in children.espo])
    ids = {link.espo_id for links in by_betnr.values() for link in links} | {i for m in all_children for i in m.espo}
    tasks = tx.tasks.open_for_many(kind.entity, sorted(ids))
    ledger_rows = tx.records.get_many(kind.entity, sorted(ids))
    linked_pairs = {(link.betnr, espo_id) for espo_id, link in by_espo.items()}
    unlinked = [espo_id for m in all_children for espo_id in m.espo if (m.betnr, espo_id) not in linked_pairs]
    imports = {(m.betnr, espo_id): m.import_of(kind, espo_id) for m in all_children for espo_id in m.espo}
    intents = tx.intents.open_for_many(kind.entity, [*unlinked, *imports.values()] if unlinked else [])
    for children in all_children:
        children.links = by_betnr.get(children.betnr, [])
        children.foreign_links = {
            espo_id: by_espo[espo_id]
            for espo_id in children.espo
            if espo_id in by_espo and by_espo[espo_id].betnr != children.betnr
        }
        known = {link.espo_id for link in children.links} | set(children.espo)
        # The record may have been edited since: what was created is found by what was sent.
        children.attempted = {
            espo_id: intents[espo_id][-1]
            for espo_id in children.espo
            if espo_id in intents and intents[espo_id][-1].system == str(Side.ADVOWARE)
        }
        children.imported = {
            espo_id: intents[imports[children.betnr, espo_id]][-1]
            for espo_id in children.espo
            if (children.betnr, espo_id) not in linked_pairs and imports[children.betnr, espo_id] in intents
        }
        children.ledger_rows = {espo_id: ledger_rows[espo_id] for espo_id in known if espo_id in ledger_rows}
        children.tasks = {espo_id: tasks[espo_id] for espo_id in known if espo_id in tasks}


async def _complete(context: PassContext, kind: ChildKind, party: PartInput, children: PartyChildren) -> None:
    if children.problem is not None:
        return
    with isolated(f"{kind.entity} of {party.espo_id}", children.blame):
        children.take(await _advoware(context, kind, party, children))
        missing = [
            link.espo_id
            for link in children.links
            if link.espo_id not in children.espo and link.espo_id not in children.spoilt_in_espocrm
            if link.state in ("active", "deleted_in_advoware")
        ]
        for espo_id in missing:
            await _confirm_missing(context, kind, party, children, espo_id)


async def _advoware(context: PassContext, kind: ChildKind, party: PartInput, children: PartyChildren) -> ChildrenRead:
    read = _embedded(kind, party.advoware) or await _listed(context, kind, children.betnr)
    return read if party.just_created else await _believed(context, kind, children, read)


async def read_believed(context: PassContext, kind: ChildKind, children: PartyChildren) -> ChildrenRead:
    """Read a party's children in Advoware anew, a second time when there are none although there should be."""
    return await _believed(context, kind, children, await read_children(context, kind, children.betnr))


async def _believed(context: PassContext, kind: ChildKind, children: PartyChildren, read: ChildrenRead) -> ChildrenRead:
    """From none, deletions would follow for what is linked, and creates for what only EspoCRM has."""
    linked = any(link.state == "active" for link in children.links)
    if read.is_empty and (linked or children.espo):
        return await read_children(context, kind, children.betnr)
    return read


async def read_children(context: PassContext, kind: ChildKind, betnr: int) -> ChildrenRead:
    """Read a party's children in Advoware anew, by whichever call this installation offers."""
    with suppress(CapabilityMissing, NotFound, NotOffered):
        return await _listed(context, kind, betnr)
    party = await context.advoware.read_beteiligter(betnr)
    read = _embedded(kind, party) if party is not None else None
    if read is None:
        raise UnexpectedAnswer(f"GET Beteiligte/{{betnr}}: no list of {kind.advoware_entity}")
    return read


async def _listed(context: PassContext, kind: ChildKind, betnr: int) -> ChildrenRead:
    spoilt: list[SpoiltRow] = []
    children = await kind.listed(context, betnr, spoilt)
    return ChildrenRead.of(children, spoilt)


def _embedded(kind: ChildKind, party: Beteiligter) -> ChildrenRead | None:
    children = kind.embedded(party)
    return ChildrenRead.of(children, party.spoilt.get(kind.entity, ())) if children is not None else None


async def _confirm_missing(
    context: PassContext, kind: ChildKind, party: PartInput, children: PartyChildren, espo_id: str
) -> None:
    record = await context.espo.read(kind.espo_entity, espo_id)
    if record is None:
        children.gone_in_espocrm.add(espo_id)
    elif record.attributes.get("beteiligteId") == party.espo_id:
        children.espo[espo_id] = record
    elif await is_orphaned(context, record):
        children.espo[espo_id] = record
        children.orphaned.add(espo_id)
    elif is_nobodys(record):
        children.gone_in_espocrm.add(espo_id)
        children.taken_away.add(espo_id)
    else:
        children.elsewhere.add(espo_id)
