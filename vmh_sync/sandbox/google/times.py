"""Google's handling of event times: what it accepts, how it stores them, how it shows them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vmh_sync.sandbox.google.errors import invalid, required, time_range_empty

Json = dict[str, Any]


def zone(name: str) -> ZoneInfo:
    """Return an IANA zone. Raises 400 for an unknown name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise invalid(f"Invalid time zone definition for {name}.") from None


def moment(text: str, parameter: str) -> datetime:
    """Read a query parameter that needs an offset. Raises 400."""
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise invalid("Bad Request", parameter) from None
    if value.tzinfo is None:
        raise invalid("Bad Request", parameter)
    return value.astimezone(UTC)


def stored_time(wire: Any, label: str, calendar_zone: str, *, recurring: bool) -> Json:
    """Check an ``EventDateTime`` and return its stored form: a date, or a UTC dateTime with its zone.

    Raises 400 when it is missing, both kinds at once, without offset and zone, or, for a series, without zone.
    """
    if not isinstance(wire, dict) or not (wire.get("date") or wire.get("dateTime")):
        raise required(f"Missing {label} time.")
    if wire.get("date") and wire.get("dateTime"):
        raise invalid(f"Invalid {label} time.")
    if wire.get("date"):
        try:
            return {"date": date.fromisoformat(str(wire["date"])).isoformat()}
        except ValueError:
            raise invalid(f"Invalid {label} time.") from None
    name = wire.get("timeZone")
    try:
        at = datetime.fromisoformat(str(wire["dateTime"]))
    except ValueError:
        raise invalid(f"Invalid {label} time.") from None
    if name is None and (at.tzinfo is None or recurring):
        raise required(f"Missing time zone definition for {label} time.")
    if at.tzinfo is None:
        at = at.replace(tzinfo=zone(str(name)))
    at = at.astimezone(UTC).replace(microsecond=0)
    return {"dateTime": at.isoformat(), "timeZone": str(zone(str(name)) if name else calendar_zone)}


def shown_time(stored: Json, shown_zone: str) -> Json:
    """Return the time as an answer shows it: with the offset of the calendar's (or the asked) zone."""
    if "date" in stored:
        return dict(stored)
    text = datetime.fromisoformat(stored["dateTime"]).astimezone(ZoneInfo(shown_zone)).isoformat()
    return {**stored, "dateTime": text.replace("+00:00", "Z")}


def check_order(start: Json, end: Json) -> None:
    """Raise 400 when one end is a day and the other a moment, or the end lies before the start."""
    if ("date" in start) != ("date" in end):
        raise invalid("Invalid start time.")
    if "date" in start:
        if end["date"] <= start["date"]:
            raise time_range_empty()
    elif utc(end) < utc(start):
        raise time_range_empty()


def utc(stored: Json, calendar_zone: str = "UTC") -> datetime:
    """Return a stored time as a moment; a day begins at midnight of the calendar's zone."""
    if "date" in stored:
        day = date.fromisoformat(stored["date"])
        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(calendar_zone)).astimezone(UTC)
    return datetime.fromisoformat(stored["dateTime"])


def local(stored: Json) -> datetime:
    """Return the naive wall-clock time in the event's own zone (a day: its midnight)."""
    if "date" in stored:
        return datetime.fromisoformat(stored["date"])
    return datetime.fromisoformat(stored["dateTime"]).astimezone(ZoneInfo(stored["timeZone"])).replace(tzinfo=None)


def from_local(naive: datetime, like: Json) -> Json:
    """Return the stored time of a wall-clock time, in the kind and zone of ``like``."""
    if "date" in like:
        return {"date": naive.date().isoformat()}
    at = naive.replace(tzinfo=ZoneInfo(like["timeZone"])).astimezone(UTC)
    return {"dateTime": at.isoformat(), "timeZone": like["timeZone"]}


def duration(start: Json, end: Json) -> timedelta:
    """Return how long an event lasts: real time for moments, whole days for days."""
    return utc(end) - utc(start)


def shifted(start: Json, by: timedelta) -> Json:
    """Return a stored time later by ``by``."""
    if "date" in start:
        return {"date": (date.fromisoformat(start["date"]) + by).isoformat()}
    return {**start, "dateTime": (utc(start) + by).isoformat()}
