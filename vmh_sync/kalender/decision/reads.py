"""What one pass has read about one employee, ordered into one view per appointment and side."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial

from vmh_sync.engine.failures.isolation import isolated
from vmh_sync.kalender.decision.operations import Finding, FindingKind
from vmh_sync.kalender.decision.sides import AdvowareView, GoogleView, Presence
from vmh_sync.kalender.form.advoware_form import read_termin
from vmh_sync.kalender.form.google_form import ReadEvent, deviates, is_cancelled, is_exception, read_event
from vmh_sync.kalender.model import (
    Appointment,
    BaseForm,
    CalendarRules,
    PairState,
    TerminFields,
    UnreadableAppointmentError,
)


class GoogleRead(StrEnum):
    """How the Google list was read."""

    FULL = "full"  # complete list of the window: what is not in it is missing
    DELTA = "delta"  # complete list since the last token: what is not in it is unchanged
    PARTIAL = "partial"  # pages are missing: nothing follows from silence


@dataclass(frozen=True, slots=True)
class PendingCreate:
    """A stored intent: a Termin was to be created from this event and the outcome is not known.

    ``known``: numbers without a pair that stood in the window before it was sent (``None``: nobody noted them).
    ``newest``: the highest number that was known then, which tells about what lies beyond the window.
    """

    event_id: str
    form: Appointment
    known: frozenset[int] | None = None
    newest: int = 0


@dataclass(frozen=True, slots=True)
class PairElsewhere:
    """A living pair of a number in a colleague's calendar; ``pair`` is ``None`` where only the event's id tells."""

    kuerzel: str
    event_id: str
    pair: PairState | None = None


@dataclass(frozen=True, slots=True)
class EmployeeReads:
    """Everything a plan for one employee is made of.

    ``termine``: Advoware's list for the window. ``events``: the items of Google's list as they came (masters,
    exceptions, cancelled ones). ``whole_series``: series of which a delta holds every exception. ``pairs``: the living
    pairs. ``next_generations``: frNr → first unused generation where an event of that number was deleted earlier.
    ``waiting``: events that were found new while Advoware was not to be written. ``elsewhere``: frNr of marked events
    that no pair here has → its pair in another calendar of ours. ``first_contact``: near misses are for a person.
    ``decided``: what a person has said about a Termin and an event (true: the same appointment).
    ``restored``: marked events made in Google whose pair was closed here: they were in Google's bin.
    ``unstored``: events that we put here and of which no pair was ever stored.
    ``held``: events of failed appointments that were not read, because they are not due yet.
    ``colleagues``: while an intent is open, what stands with colleagues only; ``None``: not all could be read.
    ``made_anew``: new events here that a client made of a colleague's, which is gone there → the colleague's pair.
    ``nameless_termine``, ``nameless_events``: items of the lists of which not even the number or the id can be read.
    """

    termine: tuple[TerminFields, ...]
    events: tuple[Mapping[str, object], ...]
    pairs: tuple[PairState, ...]
    advoware_complete: bool = True
    google_read: GoogleRead = GoogleRead.FULL
    intents: tuple[PendingCreate, ...] = ()
    next_generations: Mapping[int, int] = field(default_factory=dict)
    whole_series: frozenset[str] = frozenset()
    waiting: tuple[str, ...] = ()
    elsewhere: Mapping[int, PairElsewhere] = field(default_factory=dict)
    first_contact: bool = False
    decided: Mapping[tuple[int, str], bool] = field(default_factory=dict)
    restored: frozenset[str] = frozenset()
    unstored: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()
    colleagues: tuple[TerminFields, ...] | None = ()
    made_anew: Mapping[str, PairElsewhere] = field(default_factory=dict)
    nameless_termine: int = 0
    nameless_events: tuple[Mapping[str, object], ...] = ()


def advoware_views(
    termine: Iterable[TerminFields], rules: CalendarRules
) -> tuple[dict[int, AdvowareView], list[Finding]]:
    """Return one view per frNr, and a finding for each Termin that cannot be read (its view says ``UNKNOWN``)."""
    views: dict[int, AdvowareView] = {}
    findings: list[Finding] = []
    for termin in termine:
        if termin.fr_nr in views:
            continue
        failed: list[Exception] = []
        with isolated(f"Termin {termin.fr_nr}", failed.append, foreseen=(UnreadableAppointmentError,)):
            views[termin.fr_nr] = AdvowareView(Presence.PRESENT, termin, read_termin(termin, rules))
        for problem in failed:
            views[termin.fr_nr] = AdvowareView(Presence.UNKNOWN)
            what = f" (Feld {problem.field})" if isinstance(problem, UnreadableAppointmentError) else ""
            text = f"Termin in Advoware nicht lesbar{what}: übergangen"
            findings.append(Finding(FindingKind.UNREADABLE, text, fr_nr=termin.fr_nr))
    return views, findings


def google_views(reads: EmployeeReads, rules: CalendarRules) -> tuple[dict[str, GoogleView], list[Finding]]:
    """Return one view per event id (series as one), and a finding for each event that cannot be read."""
    by_event = {pair.event_id: pair for pair in reads.pairs}
    exceptions: dict[str, list[Mapping[str, object]]] = {}
    views: dict[str, GoogleView] = {}
    findings: list[Finding] = []
    for event in reads.events:
        if is_exception(event):
            exceptions.setdefault(str(event["recurringEventId"]), []).append(event)
            continue
        event_id = str(event.get("id", ""))
        if is_cancelled(event):
            views[event_id] = GoogleView(Presence.DELETED)
            continue
        view = GoogleView(Presence.UNKNOWN)
        with isolated(f"event {event_id}", lambda error: None, foreseen=(UnreadableAppointmentError,)):
            view = GoogleView(Presence.PRESENT, read_event(event, rules, _base(by_event.get(event_id))))
        if view.event is None:
            text = "Ereignis in Google nicht lesbar (Zeiten): übergangen"
            findings.append(Finding(FindingKind.UNREADABLE, text, event_id=event_id))
        known = reads.google_read is GoogleRead.FULL or event_id in reads.whole_series
        views[event_id] = view if known else _still_hindered(view, by_event.get(event_id))
    for master_id, items in exceptions.items():
        with isolated(f"event {master_id}", partial(_distrust, views, findings, master_id)):
            _apply_exceptions(views, master_id, items, by_event.get(master_id), rules)
    return views, findings


def _base(pair: PairState | None) -> BaseForm | None:
    return pair.base if pair is not None else None


def _distrust(views: dict[str, GoogleView], findings: list[Finding], event_id: str, error: Exception) -> None:
    """Decide nothing about a series whose exceptions cannot be read."""
    views[event_id] = GoogleView(Presence.UNKNOWN)
    text = "Ereignis in Google nicht lesbar (einzelne Termine der Serie): übergangen"
    findings.append(Finding(FindingKind.UNREADABLE, text, event_id=event_id))


def _still_hindered(view: GoogleView, pair: PairState | None) -> GoogleView:
    """A delta names a changed master without its exceptions: a series known to have some keeps that obstacle."""
    event = view.event
    if pair is None or pair.obstacle != "moved_occurrence" or event is None:
        return view
    if event.form.recurrence is None:
        return view
    return replace(view, event=replace(event, obstacle=pair.obstacle))


def _apply_exceptions(
    views: dict[str, GoogleView],
    master_id: str,
    items: list[Mapping[str, object]],
    pair: PairState | None,
    rules: CalendarRules,
) -> None:
    view = views.get(master_id)
    event = view.event if view is not None else None
    if event is None and view is None and pair is not None and pair.base is not None:
        # The delta names only the occurrence; the series itself is as the base says.
        event = ReadEvent(master_id, pair.base.google, None, pair.obstacle)
    if event is None or event.obstacle is not None or event.form.recurrence is None:
        return
    if any(deviates(item, event.form, rules) for item in items):
        views[master_id] = GoogleView(Presence.PRESENT, replace(event, obstacle="moved_occurrence"))


def absent_in_advoware(reads: EmployeeReads) -> AdvowareView:
    """Return the view of a Termin that the list does not name."""
    return AdvowareView(Presence.MISSING if reads.advoware_complete else Presence.UNKNOWN)


def nameless(reads: EmployeeReads) -> list[Finding]:
    """Return one finding per item of which nobody can say which appointment it is."""
    termin = Finding(FindingKind.UNREADABLE, "Ein Termin in Advoware ist ohne lesbare Nummer: übergangen")
    event = Finding(FindingKind.UNREADABLE, "Ein Ereignis in Google ist ohne lesbare Kennung: übergangen")
    return [termin] * reads.nameless_termine + [event] * len(reads.nameless_events)


def absent_in_google(reads: EmployeeReads) -> GoogleView:
    """Return the view of an event that the list does not name."""
    if reads.nameless_events and reads.google_read is GoogleRead.FULL:
        return GoogleView(Presence.UNKNOWN)  # it may be the one without a name
    by_read = {
        GoogleRead.FULL: Presence.MISSING,
        GoogleRead.DELTA: Presence.UNCHANGED,
        GoogleRead.PARTIAL: Presence.UNKNOWN,
    }
    return GoogleView(by_read[reads.google_read])
