"""What a pass was about to change in a record that both sides have, for the one that follows a killed pass.

A field that says again what it said before the write, in a record that has moved since: the write never arrived and
somebody edited something else, or it arrived and somebody took it back. Nobody can tell, so a value that goes there
once more is told as a conflict, and the field's rule decides it (specification, sync-semantics.md 1). What certainly
did not leave is no such write, and our own status in the record no edit of anybody.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from vmh_sync.store.database.columns import JsonObject
from vmh_sync.store.pairs.links import Link
from vmh_sync.store.store import Transaction
from vmh_sync.sync.base import Fields, Side
from vmh_sync.sync.deciding.field_plan import FieldPlan
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.merge import NO_STAMPS, Decision, Stamps, Verdict, as_conflict
from vmh_sync.sync.values import same
from vmh_sync.systems.advoware.records import WireRecord
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.espocrm.records import EspoRecord

Told = EspoRecord | WireRecord | None
TakenBack = frozenset[tuple[Side, str]]
"""Fields that may have been set back by hand, and on which side."""


def about_to_send(fields: FieldPlan, records: Mapping[Side, Told], noted: JsonObject, back: TakenBack) -> JsonObject:
    """Return what is to be remembered of a write, empty where it only tries again.

    Of what is ``noted``, that which waits for a person stays, and what this pass found taken ``back`` until the base
    knows it: a pass that is killed again must find the same.
    """
    if fields.only_tries_again:
        return {}
    sending: JsonObject = still_held(noted, {*fields.held, *(name for _, name in back)})
    for side in Side:
        if fields.changes(side):
            before = {change.field: change.old for change in fields.changes(side)}
            sending[str(side)] = {**sending.get(side, {}), "stamp": stamp_of(records[side]), "before": before}
    return sending


def still_held(noted: JsonObject, held: Iterable[str]) -> JsonObject:
    """Return of a note what has become a conflict that a person decides: no later pass finds it out anew."""
    names = set(held)
    kept = {
        side: {name: value for name, value in {**note["before"], **note.get("held", {})}.items() if name in names}
        for side, note in noted.items()
    }
    return {side: {"stamp": None, "before": {}, "held": some} for side, some in kept.items() if some}


@contextmanager
def leaving(side: Side, left: set[Side]) -> Iterator[None]:
    """Enter ``side`` in ``left`` unless the request within certainly did nothing there."""
    try:
        yield
    except ForeignSystemError as error:
        if not error.certainly_not_done:
            left.add(side)
        raise
    left.add(side)


def as_far_as_it_left(sending: JsonObject, left: set[Side], before: JsonObject) -> JsonObject:
    """Return the note of what was about to be sent, on the other sides the one that stood ``before``."""
    of = {side: sending if side in left else before for side in Side}
    return {str(side): note[side] for side, note in of.items() if side in note}


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
