"""What a pass was about to change in a record that both sides have, for the one that follows a killed pass.

A field that says again what it said before the write, in a record that has moved since: the write never arrived and
somebody edited something else, or it arrived and somebody took it back. Nobody can tell, so a value that goes there
once more is told as a conflict, and the field's rule decides it (specification, sync-semantics.md 1). What certainly
did not leave is no such write, and our own status in the record no edit of anybody. Nor is what was sent, where it
stands: what the other side says by then is an edit since.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace

from vmh_sync.store.database.columns import JsonObject
from vmh_sync.store.errors import StaleRow
from vmh_sync.store.pairs.links import Link
from vmh_sync.store.store import Store, Transaction
from vmh_sync.sync.base import Base, Fields, Side
from vmh_sync.sync.deciding.field_plan import FieldPlan
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.merge import NO_STAMPS, Decision, Stamps, Verdict, as_conflict
from vmh_sync.sync.values import Value, alike, same
from vmh_sync.systems.advoware.records import WireRecord
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.espocrm.records import EspoRecord

Told = EspoRecord | WireRecord | None
TakenBack = frozenset[tuple[Side, str]]
"""Fields that may have been set back by hand, and on which side."""


def still_held(noted: JsonObject, held: Iterable[str]) -> JsonObject:
    """Return of a note what has become a conflict that a person decides: no later pass finds it out anew."""
    names = set(held)
    kept = {
        side: {name: value for name, value in {**note["before"], **note.get("held", {})}.items() if name in names}
        for side, note in noted.items()
    }
    return {side: {"stamp": None, "before": {}, "held": some} for side, some in kept.items() if some}


@dataclass(slots=True, repr=False)
class Sending:
    """What one plan sends, and the note of it: request by request, for a side may refuse some and take others.

    The note is never narrower than what may have left: it is stored before a request, and what certainly did not leave
    is taken back of it afterwards. What earlier passes left unsure stays until the base knows it.
    """

    store: Store
    link: Link | None
    table: FieldTable
    fields: FieldPlan
    now: Mapping[Side, tuple[Told, Fields]]
    _noted: JsonObject = field(init=False)
    _sent: dict[Side, set[str]] = field(init=False)
    _left: dict[Side, set[str]] = field(init=False)
    _stamps: dict[Side, str | None] = field(init=False)

    def __post_init__(self) -> None:
        self._noted = self.link.notes.sending if self.link is not None else {}
        self._sent = {side: self._changed(side) for side in Side}
        self._left = {side: set() for side in Side}
        self._stamps = {side: stamp_of(self.now[side][0]) for side in Side}

    def note(self, tx: Transaction) -> None:
        """Store what is about to be sent, unless it only tries again what was refused."""
        if self.link is not None:
            self.link = note_sending(tx, self.link, self._of(self._sent))

    async def about_to_leave(self, side: Side, record: Told, names: Iterable[str]) -> None:
        """Note which of the changes the next request carries, laid over ``record``."""
        self.answered(side, record)
        if self._sent[side]:
            self._sent[side] = {*names, *self._left[side]}
            await self._keep(self._of(self._sent))

    def answered(self, side: Side, record: Told) -> None:
        """Know how a side stands after what has left for it so far."""
        self._stamps[side] = stamp_of(record)

    @contextmanager
    def leaves(self, side: Side, names: Collection[str]) -> Iterator[None]:
        """Send a request that carries these changes: they have left unless it certainly did nothing."""
        try:
            yield
        except ForeignSystemError as error:
            if not error.certainly_not_done:
                self._left[side].update(names)
            raise
        self._left[side].update(names)

    @asynccontextmanager
    async def leaving(self, side: Side, record: Told, names: Collection[str]) -> AsyncIterator[None]:
        """Note a request, and send it."""
        await self.about_to_leave(side, record, names)
        with self.leaves(side, names):
            yield

    async def failed(self) -> None:
        """Take back of the note what certainly did not leave."""
        with suppress(StaleRow):  # another process has stored what it knows
            await self._keep(self._of(self._left))

    async def _keep(self, sending: JsonObject) -> None:
        if self.link is not None and sending != self.link.notes.sending:
            self.link = await self.store.write(note_sending, self.link, sending)

    def _changed(self, side: Side) -> set[str]:
        return set() if self.fields.only_tries_again else {change.field for change in self.fields.changes(side)}

    def _of(self, left: Mapping[Side, Collection[str]]) -> JsonObject:
        """Return the note when these changes have left; on a side that none has left for, the one that stood."""
        sending: JsonObject = {}
        for side, names in left.items():
            before = {change.field: change.old for change in self.fields.changes(side) if change.field in names}
            if not before:
                sending |= {str(side): self._noted[side]} if side in self._noted else {}
                continue
            held, stands = self._still_unsure(side), _arrived(self._noted.get(side), self.table, self.now[side][1])
            sent = {name: [value] for name, value in stands.items()}
            for change in self.fields.changes(side):
                if change.field in names:
                    sent[change.field] = [change.new, *sent.get(change.field, [])]
            sending[str(side)] = {"stamp": self._stamps[side], "before": before, "sent": sent}
            sending[str(side)] |= {"held": held} if held else {}
        return sending

    def _still_unsure(self, side: Side) -> Fields:
        """Return what earlier passes have sent, unless it certainly never arrived."""
        note, (record, says) = self._noted.get(side), self.now[side]
        if note is None:
            return {}
        arrived = {
            name: before
            for name, before in note["before"].items()
            if name in self.table and not same(self.table[name].kind, says.get(name), before)
        }
        return {**arrived, **_unsure(note, record)}


def note_sending(tx: Transaction, link: Link, sending: JsonObject) -> Link:
    """Store a note with its link; returns the link as it stands then."""
    if sending == link.notes.sending:
        return link
    return tx.links.save(replace(link, notes=replace(link.notes, sending=sending)))


def after_our_status(sending: JsonObject, before: EspoRecord, after: EspoRecord) -> JsonObject:
    """Return the note when our word about a record has moved it from ``before`` to ``after``, and nobody else has."""
    note = sending.get(Side.ESPOCRM)
    alone = before.version is None or after.version == before.version + 1
    if note is None or note["stamp"] != stamp_of(before) or not alone:
        return sending
    return {**sending, str(Side.ESPOCRM): {**note, "stamp": stamp_of(after)}}


def note_our_status(tx: Transaction, entity: str, before: EspoRecord, after: EspoRecord) -> None:
    """Store :func:`after_our_status` of what is noted of a record."""
    link = tx.links.get_many(entity, [before.id]).get(before.id)
    if link is not None:
        note_sending(tx, link, after_our_status(link.notes.sending, before, after))


def with_ours(base: Base, sending: JsonObject, table: FieldTable, says: Mapping[Side, Fields]) -> Base:
    """Return the base to compare with: what a killed pass brought (:func:`brought`) was agreed."""
    of = brought(sending, table, says)
    agreed = {**of[Side.ESPOCRM], **of[Side.ADVOWARE]}
    return Base({**base.espocrm, **agreed}, {**base.advoware, **agreed}) if agreed else base


def brought(sending: JsonObject, table: FieldTable, says: Mapping[Side, Fields]) -> dict[Side, Fields]:
    """Return what a killed pass sent to a side and that side says, where the other one has moved on.

    Where both say it the base learns it as ever, and the audit log with it.
    """
    return {
        side: {
            name: value
            for name, value in _arrived(sending.get(side), table, fields).items()
            if not alike(table[name].kind, value, says[side.other].get(name))
        }
        for side, fields in says.items()
    }


def _arrived(note: JsonObject | None, table: FieldTable, says: Fields) -> dict[str, Value]:
    """Return what a side says of that which was sent to it."""
    sent: dict[str, list[Value]] = note.get("sent", {}) if note is not None else {}
    return {
        name: says[name]
        for name, values in sent.items()
        if name in table and name in says and any(alike(table[name].kind, says[name], one) for one in values)
    }


def taken_back(sending: JsonObject, table: FieldTable, now: Mapping[Side, tuple[Told, Fields]]) -> TakenBack:
    """Return the fields that may have been sent and set back since."""
    return frozenset(
        (side, name)
        for side, (record, says) in now.items()
        for name, before in _unsure(sending.get(side), record).items()
        if name in table and same(table[name].kind, says.get(name), before)
    )


def _unsure(note: JsonObject | None, record: Told) -> Fields:
    """Return what stood before a write, by field, where nobody can tell whether it arrived."""
    if note is None:
        return {}
    held: Fields = note.get("held", {})
    return held if note["stamp"] == stamp_of(record) else {**note["before"], **held}


def told_if_taken_back(
    decisions: Iterable[Decision], back: TakenBack, table: FieldTable, stamps: Stamps = NO_STAMPS
) -> list[Decision]:
    """Return the decisions; a copy over what may have been sent and taken back since is one of a conflict."""
    return [
        as_conflict(table[one.field], one, stamps)
        if one.verdict is Verdict.COPY and one.source is not None and (one.source.other, one.field) in back
        else one
        for one in decisions
    ]


def stamp_of(record: Told) -> str | None:
    """Return what moves with every edit of a record."""
    if not isinstance(record, EspoRecord):
        return getattr(record, "row_id", None)
    if record.version is not None:
        return str(record.version)
    return record.modified_at.isoformat() if record.modified_at is not None else None
