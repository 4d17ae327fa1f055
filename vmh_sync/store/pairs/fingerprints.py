"""What our database says of a party, as far as it takes to see whether any of that has moved since.

A party's link keeps a fingerprint: a hash of all that a comparison of both sides was made from when it came to
"nothing to do". Saving the link in any way does away with it. The other rows that a comparison depends on, the links of
the party's entries, addresses and accounts, go into the hash with their revisions.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, false, or_, select, union_all, update

from vmh_sync.store.database.prepared import Prepared
from vmh_sync.store.models import IntentRow, LinkRow, ManualTaskRow, SyncRecordRow
from vmh_sync.store.pairs.intents import UNSETTLED
from vmh_sync.store.repository import Repository, among, chunks, spelt, table_of

PARTY = "beteiligte"
_TABLE = table_of(LinkRow)
_LIVING = _TABLE.c.state != spelt("tombstone")
_ROW = (_TABLE.c.entity, _TABLE.c.espo_id, _TABLE.c.betnr, _TABLE.c.id, _TABLE.c.revision, _TABLE.c.fingerprint)
_INTENTS, _TASKS, _LEDGER = table_of(IntentRow), table_of(ManualTaskRow), table_of(SyncRecordRow)
_KEEP = Prepared(
    update(_TABLE)
    .where(
        _TABLE.c.entity == spelt(PARTY),
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


@cache
def _rows_of(own: tuple[str, ...], by_number: tuple[str, ...], *, one: bool) -> Any:
    """Return the statement for all rows of parties. Built once, as the next: that costs more than to carry it out."""
    of_party = select(*_ROW).where(_is_any(_TABLE, own), _LIVING, _keyed(_TABLE.c.espo_id, "keys", one=one))
    of_number = select(*_ROW).where(_is_any(_TABLE, by_number), _LIVING, _keyed(_TABLE.c.betnr, "numbers", one=one))
    both = union_all(of_party, of_number)
    ordered = both.order_by(both.selected_columns.id)
    return Prepared(ordered) if one else ordered


@cache
def _in_trouble(entities: tuple[str, ...], *, one: bool) -> Any:
    wanted = (
        (_INTENTS, _is_any(_INTENTS, entities) & or_(*(_INTENTS.c.state == spelt(state) for state in UNSETTLED))),
        (_TASKS, _is_any(_TASKS, (PARTY,)) & (_TASKS.c.state != spelt("closed"))),
        (_LEDGER, _is_any(_LEDGER, (PARTY,)) & (_LEDGER.c.status != spelt("clean"))),
    )
    keyed = ((table, open_, _keyed(table.c.espo_id, "keys", one=one)) for table, open_ in wanted)
    every = union_all(*(select(table.c.espo_id).where(open_, key) for table, open_, key in keyed))
    return Prepared(every) if one else every


def _is_any(table: Table, entities: Iterable[str]) -> ColumnElement[bool]:
    return or_(false(), *(table.c.entity == spelt(entity) for entity in entities))


def _keyed(column: ColumnElement[Any], name: str, *, one: bool) -> ColumnElement[bool]:
    return column == bindparam(name) if one else among(column, name)


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
            numbers = [betnr for espo_id in chunk if owners[betnr := parties[espo_id]] == espo_id]
            rows = self._of(chunk, _rows_of, own, tuple(by_number), numbers=numbers)
            for entity, espo_id, _, link_id, revision, fingerprint in rows:
                if entity in own:
                    found[espo_id].links.append((entity, espo_id, link_id, revision))
                if entity == PARTY:
                    found[espo_id].fingerprint = fingerprint
            for entity, espo_id, betnr, link_id, revision, _ in rows:
                if entity not in own:
                    found[owners[betnr]].links.append((entity, espo_id, link_id, revision))
        return found

    def in_trouble(self, parties: Iterable[str], by_party: Sequence[str]) -> set[str]:
        """Return the parties about which something is open: a create, also of a part, a task, the ledger."""
        rows = [self._of(chunk, _in_trouble, (PARTY, *by_party)) for chunk in chunks(parties)]
        return {espo_id for some in rows for (espo_id,) in some}

    def _of(
        self, keys: Sequence[str], statement: Callable[..., Any], *entities: tuple[str, ...], **lists: Sequence[int]
    ) -> Sequence[Any]:
        # A list is spelled out anew each time: a single key has a form of its own, as in ``ByKeys``.
        values: dict[str, Sequence[Any]] = {"keys": keys, **lists}
        one = all(len(told) == 1 for told in values.values())
        if one:
            single: Prepared = statement(*entities, one=True)
            return single.rows(self._connection, {name: told[0] for name, told in values.items()})
        return self._connection.execute(statement(*entities, one=False), values).all()

    def keep(self, fingerprints: Mapping[str, tuple[str, int]]) -> None:
        """Store the fingerprints of parties: EspoCRM id -> fingerprint and the revision of the link it was made with.

        A link that has been saved since keeps none: whoever saved it changed what the fingerprint stands for.
        """
        if not fingerprints:
            return
        rows = [{"party": espo_id, "hash": value, "seen": seen} for espo_id, (value, seen) in fingerprints.items()]
        _KEEP.each(self._connection, rows)

    def forget(self, espo_ids: Iterable[str]) -> None:
        """Do away with the fingerprints of parties, so that they are compared again."""
        for chunk in chunks(espo_ids):
            statement = update(_TABLE).where(_TABLE.c.entity == PARTY, _TABLE.c.espo_id.in_(chunk))
            self._connection.execute(statement.values(fingerprint=None))
