"""Kinds of Advoware entries (kommKz 1..12) and EspoCRM's phone types (specification, entities.md 2)."""

import re
from collections.abc import Mapping

from vmh_sync.kommunikation.markers import Remark
from vmh_sync.kommunikation.model import AdvowareEntry, Channel, Pair, PairState
from vmh_sync.kommunikation.notation import for_espo
from vmh_sync.sync.values import phone

TEL_GESCH, FAX_GESCH, MOBIL, MAIL_GESCH, INTERNET, TEL_PRIVAT = 1, 2, 3, 4, 5, 6
FAX_PRIVAT, MAIL_PRIVAT, AUTO_TELEFON, SONSTIGE, E_POST, BE_A = 7, 8, 9, 10, 11, 12

UNTOUCHED = frozenset({INTERNET, E_POST, BE_A})
"""Kinds without a home in EspoCRM: never read across, never written, never slotted."""

_EMAIL = frozenset({MAIL_GESCH, MAIL_PRIVAT})
_KIND_OF_TYPE = {"Office": TEL_GESCH, "Fax": FAX_GESCH, "Mobile": MOBIL, "Home": TEL_PRIVAT, "Other": SONSTIGE}
_TYPE_OF_KIND = {
    TEL_GESCH: "Office",
    FAX_GESCH: "Fax",
    FAX_PRIVAT: "Fax",
    MOBIL: "Mobile",
    AUTO_TELEFON: "Mobile",
    TEL_PRIVAT: "Home",
    SONSTIGE: "Other",
}
# In the order in which they are asked; the names are the wire's own (advoware-wire.md 3).
_KIND_OF_COPY = {
    "mobil": MOBIL,
    "telGesch": TEL_GESCH,
    "telPrivat": TEL_PRIVAT,
    "faxGesch": FAX_GESCH,
    "emailGesch": MAIL_GESCH,
    "email": MAIL_PRIVAT,
    "internet": INTERNET,
}
_URL = re.compile(r"(?i)^\s*(https?://|www\.)")
_SAFE_ID = re.compile(r"(?i)^\s*(DE\.[A-Z_]+\.|safe-|govello-)")  # addresses of beA and the courts' mailboxes
_GERMAN_MOBILE = re.compile(r"^\+491[567]\d")


def channel_of(kind: int) -> Channel | None:
    """Return EspoCRM's list for a kind, ``None`` for a kind that is never touched."""
    if kind in UNTOUCHED:
        return None
    return Channel.EMAIL if kind in _EMAIL else Channel.PHONE


def type_of(kind: int) -> str | None:
    """Return EspoCRM's phone type for a kind, ``None`` for e-mails and untouched kinds."""
    return _TYPE_OF_KIND.get(kind)


def kind_of_item(channel: Channel, phone_type: str | None, value: str) -> int:
    """Return the kind of the Advoware entry to create for an EspoCRM item.

    A type that the table does not know (EspoCRM's list of types can be extended) becomes Sonstige; an item without
    one is told by its number.
    """
    if channel is Channel.EMAIL:
        return MAIL_GESCH
    if not phone_type:
        return kind_of_value(value)
    return _KIND_OF_TYPE.get(phone_type, SONSTIGE)


def kind_of_value(value: str) -> int:
    """Guess the kind from the value alone: ``@``, a web address, a SAFE-ID, a German mobile prefix, any other text."""
    if "@" in value:
        return MAIL_GESCH
    if _URL.match(value):
        return INTERNET
    if _SAFE_ID.match(value):
        return BE_A
    return MOBIL if _GERMAN_MOBILE.match(phone(value) or "") else TEL_GESCH


def believed(entry: AdvowareEntry, remark: Remark) -> Remark:
    """Return the remark, as a person's text where its marker cannot speak of this entry.

    Advoware changes no kind, so a marker of the other list than the entry's own kommKz was copied from elsewhere unless
    its list takes what stands in the entry. Where Advoware tells no kommKz, the marker counts unless only the other
    list takes the value. Within one list a marker is always trusted.
    """
    marked = channel_of(remark.kind) if remark.kind is not None else None
    own = entry.komm_kz or 0
    told = channel_of(own) if own in range(1, 13) else None
    if remark.kind is None or own in UNTOUCHED or (told is not None and marked is told):
        return remark
    if told is not None:
        holds = marked is not None and _takes(marked, entry)
    else:
        holds = marked is None or _takes(marked, entry) or not any(_takes(other, entry) for other in Channel)
    return remark if holds else Remark(entry.bemerkung or "")


def made_another(entry: AdvowareEntry, pair: Pair) -> bool:
    """Whether a person made something else of an entry: its kommKz and its value both say another list than its pair.

    That is the end of the old value and a new entry. Of a kommKz alone the pair knows better: a marker was trusted.
    """
    own, paired = entry.komm_kz or 0, channel_of(pair.kind)
    if own not in range(1, 13) or entry.is_empty or paired is None:
        return False
    other = channel_of(own)
    if other is paired:
        return False
    says_other = other is None or _takes(other, entry)  # what no list takes is a slip of the pen
    return says_other and not _takes(paired, entry)


def _takes(channel: Channel, entry: AdvowareEntry) -> bool:
    return not entry.is_empty and for_espo(channel, entry.tlf or "").value is not None


def resolve(entry: AdvowareEntry, pair: Pair | None, remark: Remark, contacts: Mapping[str, str | None]) -> int:
    """Return an entry's kind: stored pair, marker, own kommKz, the party's top-level copies, pattern of the value.

    Two refinements: an own kommKz of an untouched kind always counts (nothing may bring us to write a beA address),
    and a pair whose value was never synced does not fix a kind that was only guessed from that value.
    """
    own = entry.komm_kz or 0
    if own in UNTOUCHED:
        return own
    if pair is not None and not (pair.state is PairState.REFUSED and pair.espo_base is None):
        return pair.kind
    if remark.kind is not None:
        return remark.kind
    if own in range(1, 13):
        return own
    return _kind_of_copy(entry, contacts) or kind_of_value(entry.tlf or "")


def _kind_of_copy(entry: AdvowareEntry, contacts: Mapping[str, str | None]) -> int | None:
    if entry.is_empty:
        return None
    for name, kind in _KIND_OF_COPY.items():
        copy = contacts.get(name)
        channel = channel_of(kind) or Channel.EMAIL
        if copy and channel.normal(copy) == channel.normal(entry.tlf):
            return kind
    return None
