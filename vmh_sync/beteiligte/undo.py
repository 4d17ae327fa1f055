"""Takes back one applied change of a party's master data (specification, sync-semantics.md 7).

The old value is written to EspoCRM like a person's edit, under the party's lease; the pass that follows carries it to
Advoware by the same rules as every other edit.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from vmh_sync.beteiligte.batch import party_table
from vmh_sync.beteiligte.fetch import fetch_parties
from vmh_sync.beteiligte.fields import ESPO_ENTITY
from vmh_sync.beteiligte.model import espo_payload
from vmh_sync.beteiligte.party import ENTITY, PartyRead
from vmh_sync.beteiligte.plan import map_party
from vmh_sync.beteiligte.state import PartyState
from vmh_sync.beteiligte.write import LEASE_WAIT_SECONDS
from vmh_sync.runtime.context import PassContext, WriteGate
from vmh_sync.store.audit import Change
from vmh_sync.sync.base import Side
from vmh_sync.sync.fields import FieldRule, FieldTable, Unrepresentable
from vmh_sync.sync.status import SyncStatus
from vmh_sync.sync.values import Value, same
from vmh_sync.systems.espocrm.errors import OutcomeUnknown
from vmh_sync.systems.espocrm.records import EspoRecord


class UndoRefused(Exception):
    """The change is not taken back; ``str`` says why, one German sentence without values."""


@dataclass(frozen=True, slots=True, repr=False)
class Undo:
    """What taking back a change means: ``field`` of a party goes from ``old`` (what stands now) to ``new``."""

    change_id: int
    espo_id: str
    field: str
    label: str
    old: Value
    new: Value


async def undo_change(context: PassContext, change_id: int, *, dry_run: bool = False) -> Undo:
    """Write the old value of a change to EspoCRM, unless ``dry_run``; returns what was done or would be.

    Raises :class:`UndoRefused` when the change is none of a party's master data, was undone before, cannot be written
    on both sides, or the field has moved on either side since; ``VersionConflict`` when it moves this very moment.
    """
    table = party_table(context)
    change = await asyncio.to_thread(_stored, context, change_id)
    rule, espo_id = _undoable(change, table)
    async with context.leases.hold(f"{ENTITY}:{espo_id}", wait=LEASE_WAIT_SECONDS) as lease:
        if lease is None:
            raise UndoRefused("Der Datensatz wird gerade abgeglichen; bitte gleich noch einmal versuchen.")
        # Another undo may have been quicker.
        _undoable(await asyncio.to_thread(_stored, context, change_id), table)
        (read,) = await fetch_parties(context, [espo_id])
        before, state = _present(read, map_party(read, table, context.zone))
        _require_unmoved(rule, change, state)
        payload = _payload(rule, change, table, state)
        undo = Undo(change_id, espo_id, rule.name, rule.label, change.new, change.old)
        if not dry_run:
            await _write(context, WriteGate(lease), before, payload)
            await asyncio.to_thread(_store, context, change)
        return undo


def _stored(context: PassContext, change_id: int) -> Change:
    with context.store.reading() as tx:
        change = tx.audit.get(change_id)
    if change is None:
        raise UndoRefused(f"Eine Änderung mit der Nummer {change_id} gibt es nicht.")
    return change


def _undoable(change: Change, table: FieldTable) -> tuple[FieldRule, str]:
    if change.undone_by is not None:
        raise UndoRefused(f"Diese Änderung wurde schon rückgängig gemacht (Nummer {change.undone_by}).")
    if change.entity != ENTITY or change.espo_id is None or change.field not in table:
        raise UndoRefused("Nur Änderungen an Stammdaten von Beteiligten können rückgängig gemacht werden.")
    if change.kind != "applied" or change.side_written is None:
        raise UndoRefused("Dieser Eintrag ist keine geschriebene Änderung; es gibt nichts rückgängig zu machen.")
    rule = table[str(change.field)]
    if not rule.on_update or not rule.espo_writable:
        raise UndoRefused(f"Das Feld „{rule.label}“ kann nicht auf beiden Seiten geschrieben werden.")
    return rule, change.espo_id


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


def _require_unmoved(rule: FieldRule, change: Change, state: PartyState) -> None:
    for name, fields in (("EspoCRM", state.espocrm), ("Advoware", state.advoware or {})):
        if rule.name not in fields or not same(rule.kind, fields[rule.name], change.new):
            raise UndoRefused(f"Das Feld „{rule.label}“ wurde in {name} seitdem geändert; bitte dort von Hand ändern.")


def _payload(rule: FieldRule, change: Change, table: FieldTable, state: PartyState) -> dict[str, Any]:
    try:
        rule.write(Side.ADVOWARE, change.old)
        payload = espo_payload(rule.name, change.old, table, company=state.company, espo=state.espo_attributes)
    except Unrepresentable:
        raise UndoRefused(f"Den früheren Wert des Feldes „{rule.label}“ kennt nur eine der beiden Seiten.") from None
    if "syncStatus" in state.espo_attributes:
        # Should we die before the pass that follows, the next one still sees an edit.
        payload["syncStatus"] = str(SyncStatus.DIRTY)
    return payload


async def _write(context: PassContext, gate: WriteGate, before: EspoRecord, payload: dict[str, Any]) -> None:
    await gate.before(Side.ESPOCRM)
    try:
        await context.espo.update(ESPO_ENTITY, before.id, payload, version=before.version)
    except OutcomeUnknown:
        now = await context.espo.read(ESPO_ENTITY, before.id)
        if now is None or any(now.attributes.get(name) != value for name, value in payload.items()):
            raise


def _store(context: PassContext, change: Change) -> None:
    if change.id is None:
        raise ValueError("a change that was read has an id")
    row = Change(
        entity=ENTITY,
        kind="undo",
        reason=f"undo of change {change.id}",
        espo_id=change.espo_id,
        betnr=change.betnr,
        field=change.field,
        old=change.new,
        new=change.old,
        side_written="espocrm",
        run_id=context.run_id,
        undo_of=change.id,
    )
    with context.store.transaction() as tx:
        (row_id,) = tx.audit.append([row])
        tx.audit.mark_undone(change.id, row_id)
