"""How much an appointment in Advoware and an event in Google look like the same one (kalender.md 5, first contact).

Pure. Equal are those that agree in start, end, title and series; likely are those that miss it by little.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Literal

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule

from vmh_sync.kalender.model import Appointment, Frequency, Recurrence

SIMILAR_TITLES = 0.75
"""From this share of equal letters on, two titles at the same time may mean the same appointment."""

SHORTEST_PART = 4
"""A title of at least so many letters that stands inside the other one may mean the same."""

MOVED_AT_MOST = timedelta(days=14)
"""So far apart may two appointments of the same title lie and still be one that was moved."""

Key = tuple[datetime, datetime, bool, Recurrence | None, str]

_NOT_WORDS = re.compile(r"[\W_]+")
_FREQUENCIES: dict[Frequency, Literal[0, 1, 2, 3]] = {
    Frequency.DAILY: DAILY,
    Frequency.WEEKLY: WEEKLY,
    Frequency.MONTHLY: MONTHLY,
    Frequency.YEARLY: YEARLY,
}


def keys(form: Appointment, titles: Iterable[str]) -> list[Key]:
    """Return what has to be equal for a certain match, once for each title that the appointment may show."""
    series = _by_last_day(form)
    return [(form.start, form.end, form.all_day, series, title) for title in dict.fromkeys(titles)]


def _by_last_day(form: Appointment) -> Recurrence | None:
    """Return the series with the day of its last occurrence as end: both sides may name a later day."""
    series = form.recurrence
    if series is None or series.until is None:
        return series
    return replace(series, until=_last_day(series, form.start.date()))


@lru_cache(maxsize=4096)
def _last_day(series: Recurrence, first: date) -> date:
    begin = datetime.combine(first, datetime.min.time())
    until = datetime.combine(series.until or first, datetime.max.time())
    days = rrule(_FREQUENCIES[series.frequency], dtstart=begin, interval=series.interval, until=until)
    return max(days, default=begin).date()


def plain_title(title: str) -> str:
    """Return the letters and digits of a title, without case: what remains when somebody types it differently."""
    return _NOT_WORDS.sub(" ", title.casefold()).strip()


def similar_titles(one: str, other: str) -> bool:
    """Tell whether two titles may mean the same: little is spelt differently, one is part of the other, or missing."""
    first, second = plain_title(one), plain_title(other)
    if not first or not second:
        return True
    shorter, longer = sorted((first, second), key=len)
    if len(shorter) >= SHORTEST_PART and f" {shorter} " in f" {longer} ":
        return True
    return SequenceMatcher(None, first, second, autojunk=False).ratio() >= SIMILAR_TITLES


def may_be_moved(one: Appointment, other: Appointment) -> bool:
    """Tell whether two appointments of the same title may be one: near, or one within the other's series."""
    if abs(one.start.replace(tzinfo=None) - other.start.replace(tzinfo=None)) <= MOVED_AT_MOST:
        return True
    return _covers(one, other) or _covers(other, one)


def _covers(series: Appointment, single: Appointment) -> bool:
    rule = series.recurrence
    if rule is None or single.recurrence is not None or single.start < series.start:
        return False
    return rule.until is None or single.start.date() <= rule.until
