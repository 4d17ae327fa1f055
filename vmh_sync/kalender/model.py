"""Plain data of the calendar sync: the Advoware Termin, the normal form both sides are compared in, and the base."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from vmh_sync.clock import FIRM_ZONE


class Source(StrEnum):
    """The system in which an appointment was created."""

    ADVOWARE = "advoware"
    GOOGLE = "google"


class Strategy(StrEnum):
    """Who wins when both sides changed (specification, kalender.md 5)."""

    SOURCE_SYSTEM_WINS = "source_system_wins"
    LAST_CHANGE_WINS = "last_change_wins"


class Frequency(StrEnum):
    """The four kinds of series that both sides can express; the value is the RRULE word."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


@dataclass(frozen=True, slots=True)
class DeadlineRule:
    """One of the firm's rules for which Termine are deadlines: everything that it names must be met.

    Of the words of one field any may occur, in any case, also inside a longer word. ``akte`` is looked for in the
    file number; ``ganztags`` asks for whole days, or for none.
    """

    name: str
    text: tuple[str, ...] = ()
    notiz: tuple[str, ...] = ()
    ort: tuple[str, ...] = ()
    akte: tuple[str, ...] = ()
    ganztags: bool | None = None


@dataclass(frozen=True, slots=True)
class CalendarRules:
    """Settings that shape conversion and decisions; nothing in this package reads the environment.

    ``zone`` is the firm's zone: every wall clock time of the normal form is in it. ``advoware_zone`` is the zone of
    ``zuletztGeaendertAm``. ``write_protection`` is the global switch (on: nothing is written to Advoware).
    """

    zone: ZoneInfo = FIRM_ZONE
    advoware_zone: ZoneInfo = FIRM_ZONE
    neutral_title: str = "Termin"
    attach_file_number: bool = False
    show_preparation: bool = True
    stretch_by_preparation: bool = False
    window_years_back: int = 1
    window_years_ahead: int = 2
    open_series_year: int = 2037
    default_hour: int = 9
    default_minutes: int = 30
    default_strategy: Strategy = Strategy.SOURCE_SYSTEM_WINS
    write_protection: bool = True
    write_allowed_default: bool = True
    empty_list_tolerance: int = 5
    mass_change_records: int = 50
    mass_change_share: float = 0.20
    deadlines: tuple[DeadlineRule, ...] = ()
    deadlines_from_google: bool = False


@dataclass(frozen=True, slots=True)
class TerminFields:
    """An Advoware Termin as it stands on the wire (specification, kalender.md 2), attribute names in snake_case.

    Dates are ``YYYY-MM-DD`` or a date-time of which only the day counts, times are ``HH:MM[:SS]``, ``None`` or empty
    means "not given"; ``zuletzt_geaendert_am`` is local time without zone. ``turnus_art``: 1 day, 2 week, 3 month,
    4 year. A negative ``fr_nr`` is a made-up entry of Advoware and read-only. Contents stay out of the repr.
    """

    fr_nr: int
    text: str | None = field(default=None, repr=False)
    notiz: str | None = field(default=None, repr=False)
    ort: str | None = field(default=None, repr=False)
    datum: str | None = None
    uhrzeit_von: str | None = None
    uhrzeit_bis: str | None = None
    datum_bis: str | None = None
    dauertermin: int | None = 0
    turnus: int | None = 0
    turnus_art: int | None = 0
    abwesenheit: int | None = 0
    privat: int | None = 0
    anwalt: str | None = None
    sb: str | None = None
    nr: int | str | None = None
    az_rubrum: str | None = field(default=None, repr=False)
    erinnerung: int | None = None
    erinnerungs_datum: str | None = None
    vorbereitungs_dauer: str | None = None
    fahrzeit: str | None = None
    fahrt_anzeige_typ: int | None = None
    zuletzt_geaendert_am: str | None = None


class UnreadableAppointmentError(ValueError):
    """One appointment cannot be converted. Carries ids and the field's name, never its value."""

    def __init__(self, field: str, *, fr_nr: int | None = None, event_id: str | None = None) -> None:
        self.field = field
        self.fr_nr = fr_nr
        self.event_id = event_id
        owner = f"Termin frNr={fr_nr}" if fr_nr is not None else f"Google event {event_id}"
        super().__init__(f"{owner}: field {field} cannot be read")


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A series: every ``interval`` units from the start on, up to and including ``until`` (``None``: open)."""

    frequency: Frequency
    interval: int
    until: date | None = None

    def to_json(self) -> dict[str, object]:
        """Return the series as JSON-able data."""
        until = self.until and self.until.isoformat()
        return {"frequency": self.frequency.value, "interval": self.interval, "until": until}


@dataclass(frozen=True, slots=True)
class Appointment:
    """The normal form. ``start`` and ``end`` are aware wall clock times in the firm's zone, ``end`` exclusive.

    All-day: both at midnight, ``end`` on the day after the last one. For a series they are the first occurrence's.
    Texts are normalised (:mod:`vmh_sync.kalender.form.text_form`). Two forms are equal when wall clocks are equal: the
    second 02:30 of the night in which clocks go back cannot be told apart in Advoware and counts as the first.
    """

    start: datetime
    end: datetime
    all_day: bool
    text: str = field(default="", repr=False)
    notiz: str = field(default="", repr=False)
    ort: str = field(default="", repr=False)
    recurrence: Recurrence | None = None
    private: bool = False

    def to_json(self) -> dict[str, object]:
        """Return the form as JSON-able data; times are wall clock times of the firm's zone without offset."""
        series = self.recurrence
        return {
            "start": self.start.replace(tzinfo=None).isoformat(),
            "end": self.end.replace(tzinfo=None).isoformat(),
            "all_day": self.all_day,
            "text": self.text,
            "notiz": self.notiz,
            "ort": self.ort,
            "recurrence": series and series.to_json(),
            "private": self.private,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, object], zone: ZoneInfo) -> "Appointment":
        """Rebuild the form from :meth:`to_json`; ``zone`` is the firm's zone. Raises ``KeyError``/``ValueError``."""
        series = data["recurrence"]
        recurrence = None
        if isinstance(series, Mapping):
            until = series["until"]
            recurrence = Recurrence(
                Frequency(str(series["frequency"])),
                int(str(series["interval"])),
                date.fromisoformat(str(until)) if until else None,
            )
        return cls(
            start=datetime.fromisoformat(str(data["start"])).replace(tzinfo=zone),
            end=datetime.fromisoformat(str(data["end"])).replace(tzinfo=zone),
            all_day=bool(data["all_day"]),
            text=str(data["text"]),
            notiz=str(data["notiz"]),
            ort=str(data["ort"]),
            recurrence=recurrence,
            private=bool(data["private"]),
        )


TIME_FIELDS = frozenset({"start", "end", "all_day", "recurrence"})
TEXT_FIELDS = frozenset({"text", "notiz", "ort"})
FLOWING_FIELDS = TIME_FIELDS | TEXT_FIELDS
"""What may go from Google to Advoware. ``private`` goes one way only: PUT leaves it alone (kalender.md 4)."""


def changed_fields(one: Appointment, other: Appointment) -> frozenset[str]:
    """Return the names of the fields in which two normal forms differ."""
    if one == other:
        return frozenset()
    return frozenset(name for name in Appointment.__slots__ if getattr(one, name) != getattr(other, name))


@dataclass(frozen=True, slots=True)
class Decoration:
    """What only the Google event shows and what is taken off again on the way back.

    ``title_suffix`` is the attached file number, ``description_tail`` names preparation and travel (lines joined by
    ``\\n``), the minutes are by how much the event is stretched before and after.
    """

    title_suffix: str = field(default="", repr=False)
    description_tail: str = ""
    stretch_before: int = 0
    stretch_after: int = 0


PLAIN = Decoration()


@dataclass(frozen=True, slots=True)
class Mark:
    """What our private extended properties say about an event (specification, kalender.md 1)."""

    fr_nr: int
    content_hash: str = ""
    source: Source = Source.ADVOWARE
    anonymised: bool = False


@dataclass(frozen=True, slots=True)
class BaseForm:
    """The state both sides had when they last agreed, each as it read back.

    Two forms, because either server may rewrite what it is given (length, HTML, blanks): a side has changed when it
    differs from its *own* last state, so that a server's rewriting is never taken for an edit. ``mark_hash`` is the
    content hash of the event's mark then: another one in the event means a write of ours that was never stored here.
    ``sent``: what Advoware was to say by a write whose outcome is not known.
    """

    advoware: Appointment
    google: Appointment
    anonymised: bool = False
    decoration: Decoration = PLAIN
    mark_hash: str = ""
    sent: Appointment | None = None

    def to_json(self) -> dict[str, object]:
        """Return the base as JSON-able data for the pair table."""
        shown = self.decoration
        return {
            "version": 1,
            "advoware": self.advoware.to_json(),
            "google": self.google.to_json(),
            "anonymised": self.anonymised,
            "decoration": [shown.title_suffix, shown.description_tail, shown.stretch_before, shown.stretch_after],
            "mark_hash": self.mark_hash,
        } | ({"sent": self.sent.to_json()} if self.sent is not None else {})

    @classmethod
    def from_json(cls, data: Mapping[str, object], zone: ZoneInfo) -> "BaseForm":
        """Rebuild the base from :meth:`to_json`. Raises ``KeyError``/``ValueError``/``TypeError`` on foreign data."""
        advoware, google, shown = data["advoware"], data["google"], data["decoration"]
        if not (isinstance(advoware, Mapping) and isinstance(google, Mapping) and isinstance(shown, list | tuple)):
            raise TypeError("base form: advoware and google must be objects and decoration a list")
        suffix, tail, before, after = shown
        sent = data.get("sent")
        return cls(
            advoware=Appointment.from_json(advoware, zone),
            google=Appointment.from_json(google, zone),
            anonymised=bool(data["anonymised"]),
            decoration=Decoration(str(suffix), str(tail), int(before), int(after)),
            mark_hash=str(data.get("mark_hash") or ""),
            sent=Appointment.from_json(sent, zone) if isinstance(sent, Mapping) else None,
        )


@dataclass(frozen=True, slots=True)
class PairState:
    """One living row of ``calendar_pair`` (specification, kalender.md 5) as the decision needs it.

    ``base`` is ``None`` for a pair rebuilt from marks alone. ``obstacle`` is set while the pair is
    ``not_representable`` and says why. ``generation`` is the one the event id was made with. ``guarded`` is what the
    event of a deadline said in full when we last wrote it, field by field; ``None`` for other appointments.
    ``leaving``: we were about to delete its event, because the Termin had gone to a colleague. ``kept``: Advoware kept
    the Termin although it answered our deletion as done. ``unsettled``: one of these, or its last attempt failed.
    """

    fr_nr: int
    event_id: str
    source: Source = Source.ADVOWARE
    strategy: Strategy = Strategy.SOURCE_SYSTEM_WINS
    write_allowed: bool = True
    base: BaseForm | None = None
    generation: int = 0
    obstacle: str | None = None
    guarded: Mapping[str, object] | None = field(default=None, repr=False)
    leaving: bool = False
    kept: bool = False
    unsettled: bool = False
