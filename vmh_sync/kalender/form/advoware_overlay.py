"""Normal form → the fields of a Termin to write (specification, kalender.md 4).

PUT reads the Termin first and lays these values over it: nr, privat, erinnerung and everything else stay.
"""

from collections.abc import Collection
from datetime import timedelta

from vmh_sync.kalender.form.advoware_form import read_termin
from vmh_sync.kalender.form.recurrence import TURNUS_ART
from vmh_sync.kalender.form.text_form import to_crlf
from vmh_sync.kalender.model import (
    TIME_FIELDS,
    Appointment,
    CalendarRules,
    TerminFields,
    UnreadableAppointmentError,
    changed_fields,
)


def overlay(
    current: TerminFields, wanted: Appointment, fields: Collection[str], rules: CalendarRules
) -> dict[str, str | int]:
    """Return the values (attribute name of :class:`TerminFields` → value) that make ``current`` say ``wanted``.

    Only the normal form's ``fields`` are looked at, and of the values only those come back that differ. Times go
    together: a changed start is written with its end and its series.
    """
    try:
        now = read_termin(current, rules)
        differing = changed_fields(now, wanted) & frozenset(fields)
    except UnreadableAppointmentError:
        differing = frozenset(fields)
    values: dict[str, str | int] = {}
    for name in ("text", "notiz", "ort"):
        if name in differing:
            values[name] = to_crlf(getattr(wanted, name))
    if differing & TIME_FIELDS:
        values |= _changed_times(current, wanted, rules)
    return values


def _changed_times(current: TerminFields, wanted: Appointment, rules: CalendarRules) -> dict[str, str | int]:
    times = _times(wanted, rules)
    if current.abwesenheit and not wanted.all_day:
        times["abwesenheit"] = 0
    return {name: value for name, value in times.items() if _differs(getattr(current, name), value)}


def _differs(old: object, new: str | int) -> bool:
    if isinstance(new, str):
        text = "" if old is None else str(old)
        # A day may come with a time that means nothing, a time without its seconds.
        return text[: len(new)] != new and f"{text}:00" != new
    return (old or 0) != new


def _times(wanted: Appointment, rules: CalendarRules) -> dict[str, str | int]:
    last_day = (wanted.end - timedelta(days=1)).date() if wanted.all_day else wanted.end.date()
    series = wanted.recurrence
    if series is not None:
        # For a series datumBis is the last day of the series; an open one ends in the year that means "open".
        last_day_text = series.until.isoformat() if series.until else f"{rules.open_series_year:04d}-12-31"
    else:
        last_day_text = last_day.isoformat()
    return {
        "datum": wanted.start.date().isoformat(),
        "uhrzeit_von": "00:00:00" if wanted.all_day else wanted.start.strftime("%H:%M:%S"),
        "uhrzeit_bis": "23:59:00" if wanted.all_day else wanted.end.strftime("%H:%M:%S"),
        "datum_bis": last_day_text,
        "dauertermin": 1 if series else 0,
        "turnus": series.interval if series else 0,
        "turnus_art": TURNUS_ART[series.frequency] if series else 0,
    }


def new_termin(wanted: Appointment, kuerzel: str, rules: CalendarRules) -> dict[str, str | int]:
    """Return all values of a new Termin of ``kuerzel`` (lawyer and clerk) that says ``wanted``."""
    return {
        "text": to_crlf(wanted.text),
        "notiz": to_crlf(wanted.notiz),
        "ort": to_crlf(wanted.ort),
        **_times(wanted, rules),
        "privat": 1 if wanted.private else 0,
        "anwalt": kuerzel,
        "sb": kuerzel,
    }
