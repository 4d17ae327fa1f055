"""Series: checking and rewriting their rules, and unfolding them into occurrences."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rruleset, rrulestr

from vmh_sync.sandbox.google.errors import invalid
from vmh_sync.sandbox.google.times import duration as duration_of
from vmh_sync.sandbox.google.times import from_local, local, shifted, utc

Json = dict[str, Any]
HORIZON = timedelta(days=4 * 366)
_ORDER = ("FREQ", "WKST", "UNTIL", "COUNT", "INTERVAL", "BYSECOND", "BYMINUTE", "BYHOUR", "BYDAY")
_LINE = re.compile(r"^(RRULE|EXRULE|RDATE|EXDATE)((?:;[^:]*)?):(.+)$")


def checked(lines: Any, start: Json) -> list[str]:
    """Return the recurrence lines as Google keeps them. Raises 400 for what is no recurrence."""
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise invalid("Invalid recurrence rule.")
    kept = [_rewritten(line) for line in lines]
    try:
        next(iter(_rules(kept, start)), None)
    except (ValueError, KeyError):
        raise invalid("Invalid recurrence rule.") from None
    return kept


def _rewritten(line: str) -> str:
    match = _LINE.match(line)
    if match is None:
        raise invalid("Invalid recurrence rule.")
    kind, params, value = match.groups()
    if kind not in {"RRULE", "EXRULE"}:
        return f"{kind}{params}:{value}"
    parts = dict(part.split("=", 1) for part in value.upper().rstrip(";").split(";") if "=" in part)
    if "FREQ" not in parts or ("UNTIL" in parts and "COUNT" in parts):
        raise invalid("Invalid recurrence rule.")
    if parts.get("INTERVAL") == "1":
        del parts["INTERVAL"]
    ordered = [key for key in _ORDER if key in parts] + sorted(key for key in parts if key not in _ORDER)
    return f"{kind}:" + ";".join(f"{key}={parts[key]}" for key in ordered)


def _rules(lines: list[str], start: Json) -> rruleset:
    """Build the set over naive wall-clock times of the event's zone."""
    first = local(start)
    rules = rruleset()
    for line in lines:
        match = _LINE.match(line)
        if match is None:
            raise ValueError("no recurrence line")
        kind, params, value = match.groups()
        if kind in {"RRULE", "EXRULE"}:
            rule = rrulestr(_naive_until(value, start), dtstart=first)
            if not isinstance(rule, rrule):
                raise ValueError("more than one rule in a line")
            (rules.rrule if kind == "RRULE" else rules.exrule)(rule)
        else:
            for text in value.split(","):
                (rules.rdate if kind == "RDATE" else rules.exdate)(_naive(text, params, start))
    return rules


def _naive_until(rule: str, start: Json) -> str:
    def replace(match: re.Match[str]) -> str:
        text = match.group(1)
        if len(text) == 8:  # a day: its occurrences still count
            return f"UNTIL={text}T235959"
        return f"UNTIL={_naive(text, '', start):%Y%m%dT%H%M%S}"

    return re.sub(r"UNTIL=([0-9TZ]+)", replace, rule)


def _naive(text: str, params: str, start: Json) -> datetime:
    """Read one RFC 5545 date-time as a wall-clock time of the event's zone."""
    if len(text) == 8:
        return datetime.fromisoformat(text)
    own = ZoneInfo(start.get("timeZone", "UTC"))
    naive = datetime.fromisoformat(text.rstrip("Z"))
    named = re.search(r"TZID=([^;:]+)", params)
    source = UTC if text.endswith("Z") else ZoneInfo(named.group(1)) if named else own
    return naive.replace(tzinfo=source).astimezone(own).replace(tzinfo=None)


def occurrences(content: Json, calendar_zone: str, until: datetime) -> Iterator[tuple[Json, Json]]:
    """Yield (start, end) of the occurrences of a series in stored form, those that begin before ``until``."""
    start, length = content["start"], duration_of(content["start"], content["end"])
    starts = (from_local(naive, start) for naive in _rules(content["recurrence"], start))
    for one in takewhile(lambda stored: utc(stored, calendar_zone) < until, starts):
        yield one, shifted(one, length)


def suffix(start: Json) -> str:
    """Return what an occurrence's id ends with: its original start, UTC, or its day."""
    if "date" in start:
        return str(start["date"]).replace("-", "")
    return f"{utc(start):%Y%m%dT%H%M%SZ}"


def instance_start(text: str, start: Json) -> Json:
    """Return the stored start that an id's suffix names, in the kind of the series. Raises ValueError."""
    if "date" in start:
        return {"date": datetime.fromisoformat(text).date().isoformat()}
    at = datetime.fromisoformat(text).astimezone(UTC)
    return {"dateTime": at.isoformat(), "timeZone": start["timeZone"]}
