"""How far this machine's clock and another system's are apart, by the ``Date`` of an answer."""

from datetime import datetime, timedelta

import httpx

from vmh_sync.clock import Clock
from vmh_sync.doctor.line import Line, hint, ok, problem
from vmh_sync.doctor.reach import PATIENCE_SECONDS, Address
from vmh_sync.systems.transport import http_date

MOST_SKEW = timedelta(seconds=60)
SOME_SKEW = timedelta(seconds=5)
_UNITS = (("Tage", 86400, 2), ("Stunden", 3600, 2), ("Minuten", 60, 10), ("Sekunden", 1, 0))
"""The first unit of which there are at least so many."""


def time_at(address: Address) -> datetime | None:
    """Return the time over there (aware, UTC), by whatever answer comes without a login; None without any. Blocking."""
    try:
        return http_date(httpx.get(address.url, timeout=PATIENCE_SECONDS).headers.get("Date"))
    except (httpx.HTTPError, httpx.InvalidURL):
        return None


def clock_line(system: str, told: datetime | None, clock: Clock) -> Line:
    """Return the line about the clocks of a system and of this machine."""
    name, now = f"Uhr von {system}", clock.now()
    if told is None:
        return hint(name, f"{system} nennt seine Uhrzeit nicht; der Unterschied ist unbekannt.", "Nichts zu tun.")
    skew = abs(now - told)
    text = f"Die Uhren von {system} und diesem Rechner gehen {_span(skew)} auseinander."
    if skew > MOST_SKEW:
        both = f"{text} Hier ist es {now:%d.%m.%Y %H:%M}, dort {told:%d.%m.%Y %H:%M} (UTC)."
        return problem(name, both, "Beide Rechner über einen Zeitserver (NTP) stellen.")
    if skew > SOME_SKEW:
        return hint(name, text, "Wenn möglich beide Rechner über einen Zeitserver (NTP) stellen.")
    return ok(name, "Geht gleich mit diesem Rechner.")


def _span(skew: timedelta) -> str:
    seconds = skew.total_seconds()
    return next(f"{round(seconds / size)} {unit}" for unit, size, least in _UNITS if seconds >= least * size)
