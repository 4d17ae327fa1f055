"""By what a person is found in our stores: ids, and values that are nobody else's."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from vmh_sync.store.pairs.person_rows import PersonIds
from vmh_sync.store.store import Transaction

_E_MAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{10,30}")
_PHONE = re.compile(r"\+?\d[\d /()-]{7,}\d")


@dataclass(frozen=True, slots=True)
class Scope:
    """One person. ``marks`` are texts that name nobody else: ids of EspoCRM, e-mails, phones, IBANs."""

    espo_id: str
    ids: PersonIds
    marks: frozenset[str] = field(repr=False)

    def is_named_in(self, text: str) -> bool:
        """Whether a text holds one of the marks."""
        return any(mark in text for mark in self.marks)


def scope_of(tx: Transaction, espo_id: str, betnr: int | None, also: Iterable[str] = ()) -> Scope:
    """Read under which names a person stands in our database; ``also``: further ids of records that belong to it."""
    ids = tx.person_rows.ids_of(espo_id, betnr)
    ids = replace(ids, espo_ids=ids.espo_ids | frozenset(also))
    return Scope(espo_id, ids, frozenset({*ids.espo_ids, *own_values(tx.person_rows.texts(ids))}))


def own_values(texts: Iterable[str]) -> set[str]:
    """Return those texts that stand for one person only; a name or a town may be anybody's."""
    return {one for text in texts if (one := text.strip()) and any(p.fullmatch(one) for p in (_E_MAIL, _IBAN, _PHONE))}
