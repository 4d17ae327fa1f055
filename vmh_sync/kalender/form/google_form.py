"""Normal form ↔ Google event body (specification, kalender.md 1, 3 and 4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vmh_sync.clock import foreign_moment
from vmh_sync.kalender.form.content_hash import content_hash
from vmh_sync.kalender.form.fixed_content import is_fixed
from vmh_sync.kalender.form.recurrence import NotRepresentableError, from_google, to_rrule
from vmh_sync.kalender.form.text_form import append_tail, clean_text, cut_tail, read_description, write_description
from vmh_sync.kalender.form.wall_clock import default_end, is_whole_days, midnight, shifted, to_local
from vmh_sync.kalender.model import (
    PLAIN,
    Appointment,
    BaseForm,
    CalendarRules,
    Decoration,
    Mark,
    Recurrence,
    Source,
    UnreadableAppointmentError,
)
from vmh_sync.whole_number import whole_number

KEY_FR_NR = "frNr"
KEY_HASH = "contentHash"
KEY_SOURCE = "source"
_GOOGLE = Source.GOOGLE.value
KEY_ANONYMISED = "anonymised"
KEY_SUFFIX = "titleSuffix"
KEY_TAIL = "descriptionTail"
KEY_STRETCH = "stretch"
LARGEST_NUMBER = 2**63 - 1
OUR_KEYS = frozenset({KEY_FR_NR, KEY_HASH, KEY_SOURCE, KEY_ANONYMISED, KEY_SUFFIX, KEY_TAIL, KEY_STRETCH})
"""Private extended properties that are ours. Others in the event are left alone."""

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ReadEvent:
    """A Google event in normal form.

    ``obstacle`` is the reason code if Advoware cannot hold it (``form`` is then without series), ``updated`` the
    moment of its last change (UTC), ``ours_to_take`` is false for kinds of entries that are no appointments
    (birthdays, working places and the like), ``fixed`` is true where only the organiser may change the content.
    """

    event_id: str
    form: Appointment
    mark: Mark | None
    obstacle: str | None = None
    updated: datetime | None = None
    ours_to_take: bool = True
    fixed: bool = False
    decoration: Decoration = PLAIN


def is_cancelled(event: Mapping[str, object]) -> bool:
    """Tell whether the item says that the event was deleted (for an exception: that one occurrence)."""
    return event.get("status") == "cancelled"


def is_exception(event: Mapping[str, object]) -> bool:
    """Tell whether the item is one moved, changed or deleted occurrence of a series."""
    return bool(event.get("recurringEventId"))


def read_event(event: Mapping[str, object], rules: CalendarRules, base: BaseForm | None = None) -> ReadEvent:
    """Return a living event (API JSON, series as master) in normal form.

    ``base``: what both sides last agreed on, if it is paired. It tells what we showed beside the content where
    somebody's client has dropped our properties: none of it was typed there.
    Raises :class:`UnreadableAppointmentError` when its times cannot be read.
    """
    event_id = str(event.get("id", ""))
    own = _private_properties(event)
    decoration = _shown_beside(base, rules) if KEY_FR_NR not in own else read_decoration(own)
    start, end, all_day = _span(event, event_id, decoration, rules)
    obstacle: str | None = None
    series: Recurrence | None = None
    lines = event.get("recurrence")
    if lines and isinstance(lines, Sequence):
        try:
            series = from_google([str(line) for line in lines], start, rules.zone, rules.open_series_year)
            if series is not None:
                _check_occurrence(event, start, end, all_day=all_day, rules=rules)
        except NotRepresentableError as problem:
            obstacle, series = problem.reason, None
    summary = clean_text(_text(event, "summary"))
    form = Appointment(
        start=start,
        end=end,
        all_day=all_day,
        text=without_suffix(summary, decoration.title_suffix),
        notiz=cut_tail(read_description(_text(event, "description")), decoration.description_tail),
        ort=clean_text(_text(event, "location")),
        recurrence=series,
        private=event.get("visibility") in ("private", "confidential"),
    )
    return ReadEvent(
        event_id=event_id,
        form=form,
        mark=_mark(own),
        obstacle=obstacle,
        updated=_updated(event),
        ours_to_take=event.get("eventType", "default") in ("default", "fromGmail"),
        fixed=is_fixed(event),
        decoration=decoration,
    )


def _shown_beside(base: BaseForm | None, rules: CalendarRules) -> Decoration:
    """Return what stands beside the content of an event.

    One that never had our mark may show our lines all the same, as it did when it was found; we have not stretched it.
    """
    if base is None:
        return PLAIN
    if not base.mark_hash:
        return replace(base.decoration, stretch_before=0, stretch_after=0)
    return _fitting(base.google, base.decoration, rules)


def _text(event: Mapping[str, object], name: str) -> str:
    value = event.get(name)
    if value is not None and not isinstance(value, str):
        raise UnreadableAppointmentError(name)  # taken for an empty text it would blank Advoware's
    return value or ""


def without_suffix(summary: str, suffix: str) -> str:
    """Return a title without the file number that was attached to it."""
    plain = suffix.strip()
    return summary[: -len(plain)].rstrip() if plain and summary.endswith(plain) else summary


def _private_properties(event: Mapping[str, object]) -> Mapping[str, object]:
    extended = event.get("extendedProperties")
    private = extended.get("private") if isinstance(extended, dict) else None  # asked of JSON: quicker than Mapping
    return private if isinstance(private, dict) else {}


def read_mark(event: Mapping[str, object]) -> Mark | None:
    """Return our mark on an event, ``None`` if it carries none (also works for a cancelled event)."""
    return _mark(_private_properties(event))


def _mark(own: Mapping[str, object]) -> Mark | None:
    if KEY_FR_NR not in own:
        return None
    try:
        fr_nr = int(str(own[KEY_FR_NR]))
    except ValueError:
        return None
    if abs(fr_nr) > LARGEST_NUMBER:
        return None  # nobody's number, and more than a database can look for
    source = Source.GOOGLE if own.get(KEY_SOURCE) == _GOOGLE else Source.ADVOWARE
    return Mark(fr_nr, str(own.get(KEY_HASH, "")), source, own.get(KEY_ANONYMISED) == "1")


def read_decoration(own: Mapping[str, object]) -> Decoration:
    """Return what we added to an event beyond its content, from its private extended properties."""
    if not (KEY_SUFFIX in own or KEY_TAIL in own or KEY_STRETCH in own):
        return PLAIN
    before, _, after = str(own.get(KEY_STRETCH, "")).partition("/")
    stretch = (whole_number(before) or 0, whole_number(after) or 0)
    return Decoration(str(own.get(KEY_SUFFIX, "")), str(own.get(KEY_TAIL, "")), *stretch)


def _span(
    event: Mapping[str, object], event_id: str, decoration: Decoration, rules: CalendarRules
) -> tuple[datetime, datetime, bool]:
    first, last = event.get("start"), event.get("end")
    if not isinstance(first, dict):
        raise UnreadableAppointmentError("start", event_id=event_id)
    if not isinstance(last, dict):
        last = {}
    try:
        if first.get("date"):
            return _whole_days(str(first["date"]), str(last.get("date") or ""), rules)
        return _timed(first, last, decoration, rules)
    except (ValueError, KeyError, OverflowError):
        raise UnreadableAppointmentError("start/end", event_id=event_id) from None


def _whole_days(first: str, last: str, rules: CalendarRules) -> tuple[datetime, datetime, bool]:
    day = date.fromisoformat(first)
    after = date.fromisoformat(last) if last else day + _ONE_DAY
    return midnight(day, rules.zone), midnight(max(after, day + _ONE_DAY), rules.zone), True


def _timed(
    first: Mapping[str, object], last: Mapping[str, object], decoration: Decoration, rules: CalendarRules
) -> tuple[datetime, datetime, bool]:
    zone = rules.zone
    begins = _moment(first, zone)
    ends = _moment(last, zone) if last.get("dateTime") else begins
    if decoration.stretch_before or decoration.stretch_after:
        begins = shifted(begins, decoration.stretch_before, zone)
        ends = shifted(ends, -decoration.stretch_after, zone)
    start, end = to_local(begins, zone), to_local(ends, zone)
    if is_whole_days(start, end):
        return midnight(start.date(), zone), midnight(end.date() + _ONE_DAY, zone), True
    if end <= start:
        # Advoware cannot hold it and would read back start + 30 minutes: both sides agree on that.
        end = default_end(start, rules.default_minutes, zone)
    return start, end, False


def _moment(point: Mapping[str, object], zone: ZoneInfo) -> datetime:
    moment = datetime.fromisoformat(str(point["dateTime"]))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=_zone(str(point.get("timeZone") or zone.key)) or zone)
    return moment


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _check_occurrence(
    event: Mapping[str, object], start: datetime, end: datetime, *, all_day: bool, rules: CalendarRules
) -> None:
    """Refuse occurrences that Advoware, whose series end on the start's day, would cut off, and foreign clocks."""
    last_day = (end - _ONE_DAY if all_day else end).date()
    # An end past midnight that is the default one is what Advoware itself makes of a missing or earlier end.
    if last_day != start.date() and (all_day or end != default_end(start, rules.default_minutes, rules.zone)):
        raise NotRepresentableError("too_long")
    first = event.get("start")
    name = first.get("timeZone") if isinstance(first, Mapping) else None
    if not all_day and name and name != rules.zone.key and not _same_clock(str(name), rules.zone, start.year):
        raise NotRepresentableError("foreign_zone")


@lru_cache(maxsize=1024)
def _same_clock(name: str, zone: ZoneInfo, year: int) -> bool:
    """Tell whether two zones show the same time all through the series' first two years."""
    other = _zone(name)
    if other is None:
        return False
    days = (datetime(year, 1, 1, 12, tzinfo=UTC) + timedelta(days=offset) for offset in range(0, 731, 3))
    return all(day.astimezone(zone).utcoffset() == day.astimezone(other).utcoffset() for day in days)


def _updated(event: Mapping[str, object]) -> datetime | None:
    value = event.get("updated")
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return foreign_moment(moment) if moment.tzinfo else None


def to_event(
    form: Appointment,
    rules: CalendarRules,
    *,
    fr_nr: int,
    source: Source = Source.ADVOWARE,
    anonymised: bool = False,
    decoration: Decoration = PLAIN,
) -> dict[str, object]:
    """Return the event body for ``form`` (already anonymised where it has to be), without id and attendees.

    It holds our fields only; an update sends what :mod:`vmh_sync.kalender.apply.event_update` takes from it.
    """
    decoration = _fitting(form, decoration, rules)
    start, end = form.start, form.end
    first = last = None
    body: dict[str, object] = {
        "summary": form.text + decoration.title_suffix,
        "description": write_description(append_tail(form.notiz, decoration.description_tail)),
        "location": form.ort,
        "visibility": "private" if form.private else "default",
    }
    if form.all_day:
        body["start"] = {"date": start.date().isoformat()}
        body["end"] = {"date": end.date().isoformat()}
    else:
        first, last = form.start.isoformat(), form.end.isoformat()  # four microseconds each: once for body and hash
        shown = first, last
        if decoration.stretch_before or decoration.stretch_after:
            start = shifted(start, -decoration.stretch_before, rules.zone)
            end = shifted(end, decoration.stretch_after, rules.zone)
            shown = start.isoformat(), end.isoformat()
        body["start"], body["end"] = ({"dateTime": moment, "timeZone": rules.zone.key} for moment in shown)
    if form.recurrence is not None:
        body["recurrence"] = [to_rrule(form.recurrence, start, all_day=form.all_day)]
    mark = Mark(fr_nr, content_hash(form, first, last), source, anonymised)
    body["extendedProperties"] = {"private": _properties(mark, decoration)}
    return body


def _fitting(form: Appointment, decoration: Decoration, rules: CalendarRules) -> Decoration:
    """Drop stretching where it would change the day of a series or means nothing (all-day)."""
    if not (decoration.stretch_before or decoration.stretch_after):
        return decoration
    begins = shifted(form.start, -decoration.stretch_before, rules.zone)
    ends = shifted(form.end, decoration.stretch_after, rules.zone)
    leaves_day = form.recurrence is not None and not begins.date() == form.start.date() == ends.date()
    if form.all_day or leaves_day:
        return replace(decoration, stretch_before=0, stretch_after=0)
    return decoration


def _properties(mark: Mark, decoration: Decoration) -> dict[str, str]:
    own = {KEY_FR_NR: str(mark.fr_nr), KEY_HASH: mark.content_hash, KEY_SOURCE: mark.source.value}
    if mark.anonymised:
        own[KEY_ANONYMISED] = "1"
    if decoration.title_suffix:
        own[KEY_SUFFIX] = decoration.title_suffix
    if decoration.description_tail:
        own[KEY_TAIL] = decoration.description_tail
    if decoration.stretch_before or decoration.stretch_after:
        own[KEY_STRETCH] = f"{decoration.stretch_before}/{decoration.stretch_after}"
    return own


def deviates(exception: Mapping[str, object], master: Appointment, rules: CalendarRules) -> bool:
    """Tell whether one occurrence of a series differs from what the series says.

    Google keeps an exception in its lists even after a person has moved it back to where it belongs.
    """
    if is_cancelled(exception):
        return True
    try:
        own = read_event(exception, rules).form
    except UnreadableAppointmentError:
        return True
    original = exception.get("originalStartTime")
    if not isinstance(original, Mapping):
        return True
    try:
        shown = read_decoration(_private_properties(exception))
        due, _, _ = _span({"start": original, "end": original}, "", shown, rules)
    except UnreadableAppointmentError:
        return True
    expected = replace(master, start=own.start, end=own.end, recurrence=None)
    # Both ends are wall clock times of one zone: the difference is one of clock faces, as wanted. In a night in which
    # clocks change as much real time may have been meant: the end then stands elsewhere on the clock face.
    same_length = own.end - own.start == master.end - master.start or _lasts(exception, rules) == (
        master.end.astimezone(UTC) - master.start.astimezone(UTC)
    )
    return own.start != due or not same_length or own != expected


def _lasts(event: Mapping[str, object], rules: CalendarRules) -> timedelta | None:
    """Return how long a timed event lasts as real time passes; ``None`` for whole days."""
    ends = [point for name in ("start", "end") if isinstance(point := event.get(name), Mapping) and "dateTime" in point]
    if len(ends) < 2:
        return None
    first, last = (_moment(point, rules.zone).astimezone(UTC) for point in ends)
    return last - first
