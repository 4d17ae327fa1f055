"""Which entries of ours lack their marker (``VMH_WRITE_MARKERS``; specification, entities.md 2). Pure.

An entry that is written for another reason gets its marker on the way; the others get it by a write of their own, once:
what was sent is remembered with the pair, so that neither an Advoware that drops it nor a person who removes it starts
a quarrel.
"""

from collections.abc import Iterable

from vmh_sync.kommunikation import markers
from vmh_sync.kommunikation.model import AdvowareEntry, Options, Pair, PairState

_SLOT = ""


def to_mark(pair: Pair, entry: AdvowareEntry) -> str | None:
    """Return what the marker of an entry has to say: its value, nothing for a slot; ``None`` if it is not ours."""
    if pair.state is PairState.SLOT and entry.is_empty:
        return _SLOT
    return entry.tlf if pair.state is PairState.ACTIVE and not entry.is_empty else None


def marked_remark(pair: Pair, entry: AdvowareEntry, options: Options) -> str | None:
    """Return the entry's remark with the marker that it lacks; ``None`` when it shall not get one (again)."""
    value = to_mark(pair, entry) if options.write_markers else None
    if value is None or value == pair.marked:
        return None
    if value == _SLOT:
        remark = markers.with_slot(entry.bemerkung, pair.kind, limit=options.max_remark)
    else:
        remark = markers.with_value(entry.bemerkung, value, pair.kind, limit=options.max_remark)
    return remark if remark != (entry.bemerkung or "") else None


def any_lacks_marker(pairs: Iterable[Pair], entries: Iterable[AdvowareEntry], options: Options) -> bool:
    """Whether a marker is still to be written."""
    if not options.write_markers:
        return False
    known = {pair.advoware_id: pair for pair in pairs}
    return any(
        (pair := known.get(entry.id)) is not None and marked_remark(pair, entry, options) is not None
        for entry in entries
    )
