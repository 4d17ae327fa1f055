"""What a pass was about to change in a child that both sides have, for the one that follows a killed pass. Pure.

A field that says again what it said before the write, in a record that has moved since: the write never arrived and
somebody edited something else, or it arrived and somebody took it back. Nobody can tell, so a value that goes there
once more is told as a conflict (specification, sync-semantics.md 1).
"""

from collections.abc import Collection

from vmh_sync.store.columns import JsonObject
from vmh_sync.sync.base import Fields, Side
from vmh_sync.sync.field_plan import FieldPlan
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.values import same
from vmh_sync.systems.advoware.records import WireRecord
from vmh_sync.systems.espocrm.records import EspoRecord

Replaced = Collection[tuple[Side, str]]
"""Fields that the write was to change, by the side that it went to."""


def about_to_send(fields: FieldPlan, espo: EspoRecord, child: WireRecord) -> JsonObject:
    """Return what is to be remembered of a write, empty where it only tries again."""
    if fields.only_tries_again:
        return {}
    return {
        str(side): {
            "stamp": _stamp(side, espo, child),
            "before": {change.field: change.old for change in fields.changes(side)},
        }
        for side in Side
        if fields.changes(side)
    }


def perhaps_taken_back(
    sending: JsonObject, table: FieldTable, espo: EspoRecord, child: WireRecord, now: dict[Side, Fields]
) -> Replaced:
    """Return the fields that may have been sent and taken back since."""
    return {
        (side, name)
        for side in Side
        if side in sending and sending[side]["stamp"] != _stamp(side, espo, child)
        for name, before in sending[side]["before"].items()
        if name in table and same(table[name].kind, now[side].get(name), before)
    }


def _stamp(side: Side, espo: EspoRecord, child: WireRecord) -> str | None:
    if side is Side.ADVOWARE:
        return getattr(child, "row_id", None)
    if espo.version is not None:
        return str(espo.version)
    return espo.modified_at.isoformat() if espo.modified_at is not None else None
