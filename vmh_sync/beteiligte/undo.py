"""Takes back one applied change of a party or of what belongs to it, see :mod:`vmh_sync.engine.writing.undo`."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from vmh_sync.adressen.part import PART as ADRESSEN
from vmh_sync.bankverbindungen.part import PART as BANKVERBINDUNGEN
from vmh_sync.beteiligte.batch import party_table
from vmh_sync.beteiligte.fields import ESPO_ENTITY
from vmh_sync.beteiligte.master_data.state import PartyState
from vmh_sync.beteiligte.model import espo_payload
from vmh_sync.beteiligte.party import ENTITY, PartyRead
from vmh_sync.beteiligte.reading.canonical import map_party
from vmh_sync.beteiligte.reading.fetch import fetch_parties
from vmh_sync.beteiligte.writing.failure import RECORD_FAILURES, explain
from vmh_sync.beteiligte.writing.write import LEASE_WAIT_SECONDS
from vmh_sync.children.part import ChildrenPart
from vmh_sync.children.undo import child_rule, undo_child
from vmh_sync.engine.passes.opening import PassSettings, open_context
from vmh_sync.engine.passes.part import PartInput
from vmh_sync.engine.passes.pass_context import PassContext, WriteGate
from vmh_sync.engine.writing.undo import (
    NOT_UNDOABLE,
    Chain,
    Undo,
    Undone,
    UndoRefused,
    as_edit,
    ids_of,
    note_undone,
    one_sided,
    require_same_party,
    require_unmoved,
    require_writable,
    stored_chain,
    take_back_each,
    write_back,
    written,
)
from vmh_sync.kommunikation.pairs import ENTITY as KOMMUNIKATION
from vmh_sync.kommunikation.undo import channel_of_change, undo_entry
from vmh_sync.store.history.audit import Change
from vmh_sync.store.store import Transaction
from vmh_sync.sync.base import Side
from vmh_sync.sync.fields import FieldRule, FieldTable, Unrepresentable
from vmh_sync.systems.espocrm.records import EspoRecord

CHILDREN: dict[str, ChildrenPart] = {part.entity: part for part in (ADRESSEN, BANKVERBINDUNGEN)}


class PartyUndo:
    """Takes back changes of parties and of what belongs to them."""

    entities = frozenset({ENTITY, KOMMUNIKATION, *CHILDREN})

    def chains(self, changes: Sequence[Change]) -> list[Chain]:
        """Return changes of the same field together; what is undone already, or was written nowhere, is left out."""
        found: dict[tuple[str, str, str], list[Change]] = {}
        for change in written(changes):
            found.setdefault(_key(change), []).append(change)
        return [tuple(chain) for chain in found.values()]

    async def take_back(self, run_id: str, chains: Sequence[Chain], *, dry_run: bool) -> Undone:
        """Write the old values to EspoCRM, unless ``dry_run``. Raises ``SettingsError``."""
        async with open_context(run_id, PassSettings.read()) as context:
            return await take_back_each(
                chains,
                lambda chain: undo_change(context, *ids_of(chain), dry_run=dry_run),
                RECORD_FAILURES,
                lambda error: explain(error).message,
            )


UNDO = PartyUndo()


def _key(change: Change) -> tuple[str, str, str]:
    name = str(change.field)
    if change.kind != "created" or change.entity == KOMMUNIKATION:
        # An entry of a list keeps its id while its value changes, and is created under a name that has none.
        entry = change.advoware_id if "/" in name and change.advoware_id else name
        return change.entity, str(change.espo_id), f"{name.partition('/')[0]}/{entry}"
    return change.entity, str(change.espo_id), "created"


async def undo_change(context: PassContext, *change_ids: int, dry_run: bool = False) -> Undo:
    """Write the old value of a change to EspoCRM, unless ``dry_run``; returns what was done or would be.

    Several ids are changes of one field, newest first: they are taken back in one go.

    Raises :class:`UndoRefused` when the change cannot be taken back safely: it was undone before, cannot be written
    on both sides, or has moved on either side since; ``VersionConflict`` when it moves this very moment.
    """
    change = await asyncio.to_thread(stored_chain, context, change_ids)
    if change.entity in CHILDREN:
        child_rule(context, CHILDREN[change.entity], change)
        party_id = await _party_of(context, CHILDREN[change.entity], change)
    elif change.entity == KOMMUNIKATION:
        channel_of_change(change)
        party_id = str(change.espo_id)
    else:
        _rule(change, party_table(context))
        party_id = str(change.espo_id)
    async with _leased(context, party_id) as gate:
        # Another undo may have been quicker.
        change = await asyncio.to_thread(stored_chain, context, change_ids)
        if change.entity == ENTITY:
            undo = await _undo_master(context, change, party_id, gate, dry_run=dry_run)
        else:
            party = await _both_sides(context, party_id)
            require_same_party(change, party.betnr)
            if change.entity == KOMMUNIKATION:
                undo = await undo_entry(context, change, party, gate, dry_run=dry_run)
            else:
                undo = await undo_child(context, CHILDREN[change.entity], change, party, gate, dry_run=dry_run)
        if not dry_run:
            await note_undone(context, [(change, change_ids)])
        return undo


@asynccontextmanager
async def _leased(context: PassContext, party_id: str) -> AsyncIterator[WriteGate]:
    async with context.leases.hold(f"{ENTITY}:{party_id}", wait=LEASE_WAIT_SECONDS) as lease:
        if lease is None:
            raise UndoRefused("Der Datensatz wird gerade abgeglichen; bitte gleich noch einmal versuchen.")
        yield WriteGate(lease)


async def _undo_master(context: PassContext, change: Change, party_id: str, gate: WriteGate, *, dry_run: bool) -> Undo:
    table = party_table(context)
    rule = _rule(change, table)
    (read,) = await fetch_parties(context, [party_id])
    before, state = _present(read, map_party(read, table, context.zone))
    require_same_party(change, read.betnr)
    now = {Side.ESPOCRM: state.espocrm, Side.ADVOWARE: state.advoware or {}}
    require_unmoved(rule, now, change, state.base)
    payload = _payload(rule, change, table, state)
    if not dry_run:
        await write_back(context, gate, before, as_edit(payload, before))
    record = f"des Beteiligten {party_id}"
    return Undo(change.id or 0, party_id, (party_id,), record, rule.name, rule.label, change.new, change.old)


def _rule(change: Change, table: FieldTable) -> FieldRule:
    if change.entity != ENTITY or change.espo_id is None or change.field not in table:
        raise UndoRefused(NOT_UNDOABLE)
    rule = table[str(change.field)]
    require_writable(rule)
    return rule


def _present(read: PartyRead, state: PartyState) -> tuple[EspoRecord, PartyState]:
    if read.problem is not None:
        raise read.problem
    if read.refusal is not None:
        raise UndoRefused(read.refusal)
    if read.espo is None:
        raise UndoRefused("Den Beteiligten gibt es in EspoCRM nicht mehr.")
    if state.advoware is None:
        raise UndoRefused("Den Beteiligten gibt es in Advoware nicht (mehr).")
    return read.espo, state


def _payload(rule: FieldRule, change: Change, table: FieldTable, state: PartyState) -> dict[str, Any]:
    try:
        rule.write(Side.ADVOWARE, change.old)
        return espo_payload(rule.name, change.old, table, state.form, state.espo_attributes)
    except Unrepresentable:
        raise one_sided(rule.label) from None


# What belongs to a party


async def _party_of(context: PassContext, part: ChildrenPart, change: Change) -> str:
    child = await context.espo.read(part.kind.espo_entity, str(change.espo_id))
    if child is None or not child.attributes.get("beteiligteId"):
        raise UndoRefused(f"{part.label}: Den Datensatz gibt es in EspoCRM nicht mehr, oder er gehört zu niemandem.")
    return str(child.attributes["beteiligteId"])


async def _both_sides(context: PassContext, party_id: str) -> PartInput:
    espo = await context.espo.read(ESPO_ENTITY, party_id)
    if espo is None:
        raise UndoRefused("Den Beteiligten gibt es in EspoCRM nicht mehr.")
    betnr = await context.store.read(_linked, party_id)
    advoware = await context.advoware.read_beteiligter(betnr) if betnr is not None else None
    if betnr is None or advoware is None:
        raise UndoRefused("Den Beteiligten gibt es in Advoware nicht (mehr).")
    return PartInput(party_id, betnr, espo, True, advoware)


def _linked(tx: Transaction, party_id: str) -> int | None:
    link = tx.links.get_by_espo(ENTITY, party_id)
    return link.betnr if link is not None else None
