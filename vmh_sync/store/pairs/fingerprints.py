"""What our database says of a party, as far as it takes to see whether any of that has moved since.

A party's link keeps a fingerprint: a hash of all that a comparison of both sides was made from when it came to
"nothing to do". Saving the link in any way does away with it. The other rows that a comparison depends on, the links of
the party's entries, addresses and accounts, go into the hash with their revisions.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import bindparam, select, update

from vmh_sync.store.models import LinkRow
from vmh_sync.store.repository import Repository, among, chunks, table_of

PARTY = "beteiligte"
_TABLE = table_of(LinkRow)
_LIVING = _TABLE.c.state != "tombstone"
_KEY = (_TABLE.c.entity, _TABLE.c.espo_id, _TABLE.c.betnr, _TABLE.c.id, _TABLE.c.revision)
# Built once: to build a statement costs more than to carry it out.
_LINKS = select(*_KEY).where(among(_TABLE.c.entity, "entities"), _LIVING).order_by(_TABLE.c.id)
_OF_PARTIES = _LINKS.add_columns(_TABLE.c.fingerprint).where(among(_TABLE.c.espo_id))
_OF_NUMBERS = _LINKS.where(among(_TABLE.c.betnr))
_KEEP = (
    update(_TABLE)
    .where(
        _TABLE.c.entity == PARTY,
        _TABLE.c.espo_id == bindparam("party"),
        _TABLE.c.revision == bindparam("seen"),
        _LIVING,
    )
    .values(fingerprint=bindparam("hash"))
)


@dataclass(slots=True)
class PartyRows:
    """The rows of one party: its fingerprint, and entity, EspoCRM id, id and revision of each living link."""

    fingerprint: str | None = None
    links: list[tuple[str, str, int, int]] = field(default_factory=list)

    def records_of(self, entity: str) -> list[str]:
        """Return the EspoCRM ids of the links of an entity."""
        return [espo_id for name, espo_id, _, _ in self.links if name == entity]


class Fingerprints(Repository):
    """Reads and keeps the fingerprints of parties."""

    def rows_of(
        self, parties: Mapping[str, int], by_party: Sequence[str], by_number: Sequence[str]
    ) -> dict[str, PartyRows]:
        """Return the rows of linked parties (EspoCRM id -> betnr) by their EspoCRM id.

        ``by_party`` are entities whose links carry the party's EspoCRM id, ``by_number`` those with ids of their own.
        """
        found = {espo_id: PartyRows() for espo_id in parties}
        owners = {betnr: espo_id for espo_id, betnr in parties.items()}
        own = (PARTY, *by_party)
        for chunk in chunks(parties):
            rows = self._connection.execute(_OF_PARTIES, {"entities": own, "keys": chunk})
            for entity, espo_id, _, link_id, revision, fingerprint in rows:
                found[espo_id].links.append((entity, espo_id, link_id, revision))
                if entity == PARTY:
                    found[espo_id].fingerprint = fingerprint
        for numbers in chunks(owners):
            told = self._connection.execute(_OF_NUMBERS, {"entities": by_number, "keys": numbers})
            for entity, espo_id, betnr, link_id, revision in told:
                found[owners[betnr]].links.append((entity, espo_id, link_id, revision))
        return found

    def keep(self, fingerprints: Mapping[str, tuple[str, int]]) -> None:
        """Store the fingerprints of parties: EspoCRM id -> fingerprint and the revision of the link it was made with.

        A link that has been saved since keeps none: whoever saved it changed what the fingerprint stands for.
        """
        if not fingerprints:
            return
        rows = [{"party": espo_id, "hash": value, "seen": seen} for espo_id, (value, seen) in fingerprints.items()]
        self._connection.execute(_KEEP, rows)

    def forget(self, espo_ids: Iterable[str]) -> None:
        """Do away with the fingerprints of parties, so that they are compared again."""
        for chunk in chunks(espo_ids):
            statement = update(_TABLE).where(_TABLE.c.entity == PARTY, _TABLE.c.espo_id.in_(chunk))
            self._connection.execute(statement.values(fingerprint=None))
