"""Pairs in our database: links of entity ``kommunikation``, one per Advoware entry of a party.

``espo_id`` is the party's id in EspoCRM, ``advoware_id`` the entry's id (``None`` for a value that Advoware refused to
create). What both sides looked like when nothing was left to do stands in a table of its own
(``store.kommunikation_states``), so that an unchanged party costs no read of EspoCRM's full record.
"""

from collections.abc import Iterable
from dataclasses import replace

from vmh_sync.kommunikation.model import Pair
from vmh_sync.kommunikation.plan import PairDelta
from vmh_sync.store.pairs.links import Link
from vmh_sync.store.store import Transaction

ENTITY = "kommunikation"


def pair_of(link: Link) -> Pair:
    """Return the pair that a link stands for."""
    return Pair.from_json(int(link.advoware_id) if link.advoware_id is not None else None, link.base)


def pairs_of(links: Iterable[Link]) -> tuple[Pair, ...]:
    """Return the pairs of a party's links."""
    return tuple(pair_of(link) for link in links)


def store_delta(tx: Transaction, espo_id: str, betnr: int, delta: PairDelta) -> tuple[Pair, ...]:
    """Store what a plan made of the pairs; doing it twice is the same as once. Returns the pairs that stand then."""
    links = tx.links.entries_of(ENTITY, [espo_id]).get(espo_id, [])
    standing = list(links)
    by_id = {link.advoware_id: link for link in links if link.advoware_id is not None}
    ids = {str(pair.advoware_id) for pair in delta.stored if pair.advoware_id is not None}
    for link in links:
        if link.advoware_id not in ids and pair_of(link) in delta.removed:
            tx.links.save(replace(link, state="tombstone"))
            standing.remove(link)
    without_id = [pair_of(link) for link in links if link.advoware_id is None]
    for pair in delta.stored:
        if pair.advoware_id is None and pair in without_id and pair not in delta.removed:
            continue
        known = by_id.get(str(pair.advoware_id)) if pair.advoware_id is not None else None
        stored = _store_pair(tx, espo_id, betnr, pair, known)
        standing = [*(link for link in standing if link.id != stored.id), stored]
    return pairs_of(sorted(standing, key=lambda link: link.id or 0))


def _store_pair(tx: Transaction, espo_id: str, betnr: int, pair: Pair, known: Link | None) -> Link:
    base = pair.to_json()
    if known is None:
        number = str(pair.advoware_id) if pair.advoware_id is not None else None
        return tx.links.save(Link(entity=ENTITY, espo_id=espo_id, betnr=betnr, advoware_id=number, base=base))
    return known if known.base == base else tx.links.save(replace(known, base=base))


def bury_pairs(tx: Transaction, espo_id: str) -> None:
    """Forget pairs and state of a party whose record was deleted; its number meets another record anew."""
    for link in tx.links.entries_of(ENTITY, [espo_id]).get(espo_id, []):
        tx.links.save(replace(link, state="tombstone"))
    tx.kommunikation_states.forget(espo_id)
