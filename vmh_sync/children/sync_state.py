"""The children of one party as both sides and our database hold them now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from vmh_sync.children.kind import ChildKind
from vmh_sync.engine.failures.ledger import retry_is_due
from vmh_sync.settings import SyncSettings
from vmh_sync.store.history.tasks import ManualTask
from vmh_sync.store.pairs.intents import Intent
from vmh_sync.store.pairs.links import Link
from vmh_sync.store.pairs.records import SyncRecord
from vmh_sync.sync.fields import FieldTable
from vmh_sync.systems.advoware.records import Beteiligter, WireRecord
from vmh_sync.systems.espocrm.records import EspoRecord
from vmh_sync.systems.spoilt_row import SpoiltRow


@dataclass(frozen=True, slots=True, repr=False)
class ChildrenRead:
    """A party's children as Advoware told them, and what could not be used: by id, or without one."""

    children: Sequence[WireRecord]
    spoilt: Mapping[int, Exception] = field(default_factory=dict)
    nameless: Exception | None = None

    @classmethod
    def of(cls, children: Sequence[WireRecord], rows: Sequence[SpoiltRow]) -> "ChildrenRead":
        """Sort what was read."""
        numbered = {number: row.error for row in rows if (number := row.number("id")) is not None}
        nameless = next((row.error for row in rows if row.number("id") is None), None)
        return cls(children, numbered, nameless)

    @property
    def is_empty(self) -> bool:
        """Whether Advoware told nothing at all."""
        return not self.children and not self.spoilt and self.nameless is None


@dataclass(slots=True, repr=False)
class PartyChildren:
    """What was read of one party's children.

    ``espo`` by EspoCRM id, ``advoware`` by Advoware's id as text. ``gone_in_espocrm`` are linked records that EspoCRM
    denied on a direct read, or that were taken away from the party and belong to none (``taken_away``),
    ``elsewhere`` linked ones that belong to another party now, ``orphaned`` ones that still
    hang on a record that is deleted and whose number this party has inherited. ``foreign_links`` are links
    of this party's EspoCRM records that stand for another party's child; ``living`` are those parties that have a
    record in EspoCRM, by number. ``attempted`` is the create in Advoware whose outcome nobody knows, by EspoCRM id;
    ``imported`` the create in EspoCRM that made a record and was never settled. ``ledger_rows`` is what the ledger says
    of them, ``by_person`` whether a person started the pass, ``tried`` whether it has sent once more what was refused.
    ``spoilt_in_espocrm`` (by EspoCRM id) and ``spoilt_in_advoware`` (by Advoware's id) are records that cannot be used,
    ``nameless_in_advoware`` one of which not even the id can. ``problem`` is why nothing may be concluded.
    """

    espo_id: str
    betnr: int
    owner: str
    table: FieldTable
    rules: SyncSettings
    now: datetime
    today: date
    espo: dict[str, EspoRecord] = field(default_factory=dict)
    advoware: dict[str, WireRecord] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    foreign_links: dict[str, Link] = field(default_factory=dict)
    living: dict[int, str] = field(default_factory=dict)
    tasks: dict[str, list[ManualTask]] = field(default_factory=dict)
    attempted: dict[str, Intent] = field(default_factory=dict)
    imported: dict[str, Intent] = field(default_factory=dict)
    ledger_rows: dict[str, SyncRecord] = field(default_factory=dict)
    by_person: bool = False
    tried: bool = False
    gone_in_espocrm: set[str] = field(default_factory=set)
    taken_away: set[str] = field(default_factory=set)
    elsewhere: set[str] = field(default_factory=set)
    orphaned: set[str] = field(default_factory=set)
    spoilt_in_espocrm: dict[str, Exception] = field(default_factory=dict)
    spoilt_in_advoware: dict[str, Exception] = field(default_factory=dict)
    nameless_in_advoware: Exception | None = None
    problem: Exception | None = None

    def import_of(self, kind: ChildKind, espo_id: str) -> str:
        """Return under which name the create of a record in EspoCRM is announced, by the number that it carries."""
        key = str(self.espo[espo_id].attributes.get(kind.key_attribute) or "")
        return import_name(self.betnr, key if key.isascii() and key.isdecimal() else "")

    def take(self, read: ChildrenRead) -> None:
        """Take over what was read of Advoware's side."""
        self.advoware = {key_of(child): child for child in read.children}
        self.spoilt_in_advoware = {str(key): error for key, error in read.spoilt.items()}
        self.nameless_in_advoware = read.nameless

    def retries(self, espo_id: str) -> bool:
        """Whether what was refused of a child is to be sent once more (specification, sync-semantics.md 4)."""
        return not self.tried and (self.by_person or retry_is_due(self.ledger_rows.get(espo_id), self.now))

    def blame(self, error: Exception) -> None:
        """Note why nothing may be concluded."""
        self.problem = error


def import_name(betnr: int, key: str) -> str:
    """Return the name of the create in EspoCRM of a child that Advoware has under this number."""
    return f"{betnr}:{key}"


def owner_of(party: Beteiligter) -> str:
    """Return a party's full name as it stands above an address."""
    return " ".join(part for part in ((party.vorname or "").strip(), (party.name or "").strip()) if part)


def sent_key(intent: Intent | None) -> tuple[str, ...] | None:
    """Return the natural key of what was sent to Advoware, ``None`` where it had none."""
    return tuple(intent.natural_key.get("key", ())) or None if intent is not None else None


def key_of(child: WireRecord) -> str:
    """Return a child's Advoware id as text."""
    return str(child.model_dump(include={"id"})["id"])
