"""Series: Advoware's turnus ↔ Google's RRULE, and what cannot be said on the other side (kalender.md 3.3 and 4)."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule

from vmh_sync.kalender.model import Frequency, Recurrence

_BY_ART = {1: Frequency.DAILY, 2: Frequency.WEEKLY, 3: Frequency.MONTHLY, 4: Frequency.YEARLY}
TURNUS_ART: Mapping[Frequency, int] = {frequency: art for art, frequency in _BY_ART.items()}
_DATEUTIL: Mapping[Frequency, Literal[0, 1, 2, 3]] = {
    Frequency.DAILY: DAILY,
    Frequency.WEEKLY: WEEKLY,
    Frequency.MONTHLY: MONTHLY,
    Frequency.YEARLY: YEARLY,
}
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_KNOWN_PARTS = frozenset({"FREQ", "INTERVAL", "UNTIL", "COUNT", "BYDAY", "BYMONTHDAY", "BYMONTH", "WKST"})
_MAX_INTERVAL = 32_767


class NotRepresentableError(ValueError):
    """A Google series that Advoware cannot hold. ``reason`` is a short code (see ``OBSTACLE_TEXTS``)."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


OBSTACLE_TEXTS: Mapping[str, str] = {
    "several_rules": "Die Serie besteht aus mehreren Regeln.",
    "extra_dates": "Die Serie hat zusätzliche Einzeltermine (RDATE).",
    "excluded_dates": "Einzelne Termine der Serie sind ausgenommen (EXDATE).",
    "moved_occurrence": "Ein einzelner Termin der Serie wurde verschoben, geändert oder gelöscht.",
    "frequency": "Advoware kennt nur tägliche, wöchentliche, monatliche und jährliche Serien.",
    "rule_part": "Die Serienregel enthält Angaben, die Advoware nicht kennt (z. B. BYSETPOS).",
    "weekdays": "Die Serie läuft an mehreren oder an anderen Wochentagen als ihr erster Termin.",
    "month_day": "Die Serie läuft an einem anderen Monatstag als ihr erster Termin.",
    "interval": "Der Abstand der Serie ist keine brauchbare Zahl.",
    "until_and_count": "Das Ende der Serie ist nicht eindeutig angegeben.",
    "count": "Die Anzahl der Serientermine ist keine brauchbare Zahl.",
    "until": "Das Ende der Serie ist nicht lesbar.",
    "too_long": "Ein Serientermin dauert länger als 23:59 Stunden oder reicht über Mitternacht.",
    "foreign_zone": "Die Serie ist in einer anderen Zeitzone angelegt und verschiebt sich mit deren Uhr.",
}
"""German sentence for each reason code, for the report."""


def from_turnus(
    dauertermin: int | None, turnus: int | None, turnus_art: int | None, start: date, until: date | None, open_year: int
) -> Recurrence | None:
    """Return the series that Advoware's fields name, or ``None`` for a single appointment.

    A last day in or after ``open_year`` (2037), or none at all, is an open series. A last day before the first one
    leaves the first occurrence alone standing.
    """
    frequency = _BY_ART.get(turnus_art or 0)
    if dauertermin != 1 or frequency is None or not turnus or turnus < 0:
        return None
    if until is None or until.year >= open_year:
        return Recurrence(frequency, turnus)
    return Recurrence(frequency, turnus, max(until, start))


def to_rrule(series: Recurrence, start: datetime, *, all_day: bool) -> str:
    """Return the RRULE line of a series whose first occurrence is ``start`` (aware, firm zone).

    UNTIL is 23:59:59 of the last day in ``start``'s zone, given in UTC, or the plain date for all-day series.
    """
    rule = f"RRULE:FREQ={series.frequency.value};INTERVAL={series.interval}"
    if series.frequency is Frequency.WEEKLY:
        rule += f";BYDAY={_WEEKDAYS[start.weekday()]}"
    elif series.frequency is Frequency.MONTHLY:
        rule += f";BYMONTHDAY={start.day}"
    if series.until is None:
        return rule
    if all_day:
        return f"{rule};UNTIL={series.until:%Y%m%d}"
    last_second = datetime.combine(series.until, time(23, 59, 59), start.tzinfo).astimezone(UTC)
    return f"{rule};UNTIL={last_second:%Y%m%dT%H%M%SZ}"


def from_google(lines: Iterable[str], start: datetime, zone: ZoneInfo, open_year: int) -> Recurrence | None:
    """Return the series of a Google event's ``recurrence`` lines, ``None`` if there are none.

    ``start`` is the first occurrence's wall clock time in the firm's zone. COUNT becomes the date of the last
    occurrence. Raises :class:`NotRepresentableError` for what Advoware cannot hold.
    """
    rules = []
    for line in lines:
        name = line.split(":", 1)[0].split(";", 1)[0].strip().upper()
        if name == "RRULE":
            rules.append(line)
        elif name == "EXDATE":
            raise NotRepresentableError("excluded_dates")
        else:
            raise NotRepresentableError("extra_dates" if name == "RDATE" else "several_rules")
    if not rules:
        return None
    if len(rules) > 1:
        raise NotRepresentableError("several_rules")
    return _from_rule(_parts(rules[0]), start, zone, open_year)


def _parts(rule: str) -> dict[str, str]:
    pairs = [part.split("=", 1) for part in rule.split(":", 1)[-1].split(";") if part.strip()]
    if any(len(pair) != 2 for pair in pairs):
        raise NotRepresentableError("rule_part")
    return {name.strip().upper(): value.strip().upper() for name, value in pairs}


def _from_rule(parts: dict[str, str], start: datetime, zone: ZoneInfo, open_year: int) -> Recurrence:
    if not parts.keys() <= _KNOWN_PARTS:
        raise NotRepresentableError("rule_part")
    try:
        frequency = Frequency(parts.get("FREQ", ""))
    except ValueError:
        raise NotRepresentableError("frequency") from None
    _check_days(frequency, parts, start)
    interval = _number(parts.get("INTERVAL", "1"), "interval")
    if "UNTIL" in parts and "COUNT" in parts:
        raise NotRepresentableError("until_and_count")
    until: date | None = None
    if "COUNT" in parts:
        until = _last_of_count(frequency, interval, _number(parts["COUNT"], "count"), start, open_year)
    elif "UNTIL" in parts:
        until = _last_day(parts["UNTIL"], start, zone)
    if until is not None and until.year >= open_year:
        until = None
    return Recurrence(frequency, interval, until if until is None else max(until, start.date()))


def _check_days(frequency: Frequency, parts: dict[str, str], start: datetime) -> None:
    """Allow only what the start says anyway: then the rule means the same without it."""
    if "BYDAY" in parts and (frequency is not Frequency.WEEKLY or parts["BYDAY"] != _WEEKDAYS[start.weekday()]):
        raise NotRepresentableError("weekdays")
    if "BYMONTHDAY" in parts and (
        frequency not in (Frequency.MONTHLY, Frequency.YEARLY) or parts["BYMONTHDAY"] != str(start.day)
    ):
        raise NotRepresentableError("month_day")
    if frequency is Frequency.YEARLY and "BYMONTHDAY" in parts and "BYMONTH" not in parts:
        # Alone it spreads a yearly rule over every month.
        raise NotRepresentableError("month_day")
    if "BYMONTH" in parts and (frequency is not Frequency.YEARLY or parts["BYMONTH"] != str(start.month)):
        raise NotRepresentableError("rule_part")


def _number(value: str, reason: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 6):
        raise NotRepresentableError(reason)
    number = int(value)
    if number == 0 or (reason == "interval" and number > _MAX_INTERVAL):
        raise NotRepresentableError(reason)
    return number


def _last_of_count(frequency: Frequency, interval: int, count: int, start: datetime, open_year: int) -> date:
    """Return the date of the last of ``count`` occurrences; what reaches ``open_year`` needs no exact date."""
    first = start.replace(tzinfo=None)
    last = first
    for last in rrule(_DATEUTIL[frequency], dtstart=first, interval=interval, count=count):
        if last.year >= open_year:
            break
    return last.date()


def _last_day(value: str, start: datetime, zone: ZoneInfo) -> date:
    """Return the last day on which an occurrence that begins at the start's time of day is not after UNTIL."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise NotRepresentableError("until") from None
    if len(value) == 8:
        return moment.date()
    day = moment.date()
    with suppress(OverflowError):  # the last day of all days, which programs write for "for ever", is no other day here
        moment = moment.astimezone(zone) if moment.tzinfo else moment.replace(tzinfo=zone)
        day = moment.date()
        if moment.time() < start.time():
            day -= timedelta(days=1)
    return day
