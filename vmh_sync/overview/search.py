"""Finds a record by what people know of it: its EspoCRM id, its number in Advoware, or the party's name."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from vmh_sync.entities import BETEILIGTE, with_records
from vmh_sync.store.pairs.links import Link
from vmh_sync.store.store import Transaction
from vmh_sync.systems.espocrm.record_id import record_id
from vmh_sync.whole_number import whole_number

MOST_FOUND = 50


@dataclass(frozen=True, slots=True)
class Found:
    """One record; ``name`` is a personal value, for people who asked for it only."""

    entity: str
    espo_id: str
    betnr: int | None
    name: str = field(default="", repr=False)


def find_records(tx: Transaction, text: str) -> list[Found]:
    """Return the records that ``text`` means: one by id or number, or all parties with these words in their name.

    At most :data:`MOST_FOUND`. A record that was never linked is found by its id only if something is known of it.
    """
    text = text.strip()
    exact = list(_by_id(tx, record_id(text))) or list(_by_number(tx, text))
    return exact or (list(_by_name(tx, text)) if text else [])


def _by_id(tx: Transaction, espo_id: str) -> Iterator[Found]:
    for entity in (known.name for known in with_records()):
        link = tx.links.get_by_espo(entity, espo_id)
        if link is not None:
            yield _found(link)
        elif tx.records.get(entity, espo_id) is not None or tx.inbox.waiting_ids(entity, [espo_id]):
            yield Found(entity, espo_id, None)


def _by_number(tx: Transaction, text: str) -> Iterator[Found]:
    betnr = number_in(text)
    link = tx.links.get_by_betnr(betnr) if betnr is not None else None
    if link is not None:
        yield _found(link)


def number_in(text: str) -> int | None:
    """Return the number in Advoware that a text is, None for any other text."""
    text = text.strip()
    return whole_number(text)


def _by_name(tx: Transaction, text: str) -> Iterator[Found]:
    # In Python: SQLite folds the case of ASCII letters only, and umlauts stand escaped in the stored text.
    words = text.casefold().split()
    number = 0
    for link in tx.links.living(BETEILIGTE.name):
        name = party_name(link)
        if all(word in name.casefold() for word in words):
            yield _found(link)
            number += 1
            if number >= MOST_FOUND:
                return


def party_name(link: Link) -> str:
    """Return the name of a party as both sides last agreed on it."""
    agreed = link.base.get("espocrm") or {}
    return " ".join(str(agreed[part]) for part in ("vorname", "name") if agreed.get(part))


def _found(link: Link) -> Found:
    return Found(link.entity, link.espo_id, link.betnr, party_name(link) if link.entity == BETEILIGTE.name else "")
