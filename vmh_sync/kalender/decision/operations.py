"""What a calendar plan consists of: operations to carry out, and findings to report. Frozen, with a reason each.

Content stays out of every ``repr``, so that a logged operation shows ids and field names only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from vmh_sync.kalender.model import Appointment, BaseForm, Decoration, PairState, Source, TerminFields

Side = Literal["advoware", "google"]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of the normal form: what stood there and what replaces it (dates, texts, series as they are)."""

    name: str
    old: object = field(repr=False)
    new: object = field(repr=False)


@dataclass(frozen=True, slots=True)
class InsertGoogle:
    """Insert an event under ``event_id`` (made with ``generation``).

    ``confirm``: the earlier event was only missing from the list; read it first and plan again if it lives.
    ``stays``: a deadline belongs into this calendar, also when a person moved its event to a colleague's.
    """

    fr_nr: int
    event_id: str
    generation: int
    form: Appointment = field(repr=False)
    anonymised: bool
    decoration: Decoration
    source: Source
    reason: str
    replaces: str | None = None
    confirm: bool = False
    stays: bool = False


@dataclass(frozen=True, slots=True)
class UpdateGoogle:
    """Make an event say ``form`` (get, lay over, update with If-Match)."""

    fr_nr: int
    event_id: str
    form: Appointment = field(repr=False)
    anonymised: bool
    decoration: Decoration
    source: Source
    changes: tuple[FieldChange, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class RestoreEvent:
    """Put an event of a deadline back to what it said before a person changed it.

    ``values`` are fields of Google's event (``None``: the field goes away), ``properties`` all of our private
    properties. What both sides agreed on stays as it is.
    """

    fr_nr: int
    event_id: str
    values: Mapping[str, object] = field(repr=False)
    properties: Mapping[str, str] = field(repr=False)
    changes: tuple[FieldChange, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class DeleteGoogle:
    """Delete an event. ``confirm``: ask Advoware for the number once more; it was only missing from the list.

    ``was`` is what Advoware last said, kept in the audit log so that the deletion can be taken back. ``obstacle``: why
    Advoware cannot hold it; then it is not deleted where its Termin goes to a colleague, whose pass takes it along.
    """

    fr_nr: int
    event_id: str
    reason: str
    confirm: bool = True
    was: Appointment | None = field(default=None, repr=False)
    obstacle: str | None = None


@dataclass(frozen=True, slots=True)
class CreateAdvoware:
    """Create a Termin from an event: store the intent, POST ``values``, then mark the event.

    ``values`` has attribute names of ``TerminFields``. ``replaces_fr_nr`` is the number of a pair that ends.
    """

    event_id: str
    form: Appointment = field(repr=False)
    values: Mapping[str, str | int] = field(repr=False)
    reason: str
    replaces_fr_nr: int | None = None


@dataclass(frozen=True, slots=True)
class UpdateAdvoware:
    """Read the Termin, lay ``values`` over it, PUT it. ``form`` is what it has to read back as."""

    fr_nr: int
    event_id: str
    form: Appointment = field(repr=False)
    values: Mapping[str, str | int] = field(repr=False)
    changes: tuple[FieldChange, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class DeleteAdvoware:
    """Delete a Termin. ``confirm``: read the event once more; it was only missing from the list.

    ``was`` and ``termin`` are what it said, kept in the audit log so that the deletion can be taken back.
    """

    fr_nr: int
    event_id: str
    reason: str
    confirm: bool = False
    was: Appointment | None = field(default=None, repr=False)
    termin: TerminFields | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class TakeOver:
    """An event came here from a colleague's calendar: its Termin follows, and with it the pair.

    ``otherwise`` is what happens instead if the colleague's event lives on, or the Termin is gone: it is a new one.
    ``left_as``: under which id it stood there, where a client made it anew here and deleted that one.
    """

    fr_nr: int
    event_id: str
    from_kuerzel: str
    reason: str
    otherwise: "tuple[Operation, ...]" = ()
    left_as: str | None = None


@dataclass(frozen=True, slots=True)
class TakePair:
    """An event and its Termin both came here from a colleague: the pair follows, with what it was agreed on.

    Left behind, the colleague's pair would one day take the event that is gone there for one that a person deleted.
    ``pair`` is that pair as it was when this was planned.
    """

    fr_nr: int
    event_id: str
    from_kuerzel: str
    reason: str
    pair: PairState = field(repr=False)


@dataclass(frozen=True, slots=True)
class BringAlong:
    """Move the event of a Termin that a colleague had here from that calendar, with all that Advoware cannot hold.

    Never planned: an insert becomes it when the colleague's event turns out to say more than the Termin.
    """

    fr_nr: int
    event_id: str
    from_kuerzel: str
    reason: str


@dataclass(frozen=True, slots=True)
class LinkPair:
    """Store a pair row for an event that carries our mark, or belongs to a stored intent: then with what was sent."""

    fr_nr: int
    event_id: str
    generation: int
    source: Source
    reason: str
    base: BaseForm | None = None


@dataclass(frozen=True, slots=True)
class LinkFound:
    """Store the pair of a Termin and an event that were found to be the same, with the state they agree on."""

    fr_nr: int
    event_id: str
    base: BaseForm = field(repr=False)
    source: Source
    reason: str


@dataclass(frozen=True, slots=True)
class SaveBase:
    """Both sides agree: store what they say now as the pair's base, status in order."""

    fr_nr: int
    event_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ClosePair:
    """Both sides are gone: mark the pair row as deleted."""

    fr_nr: int
    event_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class MarkNotRepresentable:
    """Set the pair's status to ``not_representable`` with the reason code ``obstacle``; write to neither side."""

    fr_nr: int
    event_id: str
    obstacle: str
    reason: str


Operation = (
    InsertGoogle
    | UpdateGoogle
    | RestoreEvent
    | DeleteGoogle
    | CreateAdvoware
    | UpdateAdvoware
    | DeleteAdvoware
    | TakeOver
    | TakePair
    | BringAlong
    | LinkPair
    | LinkFound
    | SaveBase
    | ClosePair
    | MarkNotRepresentable
)

GOOGLE_WRITES = (InsertGoogle, UpdateGoogle, RestoreEvent, DeleteGoogle, BringAlong)
ADVOWARE_WRITES = (CreateAdvoware, UpdateAdvoware, DeleteAdvoware, TakeOver)


def side_written(operation: Operation) -> Side | None:
    """Return the foreign system that the operation writes to, ``None`` if only our own table."""
    if isinstance(operation, GOOGLE_WRITES):
        return "google"
    if isinstance(operation, ADVOWARE_WRITES):
        return "advoware"
    return None


ORGANISERS = "Nur der Organisator kann das Ereignis ändern"
"""How the text of a loss begins that only the organiser of the event can turn."""


class FindingKind(StrEnum):
    """What a finding is about."""

    CONFLICT = "conflict"
    WRITE_PROTECTED = "write_protected"
    READ_ONLY = "read_only"
    IGNORED = "ignored"
    ONE_WAY = "one_way"
    NOT_REPRESENTABLE = "not_representable"
    DELETED_AGAINST_CHANGE = "deleted_against_change"
    RESTORED = "restored"
    MISSING_IN_ADVOWARE = "missing_in_advoware"
    DUPLICATE = "duplicate"
    ORPHAN = "orphan"
    UNREADABLE = "unreadable"
    OUTCOME_UNKNOWN = "outcome_unknown"
    DOUBTFUL = "doubtful"
    DIFFERENT = "different"
    DEADLINE = "deadline"
    PUT_OFF = "put_off"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something for the report and the audit log. ``text`` is German and holds no content.

    ``changes`` are the values that do not prevail: ``old`` is the losing value, ``new`` the one that stands.
    """

    kind: FindingKind
    text: str
    fr_nr: int | None = None
    event_id: str | None = None
    changes: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about one pair or one unpaired appointment: operations in order, findings to report."""

    operations: tuple[Operation, ...] = ()
    findings: tuple[Finding, ...] = ()


NOTHING = Decision()
