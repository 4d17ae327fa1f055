"""How a party's phones and e-mails stood when they were last looked at (sync-semantics.md 2)."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, select

from vmh_sync.store.models import KommunikationStateRow
from vmh_sync.store.repository import ByKeys, Repository, chunks, replacing, table_of

_TABLE = table_of(KommunikationStateRow)
_NAMES = ("espo_id", "betnr", "quiet_mark", "empty_sides", "empty_seen_by", "one_by_one")
_SAVE = replacing(_TABLE, "espo_id")
_OF_PARTIES = ByKeys(select(*(_TABLE.c[name] for name in _NAMES)), _TABLE.c.espo_id)


@dataclass(frozen=True, slots=True)
class KommunikationState:
    """``quiet_mark``: fingerprint of both sides when nothing was left to do.

    ``empty_sides``: the sides that suddenly read as empty, ``empty_seen_by`` the run that saw it first: a later one
    confirms it. ``one_by_one``: the channels whose list was refused whole, so that new values are sent one at a time.
    """

    espo_id: str
    betnr: int
    quiet_mark: str | None = None
    empty_sides: tuple[str, ...] = ()
    empty_seen_by: str | None = None
    one_by_one: tuple[str, ...] = ()


class KommunikationStates(Repository):
    """Reads and writes one row per party."""

    def get_many(self, espo_ids: Iterable[str]) -> dict[str, KommunikationState]:
        """Return the states of parties by their EspoCRM id; parties without any are left out."""
        return {
            row.espo_id: KommunikationState(
                row.espo_id, row.betnr, row.quiet_mark, tuple(row.empty_sides), row.empty_seen_by, tuple(row.one_by_one)
            )
            for chunk in chunks(dict.fromkeys(espo_ids))
            for row in _OF_PARTIES.rows(self._connection, chunk, {})
        }

    def save(self, state: KommunikationState) -> None:
        """Store a state, replacing what stood there."""
        values = {name: getattr(state, name) for name in _NAMES} | {"updated_at": self._now()}
        _SAVE.changed(self._connection, values)

    def forget(self, espo_id: str) -> None:
        """Remove the state of a party."""
        self._connection.execute(delete(_TABLE).where(_TABLE.c.espo_id == espo_id))
