"""Who was erased (Art. 17 DSGVO): marks of ids, without a value, that keep a pass or an import from reviving them.

A mark is there before anything is erased and stays for ever, unless a person takes it back.
"""

from dataclasses import dataclass
from datetime import datetime

from vmh_sync.store.store import Store, Transaction

MARKS = "erased:"
SAYS = "Die Daten dieser Person wurden bei uns gelöscht (Art. 17 DSGVO); sie wird nicht mehr abgeglichen."


@dataclass(frozen=True, slots=True)
class Erased:
    """The marks: EspoCRM ids of parties, and numbers in Advoware."""

    espo_ids: frozenset[str] = frozenset()
    betnrs: frozenset[int] = frozenset()

    def covers(self, espo_id: str | None = None, betnr: int | None = None) -> bool:
        """Whether a party is one of them, by either name."""
        return espo_id in self.espo_ids or (betnr is not None and betnr in self.betnrs)


async def erased_of(store: Store) -> Erased:
    """Read all marks, from a coroutine."""
    return await store.read(read_erased)


def read_erased(tx: Transaction) -> Erased:
    """Return all marks: there are few."""
    marks = tx.cursors.under(MARKS)
    numbers = frozenset(int(mark["betnr"]) for mark in marks.values() if mark["betnr"] is not None)
    return Erased(frozenset(str(mark["espo_id"]) for mark in marks.values()), numbers)


def mark_erased(tx: Transaction, espo_id: str, betnr: int | None, at: datetime) -> None:
    """Mark a party; a mark that stands already is kept as it is."""
    tx.cursors.set_once(MARKS + espo_id, {"espo_id": espo_id, "betnr": betnr, "at": at.isoformat()})


def number_of(tx: Transaction, espo_id: str) -> int | None:
    """Return the number that a marked party had in Advoware."""
    mark = tx.cursors.get(MARKS + espo_id)
    return int(mark["betnr"]) if mark is not None and mark["betnr"] is not None else None


def readmit(tx: Transaction, espo_id: str) -> bool:
    """Take a mark back: the party is synced again, as one never seen. Returns whether there was one."""
    known = tx.cursors.get(MARKS + espo_id) is not None
    tx.cursors.forget(MARKS + espo_id)
    return known
