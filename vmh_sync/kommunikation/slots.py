"""Slots: entries that the sync emptied because Advoware deletes nothing (specification, entities.md 2).

A slot is ours when our pair table says so, or on first contact when the remark carries a valid slot marker that does
not contradict the entry's own kind. It is filled again only while it is still empty.
"""

from collections.abc import Iterable, Mapping

from vmh_sync.kommunikation.kinds import UNTOUCHED
from vmh_sync.kommunikation.markers import Remark
from vmh_sync.kommunikation.model import AdvowareEntry, Pair, PairState


def is_managed(entry: AdvowareEntry, pair: Pair | None, remark: Remark, kind: int) -> bool:
    """Tell whether an entry may be filled by us."""
    if not entry.is_empty or kind in UNTOUCHED:
        return False
    if pair is not None:
        return pair.state is PairState.SLOT
    return remark.is_slot and (entry.komm_kz or 0) in {0, remark.kind}


class Slots:
    """The free slots of one party by kind; each is handed out once, lowest entry id first."""

    def __init__(self, entries: Iterable[AdvowareEntry], kinds: Mapping[int, int]) -> None:
        self._free: dict[int, list[AdvowareEntry]] = {}
        for entry in sorted(entries, key=lambda one: one.id):
            self._free.setdefault(kinds[entry.id], []).append(entry)

    def take(self, kind: int) -> AdvowareEntry | None:
        """Return a free slot of exactly that kind and mark it used, or ``None``."""
        free = self._free.get(kind)
        return free.pop(0) if free else None
