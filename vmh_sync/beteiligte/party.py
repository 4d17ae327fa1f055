"""A party as it was read from both sides and from our database."""

from dataclasses import dataclass, field
from datetime import datetime

from vmh_sync.beteiligte.master_data.state import OpenTask
from vmh_sync.store.history.tasks import ManualTask
from vmh_sync.store.pairs.fingerprints import PartyRows
from vmh_sync.store.pairs.intents import Intent
from vmh_sync.store.pairs.links import Link
from vmh_sync.store.pairs.records import SyncRecord
from vmh_sync.sync.base import Base
from vmh_sync.sync.reporting.status_values import Kept
from vmh_sync.systems.advoware.records import Beteiligter
from vmh_sync.systems.espocrm.records import EspoRecord

ENTITY = "beteiligte"

LARGEST_BETNR = 2**63 - 1
"""What our database holds; EspoCRM's field holds it where it is a text."""

_MOST_DIGITS = 40
"""Longer ones are no number of a party, whatever zeros they begin with, and take long to read."""


@dataclass(slots=True, repr=False)
class PartyRead:
    """What ``fetch`` brings of one party.

    ``espo`` is ``None`` when EspoCRM does not have the record (any more), ``advoware`` when Advoware does not have it
    or was not asked; ``gone_in_advoware`` says that Advoware answered 404 for its number. ``espo_full`` tells a single
    read (with e-mail and phone lists) from a list entry. ``problem`` is why the party could not be read, ``refusal``
    a German sentence why it must not be synced. ``heir_of`` is the link of a record that was
    deleted in EspoCRM and whose number this one carries now (its own, with the number that a person entered after the
    party was deleted in Advoware); ``leaves`` the link of its own that it gives up for that.
    ``retry_refused``: what a side refused is due again.
    ``fingerprint`` stands for all that a comparison would be made from; ``recognised``: it is the one of the comparison
    that came to "nothing to do", so none is made (``advoware`` was not looked into then). ``rows`` are our rows about
    the party before anything else was read, where nothing was open. ``just_created``: we have created it in Advoware a
    moment ago, so nobody can have entered anything there. ``erased``: the person was erased (Art. 17 DSGVO); neither
    side is looked at. ``settled``: tasks about another party in Advoware that need no answer any more.
    ``meeting``: what a first contact was about to write that never came to its end (``sync.first_meeting``).
    ``unanswered``: a create of this party that was sent and never answered; ``made_from``: what it sent, in place of a
    base, where it may have made the party that the number stands for now.
    """

    espo_id: str
    espo: EspoRecord | None = None
    espo_full: bool = False
    advoware: Beteiligter | None = None
    gone_in_advoware: bool = False
    link: Link | None = None
    ledger_row: SyncRecord | None = None
    tasks: list[ManualTask] = field(default_factory=list)
    problem: Exception | None = None
    refusal: str | None = None
    heir_of: Link | None = None
    leaves: Link | None = None
    read_at: datetime | None = None
    retry_refused: bool = False
    fingerprint: str | None = None
    recognised: bool = False
    rows: PartyRows | None = None
    just_created: bool = False
    erased: bool = False
    settled: set[int] = field(default_factory=set)
    meeting: Intent | None = None
    unanswered: Intent | None = None
    made_from: Base | None = None

    def blame(self, error: Exception) -> None:
        """Note why the party cannot be synced in this pass."""
        self.problem = error

    @property
    def reported_tasks(self) -> list[ManualTask]:
        """The open tasks that stand in EspoCRM already."""
        return [row for row in self.tasks if row.espo_task_id is not None]

    @property
    def is_calm(self) -> bool:
        """Whether our ledger knows of no trouble with the record and no task about it is open."""
        return (self.ledger_row is None or self.ledger_row.status == "clean") and not self.tasks

    def inherit(self, link: Link) -> None:
        """Be the heir of another record's link: what was read of a party of its own counts no more."""
        self.heir_of, self.leaves, self.link = link, self.link, None
        self.advoware, self.gone_in_advoware, self.recognised = None, False, False

    @property
    def changed_number(self) -> bool:
        """Whether a person put another number into EspoCRM than the one the link stands for."""
        told = espo_betnr(self.espo)
        return self.link is not None and self.link.betnr is not None and told not in (None, self.link.betnr)

    @property
    def betnr(self) -> int | None:
        """The party's number in Advoware: the link's, else the one that stands in EspoCRM."""
        if self.link is not None and self.link.betnr is not None:
            return self.link.betnr
        return espo_betnr(self.espo)

    @property
    def base(self) -> Base | None:
        """The stored base, ``None`` on first contact."""
        return Base.from_json(self.link.base) if self.link is not None and self.link.base else None

    @property
    def kept(self) -> Kept:
        """What EspoCRM is known to make of our bookkeeping values instead of taking them."""
        return self.link.notes.kept_differently if self.link is not None else {}

    @property
    def open_tasks(self) -> tuple[OpenTask, ...]:
        """Our open tasks, as the plan sees them."""
        return tuple(
            OpenTask(
                task.id,
                task.kind,
                task.fields,
                bool(task.details.get("held")),
                task.details,
                settled=task.id in self.settled,
            )
            for task in self.tasks
        )


def unusable_betnr(espo: EspoRecord | None) -> bool:
    """Whether something stands in EspoCRM's field for the number that can be no number."""
    value = espo.attributes.get("betnr") if espo is not None else None
    is_empty = value is None or value == 0 or (isinstance(value, str) and value.strip() in ("", "0"))
    return not is_empty and espo_betnr(espo) is None


def espo_betnr(espo: EspoRecord | None) -> int | None:
    """Return the Advoware number that stands in EspoCRM, ``None`` when there is none or it is no number."""
    value = espo.attributes.get("betnr") if espo is not None else None
    # Stricter than ``int``, which takes "1_001", 10.5 and true for numbers: another party would be linked.
    if isinstance(value, str):
        told = value.strip()
        value = int(told) if told.isdecimal() and len(told) <= _MOST_DIGITS else None
    is_number = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_BETNR
    return value if is_number else None


def carries(party: Beteiligter, mark: str) -> bool:
    """Tell whether the remark of a party of Advoware holds our mark."""
    return mark.casefold() in (party.bemerkung or "").casefold()
