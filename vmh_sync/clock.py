"""Time as a dependency, so that tests and the sandbox can move it."""

from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

FIRM_ZONE = ZoneInfo("Europe/Berlin")
"""In which the times that people read are told."""


def foreign_moment(moment: datetime) -> datetime | None:
    """Return an aware moment that another system told in UTC; ``None`` in the first and the last year of all.

    Programs write them for "never" and "for ever", and they overflow as soon as a zone or a margin is reckoned with.
    """
    return moment.astimezone(UTC) if MINYEAR < moment.year < MAXYEAR else None


class Clock(Protocol):
    """Anything that tells the time."""

    def now(self) -> datetime:
        """Return the current moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the current moment, aware, in UTC."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is moved; for tests and scripted runs."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("ManualClock needs an aware datetime (with time zone); got a naive one")
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the moment the clock was last set to, aware, in UTC."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move the clock forward by ``by`` (a negative span moves it back)."""
        self._now += by
