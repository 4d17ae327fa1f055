"""Wall clock times of the firm's zone, with the two nights a year on which they are not plain."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

LAST_MINUTE = time(23, 59)


@lru_cache(maxsize=8192)
def _clocks_change_on(day: date, zone: ZoneInfo) -> bool:
    morning = datetime.combine(day, time(0), zone).utcoffset()
    try:
        return morning != datetime.combine(day + timedelta(days=1), time(0), zone).utcoffset()
    except OverflowError:
        return False


def local_time(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return ``day`` at ``at`` in ``zone`` as an aware wall clock time.

    A time that the spring change of clocks skips (02:30 in Berlin) becomes the one Google makes of it (03:30), so
    that both sides read the same.
    """
    moment = datetime.combine(day, at, zone)
    if _clocks_change_on(day, zone):
        return to_local(moment.astimezone(UTC), zone)
    return moment


def to_local(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return an aware moment as wall clock time in ``zone``, to the second; the doubled hour counts as the first."""
    local = moment.astimezone(zone)
    return local.replace(microsecond=0, fold=0) if local.microsecond or local.fold else local


def shifted(moment: datetime, minutes: int, zone: ZoneInfo) -> datetime:
    """Return the moment ``minutes`` later (negative: earlier) as real time passes, in ``zone`` with its true offset."""
    return (moment.astimezone(UTC) + timedelta(minutes=minutes)).astimezone(zone)


def default_end(start: datetime, minutes: int, zone: ZoneInfo) -> datetime:
    """Return the end of an appointment that has none: ``minutes`` later on the clock face.

    On the clock face, since in the doubled hour real time may end before it begins.
    """
    face = start.replace(tzinfo=None) + timedelta(minutes=minutes)
    return local_time(face.date(), face.time(), zone)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the start of ``day``. All-day forms use it as a mark for the day, whatever clocks do."""
    return datetime.combine(day, time(0), zone)


def is_whole_days(start: datetime, end: datetime) -> bool:
    """Tell whether a timed span runs 00:00–23:59, which both sides treat as all-day (kalender.md 3, rule 2)."""
    return (
        start.hour == 0
        and start.minute == 0
        and end.hour == LAST_MINUTE.hour
        and end.minute == LAST_MINUTE.minute
        and end.date() >= start.date()
    )
