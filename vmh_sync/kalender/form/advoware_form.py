"""Advoware Termin → normal form (specification, kalender.md 3, rules 1–4)."""

from datetime import date, datetime, time, timedelta
from functools import lru_cache

from vmh_sync.clock import foreign_moment
from vmh_sync.kalender.form.recurrence import from_turnus
from vmh_sync.kalender.form.text_form import clean_text
from vmh_sync.kalender.form.wall_clock import default_end, is_whole_days, local_time, midnight
from vmh_sync.kalender.model import (
    PLAIN,
    Appointment,
    CalendarRules,
    Decoration,
    TerminFields,
    UnreadableAppointmentError,
)

_EVERYBODY = frozenset({"ALLE", "ALLGEMEIN"})
_ONE_DAY = timedelta(days=1)
_NO_DAY = "0001-01-01"
"""What a program of .NET says where there is none."""


def read_termin(termin: TerminFields, rules: CalendarRules) -> Appointment:
    """Return the normal form of a Termin.

    Raises :class:`UnreadableAppointmentError` when a date or time cannot be read or ``datum`` is missing.
    """
    day = _day(termin, "datum", termin.datum)
    if day is None:
        raise UnreadableAppointmentError("datum", fr_nr=termin.fr_nr)
    last_day = _day(termin, "datumBis", termin.datum_bis)
    series = from_turnus(termin.dauertermin, termin.turnus, termin.turnus_art, day, last_day, rules.open_series_year)
    try:
        start, end, all_day = _span(termin, day, day if series or last_day is None else last_day, rules)
    except OverflowError:
        raise UnreadableAppointmentError("datum", fr_nr=termin.fr_nr) from None
    return Appointment(
        start=start,
        end=end,
        all_day=all_day,
        text=clean_text(termin.text),
        notiz=clean_text(termin.notiz),
        ort=clean_text(termin.ort),
        recurrence=series,
        private=bool(termin.privat),
    )


def _span(termin: TerminFields, day: date, last_day: date, rules: CalendarRules) -> tuple[datetime, datetime, bool]:
    zone = rules.zone
    if termin.abwesenheit:
        return midnight(day, zone), midnight(max(day, last_day) + _ONE_DAY, zone), True
    from_time = _time(termin, "uhrzeitVon", termin.uhrzeit_von)
    to_time = _time(termin, "uhrzeitBis", termin.uhrzeit_bis)
    start = local_time(day, from_time or time(rules.default_hour), zone)
    if to_time is None:
        return start, default_end(start, rules.default_minutes, zone), False
    end = local_time(last_day, to_time, zone)
    if from_time is not None and is_whole_days(start, end):
        return midnight(day, zone), midnight(last_day + _ONE_DAY, zone), True
    if end <= start:
        end = default_end(start, rules.default_minutes, zone)
    return start, end, False


@lru_cache(maxsize=8192)
def _parse_day(value: str) -> date:
    return date.fromisoformat(value[:10])


@lru_cache(maxsize=4096)
def _parse_time(value: str) -> time:
    # A date-time is accepted as well: some installations send times with a day in front.
    parsed = time.fromisoformat(value.rpartition("T")[2].strip())
    return parsed.replace(microsecond=0, tzinfo=None)


def _day(termin: TerminFields, name: str, value: str | None) -> date | None:
    if not value or value.startswith(_NO_DAY):
        return None
    try:
        return _parse_day(value)
    except ValueError:
        raise UnreadableAppointmentError(name, fr_nr=termin.fr_nr) from None


def _time(termin: TerminFields, name: str, value: str | None) -> time | None:
    if not value:
        return None
    try:
        return _parse_time(value)
    except ValueError:
        raise UnreadableAppointmentError(name, fr_nr=termin.fr_nr) from None


def changed_at(termin: TerminFields, rules: CalendarRules) -> datetime | None:
    """Return ``zuletztGeaendertAm`` as an aware UTC moment, ``None`` if it is missing or unreadable."""
    if not termin.zuletzt_geaendert_am:
        return None
    try:
        moment = datetime.fromisoformat(termin.zuletzt_geaendert_am)
    except ValueError:
        return None
    return foreign_moment(moment if moment.tzinfo else moment.replace(tzinfo=rules.advoware_zone))


def is_for_everybody(termin: TerminFields) -> bool:
    """Tell whether the Termin is everybody's (no Kürzel, ``ALLE`` or ``Allgemein``) and so in several calendars."""
    owners = {owner.strip().upper() for owner in (termin.anwalt, termin.sb) if owner and owner.strip()}
    return not owners or bool(owners & _EVERYBODY)


def belongs_to(termin: TerminFields, kuerzel: str) -> bool:
    """Tell whether ``kuerzel`` stands in the Termin as lawyer or clerk."""
    wanted = kuerzel.strip().upper()
    return any(owner is not None and owner.strip().upper() == wanted for owner in (termin.anwalt, termin.sb))


def decoration_of(termin: TerminFields, *, anonymised: bool, rules: CalendarRules) -> Decoration:
    """Return what only the Google event shows of this Termin: file number, preparation and travel, stretching.

    An anonymised event shows none of it.
    """
    if anonymised:
        return PLAIN
    suffix = ""
    if rules.attach_file_number and (file_number := clean_text(termin.az_rubrum)):
        suffix = f" [{file_number[:200].rstrip()}]"
    preparation, travel = _minutes(termin.vorbereitungs_dauer), _minutes(termin.fahrzeit)
    if not suffix and not preparation and not travel:
        return PLAIN
    lines = []
    if rules.show_preparation and preparation:
        lines.append(f"Vorbereitung: {preparation // 60}:{preparation % 60:02d} Std.")
    if rules.show_preparation and travel:
        lines.append(f"Fahrzeit: {travel // 60}:{travel % 60:02d} Std.")
    stretch = (preparation + travel, travel) if rules.stretch_by_preparation else (0, 0)
    return Decoration(suffix, "\n".join(lines), *stretch)


def _minutes(value: str | None) -> int:
    """Return a duration ``HH:MM[:SS]`` in minutes; what cannot be read is no duration, it is only shown."""
    if not value:
        return 0
    try:
        parsed = _parse_time(value)
    except ValueError:
        return 0
    return parsed.hour * 60 + parsed.minute
