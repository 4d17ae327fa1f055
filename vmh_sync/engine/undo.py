"""What taking back a change has in common for all entities (specification, sync-semantics.md 7).

The old value is written to EspoCRM like a person's edit, under the party's lease and after both sides were read anew;
the pass that follows carries it to Advoware by the same rules as every other edit. A field that has moved since on
either side is left alone.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vmh_sync.engine.crm_write import put_unmoved
from vmh_sync.engine.pass_context import PassContext, WriteGate
from vmh_sync.store.audit import Change
from vmh_sync.sync.fields import FieldRule
from vmh_sync.sync.status import SyncStatus
from vmh_sync.sync.values import Value
from vmh_sync.systems.espocrm.errors import OutcomeUnknown
from vmh_sync.systems.espocrm.records import EspoRecord


class UndoRefused(Exception):
    """The change is not taken back; ``str`` says why, one German sentence without values."""


@dataclass(frozen=True, slots=True, repr=False)
class Undo:
    """What taking back a change means: a field of ``record`` goes from ``old`` (what stands now) to ``new``.

    ``record`` is German, in the genitive (``des Beteiligten abc``); ``party_id`` is the party to sync afterwards.
    """

    change_id: int
    espo_id: str
    party_id: str
    record: str
    field: str
    label: str
    old: Value
    new: Value


ADDABLE = "kommunikation"
"""The one entity whose entries may be taken out again: they are entries of a list, no records of their own."""


def stored_chain(context: PassContext, change_ids: Sequence[int]) -> Change:
    """Return what several changes of one field, newest first, come to: from what stands now to what stood before all.

    Raises :class:`UndoRefused` as :func:`stored_change` does.
    """
    chain = [stored_change(context, change_id) for change_id in change_ids]
    return replace(chain[0], old=chain[-1].old)


def stored_change(context: PassContext, change_id: int) -> Change:
    """Return an entry of the audit log that may be taken back as far as the log itself can tell.

    Raises :class:`UndoRefused` when there is none, it was undone before, or nothing was written.
    """
    with context.store.reading() as tx:
        change = tx.audit.get(change_id)
    if change is None:
        raise UndoRefused(f"Eine Änderung mit der Nummer {change_id} gibt es nicht.")
    if change.undone_by is not None:
        raise UndoRefused(f"Diese Änderung wurde schon rückgängig gemacht (Nummer {change.undone_by}).")
    if change.kind == "created" and change.entity == ADDABLE:
        return change
    if change.kind == "created":
        raise UndoRefused(
            "Dieser Eintrag ist eine Anlage, keine Änderung; vmh_sync löscht nichts. Bitte auf beiden Seiten von Hand "
            "löschen, wenn der Datensatz falsch ist."
        )
    if change.kind != "applied" or change.side_written is None:
        raise UndoRefused("Dieser Eintrag ist keine geschriebene Änderung; es gibt nichts rückgängig zu machen.")
    return change


def require_writable(rule: FieldRule, *, by_hand_in_advoware: bool = False) -> None:
    """Refuse a field that one of the sides does not take in an update.

    ``by_hand_in_advoware``: what Advoware does not take becomes a task there, as with every edit of such a record.
    """
    if not (rule.on_update or by_hand_in_advoware) or not rule.espo_writable:
        raise UndoRefused(
            f"Das Feld „{rule.label}“ kann nicht auf beiden Seiten geschrieben werden; bitte in EspoCRM und in "
            "Advoware von Hand ändern."
        )


def moved(label: str, system: str) -> UndoRefused:
    """Return the refusal of a field that somebody has edited since."""
    return UndoRefused(f"Das Feld „{label}“ wurde in {system} seitdem geändert; bitte dort von Hand ändern.")


def one_sided(label: str) -> UndoRefused:
    """Return the refusal of a former value that cannot be written to both sides."""
    return UndoRefused(f"Den früheren Wert des Feldes „{label}“ kennt nur eine der beiden Seiten.")


def as_edit(payload: Mapping[str, Any], before: EspoRecord, status: str = SyncStatus.DIRTY) -> dict[str, Any]:
    """Return the payload with the status that a person's edit leaves behind, where the record has one.

    Should we die before the pass that follows, the next one still sees an edit.
    """
    return {**payload, "syncStatus": str(status)} if "syncStatus" in before.attributes else dict(payload)


async def write_back(
    context: PassContext,
    gate: WriteGate,
    before: EspoRecord,
    payload: Mapping[str, Any],
    holds: Callable[[EspoRecord], bool] | None = None,
) -> None:
    """Write to the record that was just read; raises ``Conflict`` when it moves this very moment.

    ``holds`` tells of a record whether the payload has arrived, for a write without an answer.
    """
    try:
        await put_unmoved(context, gate, before, payload)
    except OutcomeUnknown:
        now = await context.espo.read(before.entity, before.id)
        arrived = holds or (lambda record: all(record.attributes.get(n) == v for n, v in payload.items()))
        if now is None or not arrived(now):
            raise


async def note_undone(context: PassContext, change: Change, change_ids: Sequence[int] = ()) -> None:
    """Write the undo into the audit log, and mark the change, and those of ``change_ids`` that are undone with it."""
    await asyncio.to_thread(_note, context, change, change_ids)


def _note(context: PassContext, change: Change, change_ids: Sequence[int]) -> None:
    if change.id is None:
        raise ValueError("a change that was read has an id")
    row = replace(
        change,
        id=None,
        at=None,
        kind="undo",
        reason=f"undo of change {change.id}",
        old=change.new,
        new=change.old,
        side_written="espocrm",
        losing_value=None,
        losing_side=None,
        run_id=context.run_id,
        undo_of=change.id,
    )
    with context.store.transaction() as tx:
        (row_id,) = tx.audit.append([row])
        for change_id in dict.fromkeys((change.id, *change_ids)):
            tx.audit.mark_undone(change_id, row_id)
