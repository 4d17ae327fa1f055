"""What a pass was about to change in a child that both sides have, for the one that follows a killed pass. Pure.

A field that says again what it said before the write, in a record that has moved since: the write never arrived and
somebody edited something else, or it arrived and somebody took it back. Nobody can tell, so a value that goes there
once more is told as a conflict (specification, sync-semantics.md 1). What certainly did not leave is no such write, and
our own status in the record no edit of anybody.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from vmh_sync.store.database.columns import JsonObject
from vmh_sync.sync.base import Fields, Side
from vmh_sync.sync.deciding.field_plan import FieldPlan
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.merge import Decision, Verdict
from vmh_sync.sync.values import same
from vmh_sync.systems.advoware.records import WireRecord
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.espocrm.records import EspoRecord

Told = EspoRecord | WireRecord | None


def about_to_send(fields: FieldPlan, espo: EspoRecord, child: WireRecord) -> JsonObject:
    """Return what is to be remembered of a write, empty where it only tries again."""
    if fields.only_tries_again:
        return {}
    records: dict[Side, Told] = {Side.ESPOCRM: espo, Side.ADVOWARE: child}
    return {
        str(side): {
            "stamp": _stamp(records[side]),
            "before": {change.field: change.old for change in fields.changes(side)},
        }
        for side in Side
        if fields.changes(side)
    }


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


def after_our_status(sending: JsonObject, before: EspoRecord, after: EspoRecord) -> JsonObject:
    """Return the note when our word about a record has moved it from ``before`` to ``after``, and nobody else has."""
    note = sending.get(Side.ESPOCRM)
    alone = before.version is None or after.version == before.version + 1
    if note is None or note["stamp"] != _stamp(before) or not alone:
        return sending
    return {**sending, str(Side.ESPOCRM): {**note, "stamp": _stamp(after)}}


def told_if_taken_back(
    decisions: Iterable[Decision], sending: JsonObject, table: FieldTable, now: Mapping[Side, tuple[Told, Fields]]
) -> list[Decision]:
    """Return the decisions; a copy over what may have been sent and taken back since is one of a conflict."""
    taken_back = {
        (side, name)
        for side, (record, says) in now.items()
        if side in sending and sending[side]["stamp"] != _stamp(record)
        for name, before in sending[side]["before"].items()
        if name in table and same(table[name].kind, says.get(name), before)
    }
    return [
        replace(one, verdict=Verdict.CONFLICT)
        if one.verdict is Verdict.COPY and one.source is not None and (one.source.other, one.field) in taken_back
        else one
        for one in decisions
    ]


def _stamp(record: Told) -> str | None:
    if not isinstance(record, EspoRecord):
        return getattr(record, "row_id", None)
    if record.version is not None:
        return str(record.version)
    return record.modified_at.isoformat() if record.modified_at is not None else None
