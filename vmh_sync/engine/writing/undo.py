"""What taking back a change has in common for all entities (specification, sync-semantics.md 7).

The old value is written to one side (a party's to EspoCRM, an appointment's to Advoware) like a person's edit, under
the record's lease and after both sides were read anew; the pass that follows carries it to the other side by the same
rules as every other edit. A field that has moved since on either side is left alone.

An entity offers ``UNDO``, an :class:`Undoer`, in ``<room>.undo``.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from vmh_sync.engine.passes.pass_context import PassContext, WriteGate
from vmh_sync.engine.writing.crm_write import put_unmoved
from vmh_sync.store.history.audit import Change
from vmh_sync.store.store import Store, Transaction
from vmh_sync.sync.base import Base, Fields, Side
from vmh_sync.sync.fields import FieldRule
from vmh_sync.sync.reporting.status import SyncStatus
from vmh_sync.sync.values import alike, same
from vmh_sync.systems.espocrm.errors import OutcomeUnknown
from vmh_sync.systems.espocrm.records import EspoRecord


class UndoRefused(Exception):
    """The change is not taken back; ``str`` says why, one German sentence without values."""


@dataclass(frozen=True, slots=True, repr=False)
class Undo:
    """What taking back a change means: a field of ``record`` goes from ``old`` (what stands now) to ``new``.

    ``record`` is German, in the genitive (``des Beteiligten abc``); a whole record that comes or goes has no
    ``label``, in the nominative. ``became`` is a participle. ``resync`` is what has to be synced afterwards: the ids of
    parties, or the Kürzel of employees. ``written`` is the side that was written already.
    """

    change_id: int
    espo_id: str
    resync: tuple[str, ...]
    record: str
    field: str
    label: str
    old: object
    new: object
    written: str = "EspoCRM"
    became: str = "zurückgesetzt"

    @property
    def subject(self) -> str:
        """What a sentence about it begins with."""
        return f"„{self.label}“ {self.record}" if self.label else self.record


Chain = tuple[Change, ...]
"""Changes that are taken back in one go, newest first."""
TAKEN_BACK = ("applied", "created")


def written(changes: Sequence[Change]) -> list[Change]:
    """Return the changes (newest first) that were written somewhere, are not undone yet, and are no undo themselves.

    What the pass after an undo carried to the other side belongs to that undo: a time span is not taken back in turns.
    """
    carried: set[tuple[object, ...]] = set()
    found = []
    for change in reversed(changes):
        if change.kind == "undo":
            carried.add(_meaning(change))
        elif change.undone_by is None and change.side_written is not None and change.kind in TAKEN_BACK:
            if _meaning(change) in carried:
                carried.discard(_meaning(change))
            else:
                found.append(change)
    return found[::-1]


def _meaning(change: Change) -> tuple[object, ...]:
    if change.field is None:  # a whole record came or went; one that was entered again has another name
        return change.entity, change.advoware_id
    # An entry of a list that comes back may get another number; its value stands there once.
    name = change.field.partition("/")[0]
    return change.entity, change.espo_id, name, repr(change.old), repr(change.new)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Changes that were not taken back, and why (German)."""

    change_ids: tuple[int, ...]
    entity: str
    espo_id: str | None
    field: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Undone:
    """What was taken back and what not."""

    done: list[Undo] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)

    def refuse(self, chain: Sequence[Change], why: str) -> None:
        """Note that changes are left alone."""
        newest = chain[0]
        self.refused.append(Refusal(ids_of(chain), newest.entity, newest.espo_id, newest.field, why))


class Undoer(Protocol):
    """How changes of some ``entities`` of the audit log are taken back."""

    @property
    def entities(self) -> frozenset[str]:
        """Whose changes, as the audit log names them."""
        ...

    def chains(self, changes: Sequence[Change]) -> list[Chain]:
        """Return which of the changes (newest first) are taken back together; others may be left out."""
        ...

    async def take_back(self, run_id: str, chains: Sequence[Chain], *, dry_run: bool) -> Undone:
        """Take chains back, each for itself. Raises ``SettingsError``."""
        ...


def ids_of(changes: Sequence[Change]) -> tuple[int, ...]:
    """Return the numbers of changes that were read."""
    return tuple(change.id for change in changes if change.id is not None)


async def take_back_each(
    chains: Sequence[Chain],
    take: Callable[[Chain], Awaitable[Undo]],
    failures: tuple[type[Exception], ...],
    explain: Callable[[Exception], str],
) -> Undone:
    """Take back one chain after the other; what is refused or fails (``failures``) is told by ``explain``."""
    undone = Undone()
    for chain in chains:
        try:
            undone.done.append(await take(chain))
        except UndoRefused as refusal:
            undone.refuse(chain, str(refusal))
        except failures as error:
            undone.refuse(chain, explain(error))
    return undone


class UndoContext(Protocol):
    """What the audit log needs of an opened context."""

    store: Store
    run_id: str


NOT_UNDOABLE = (
    "Nur Änderungen an Beteiligten, ihrer Kommunikation, ihren Adressen und Bankverbindungen und an Terminen können "
    "rückgängig gemacht werden."
)
ADDABLE = "kommunikation"
"""The one entity whose entries may be taken out again: they are entries of a list, no records of their own."""


def stored_chain(context: UndoContext, change_ids: Sequence[int]) -> Change:
    """Return what several changes of one field, newest first, come to: from what stands now to what stood before all.

    Raises :class:`UndoRefused` as :func:`stored_change` does, and for changes of several parties of Advoware.
    """
    chain = [stored_change(context, change_id) for change_id in change_ids]
    for change in chain:
        require_same_party(change, chain[0].betnr)
    return replace(chain[0], old=chain[-1].old)


def stored_change(context: UndoContext, change_id: int) -> Change:
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


def require_same_party(change: Change, betnr: int | None) -> None:
    """Refuse what was changed while the record stood for another party of Advoware than ``betnr``."""
    if change.betnr not in (None, betnr):
        raise UndoRefused(
            "Der Datensatz ist seitdem mit einer anderen Nummer in Advoware verknüpft (zum Beispiel zusammengeführt); "
            "bitte von Hand ändern."
        )


def require_unmoved(rule: FieldRule, now: Mapping[Side, Fields], change: Change, base: Base | None) -> None:
    """Raise :func:`moved` unless both sides say what the change brought.

    A side that has a spelling of its own says what the base knows of it; any other spelling was typed since.
    """
    for side, fields in now.items():
        known = base.of(side) if base is not None else {}
        spelled = rule.name in known and same(rule.kind, fields.get(rule.name), known[rule.name])
        says = (alike if spelled else same)(rule.kind, fields.get(rule.name), change.new)
        if rule.name not in fields or not says:
            raise moved(rule.label, "EspoCRM" if side is Side.ESPOCRM else "Advoware")


def moved(label: str, system: str) -> UndoRefused:
    """Return the refusal of a field that somebody has edited since."""
    return UndoRefused(f"Das Feld „{label}“ wurde in {system} seitdem geändert; bitte dort von Hand ändern.")


def one_sided(label: str) -> UndoRefused:
    """Return the refusal of a former value that cannot be written to both sides."""
    return UndoRefused(f"Den früheren Wert des Feldes „{label}“ kennt nur eine der beiden Seiten.")


def as_edit(payload: Mapping[str, object], before: EspoRecord, status: str = SyncStatus.DIRTY) -> dict[str, Any]:
    """Return the payload with the status that a person's edit leaves behind, where the record has one.

    Should we die before the pass that follows, the next one still sees an edit.
    """
    return {**payload, "syncStatus": str(status)} if "syncStatus" in before.attributes else dict(payload)


async def write_back(
    context: PassContext,
    gate: WriteGate,
    before: EspoRecord,
    payload: Mapping[str, object],
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


async def note_undone(
    context: UndoContext,
    undone: Sequence[tuple[Change, Sequence[int]]],
    side: Literal["advoware", "espocrm"] = "espocrm",
    also: Callable[[Transaction], object] = lambda tx: None,
) -> None:
    """Write undos into the audit log, in one transaction with ``also``.

    Each is a change, and the numbers of those that are undone with it: they are marked.
    """

    def work(tx: Transaction) -> None:
        also(tx)
        for change, change_ids in undone:
            _note(tx, context.run_id, change, change_ids, side)

    await context.store.write(work)


def _note(
    tx: Transaction, run_id: str, change: Change, change_ids: Sequence[int], side: Literal["advoware", "espocrm"]
) -> None:
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
        side_written=side,
        losing_value=None,
        losing_side=None,
        run_id=run_id,
        undo_of=change.id,
    )
    (row_id,) = tx.audit.append_numbered([row])
    for change_id in dict.fromkeys((change.id, *change_ids)):
        tx.audit.mark_undone(change_id, row_id)
