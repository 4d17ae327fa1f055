"""Canonical records of a party's phones and e-mails. Pure data; nothing here is ever logged.

The EspoCRM side is a list of values without ids, the Advoware side a list of entries with ids; a *pair* of our own
database says which entry stands for which value (specification, entities.md 2).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from vmh_sync.sync.base import Side
from vmh_sync.sync.merge import ConflictRule, Stamps
from vmh_sync.sync.values import email, is_empty, phone


class Channel(StrEnum):
    """The two lists of EspoCRM; every kind of Advoware entry that we sync belongs to one of them."""

    EMAIL = "email"
    PHONE = "phone"

    def normal(self, value: object) -> str | None:
        """Return what two spellings of one value have in common, ``None`` for an empty one."""
        return email(value) if self is Channel.EMAIL else phone(value)


@dataclass(frozen=True, slots=True, repr=False)
class EspoEntry:
    """One item of ``emailAddressData`` or ``phoneNumberData`` as read.

    ``type`` is EspoCRM's phone type (``None`` for e-mails), ``raw`` the item as it came, so that what we do not know
    goes back unchanged.
    """

    kind: Channel
    value: str
    type: str | None = None
    primary: bool = False
    opt_out: bool = False
    invalid: bool = False
    raw: Mapping[str, object] = field(default_factory=dict)

    @property
    def key(self) -> str | None:
        """Normal form of the value; ``None`` when the item is empty."""
        return self.kind.normal(self.value)

    @classmethod
    def read(cls, kind: Channel, item: Mapping[str, Any]) -> "EspoEntry":
        """Read one item of EspoCRM's JSON."""
        return cls(
            kind=kind,
            value=str(item.get("emailAddress" if kind is Channel.EMAIL else "phoneNumber") or ""),
            type=item.get("type") if kind is Channel.PHONE else None,
            primary=bool(item.get("primary")),
            opt_out=bool(item.get("optOut")),
            invalid=bool(item.get("invalid")),
            raw=dict(item),
        )


@dataclass(frozen=True, slots=True, repr=False)
class AdvowareEntry:
    """One entry of a party's ``kommunikation[]`` as read; ``komm_kz`` is ``None`` or 0 where it is not told."""

    id: int
    tlf: str | None
    bemerkung: str | None = None
    komm_kz: int | None = None
    online: bool = False
    row_id: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the entry holds no value."""
        return is_empty(self.tlf)


class PairState(StrEnum):
    """How a stored pair stands."""

    ACTIVE = "active"  # both sides hold the value
    SLOT = "slot"  # emptied by us: may be filled again
    EMPTIED = "emptied"  # emptied by a person: not ours to fill, only its kind is remembered
    REFUSED = "refused"  # one side holds a value that the other does not take


@dataclass(frozen=True, slots=True, repr=False)
class Pair:
    """What each side said of one entry when both were last brought together.

    ``advoware_id`` is ``None`` only for a value that Advoware refused to create. ``kind`` is the kommKz (1..12).
    ``online_base`` and ``primary_base`` are ``None`` while unknown (first contact). ``refusal`` is a
    :class:`~vmh_sync.kommunikation.notation.Refusal` value and set in state ``refused`` only; ``said`` is
    Advoware's own reason then. ``marked`` is what was last sent as a marker alone: a value, or nothing for a slot.
    ``sent`` is what a pass was about to send to the entry and did not live to note.
    """

    advoware_id: int | None
    kind: int
    espo_base: str | None
    advoware_base: str | None
    online_base: bool | None = None
    primary_base: bool | None = None
    state: PairState = PairState.ACTIVE
    espo_type: str | None = None
    refusal: str | None = None
    said: str = ""
    marked: str | None = None
    sent: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the part that is stored as JSON (everything but the Advoware id)."""
        return {
            "kind": self.kind,
            "espo_base": self.espo_base,
            "advoware_base": self.advoware_base,
            "online_base": self.online_base,
            "primary_base": self.primary_base,
            "state": self.state.value,
            "espo_type": self.espo_type,
            "refusal": self.refusal,
            **({"said": self.said} if self.said else {}),
            **({"marked": self.marked} if self.marked is not None else {}),
            **({"sent": dict(self.sent)} if self.sent is not None else {}),
        }

    @classmethod
    def from_json(cls, advoware_id: int | None, data: Mapping[str, Any]) -> "Pair":
        """Read the stored form."""
        return cls(
            advoware_id=advoware_id,
            kind=int(data["kind"]),
            espo_base=data.get("espo_base"),
            advoware_base=data.get("advoware_base"),
            online_base=data.get("online_base"),
            primary_base=data.get("primary_base"),
            state=PairState(data.get("state", "active")),
            espo_type=data.get("espo_type"),
            refusal=data.get("refusal"),
            said=str(data.get("said", "")),
            marked=data.get("marked"),
            sent=data.get("sent"),
        )

    def about_to_send(self, tlf: str | None, row_id: str | None, *, online: bool) -> "Pair":
        """Return the pair that knows what is about to be sent to its entry, as it stood then."""
        return replace(self, sent={"value": tlf or None, "online": online, "row_id": row_id})

    def as_sent(self, channel: Channel, entry: AdvowareEntry) -> "Pair":
        """Return the pair to compare with: what a killed pass sent, where the entry holds that, is nobody's edit."""
        known = replace(self, sent=None)
        if self.sent is None or channel.normal(entry.tlf) != channel.normal(self.sent["value"]):
            return known
        value, state = self.sent["value"], PairState.ACTIVE if self.sent["value"] else PairState.SLOT
        told = replace(known, espo_base=value, advoware_base=value, online_base=self.sent["online"])
        return replace(told, state=state, refusal=None, said="")


@dataclass(frozen=True, slots=True, repr=False)
class PartyCommunication:
    """Everything the merge looks at.

    ``emails`` and ``phones`` come from a fresh GET of the one record (lists carry neither, espocrm.md B1 7);
    ``entries`` from the fresh read of the party. ``None`` means "not read": that part is left alone, because a read
    that failed must never look like an empty list. ``contacts`` holds the party's read-only top-level copies
    (``mobil``, ``telGesch``, …).
    """

    emails: tuple[EspoEntry, ...] | None
    phones: tuple[EspoEntry, ...] | None
    entries: tuple[AdvowareEntry, ...] | None
    pairs: tuple[Pair, ...] = ()
    contacts: Mapping[str, str | None] = field(default_factory=dict)

    def items(self, channel: Channel) -> tuple[EspoEntry, ...] | None:
        """Return EspoCRM's list of one channel."""
        return self.emails if channel is Channel.EMAIL else self.phones


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of the merge.

    ``confirmed_empty`` says that an empty side was read a second time and is really empty (see
    ``KommunikationPlan.suspicious_empty``). ``international`` mirrors EspoCRM's ``phoneNumberInternational``.
    ``retry_refused``: to which sides goes once more what they refused.
    ``online_at_first_contact``: an EspoCRM primary sets ``online`` also where both sides already agree on the value.
    """

    conflict: ConflictRule = ConflictRule.ESPOCRM_WINS
    stamps: Stamps = field(default_factory=Stamps)
    write_markers: bool = False
    international: bool = True
    max_emails: int = 10
    max_phones: int = 10
    max_remark: int = 2000
    confirmed_empty: bool = False
    online_at_first_contact: bool = True
    retry_refused: frozenset[Side] = frozenset()

    def limit(self, channel: Channel) -> int:
        """Return how many items EspoCRM takes in one channel."""
        return self.max_emails if channel is Channel.EMAIL else self.max_phones
