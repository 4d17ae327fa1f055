"""What was changed lately in each calendar: read once for all deletions of a pass (kalender.md 1, quota)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from vmh_sync.systems.google_calendar.events import Event


@dataclass(slots=True)
class _Read:
    """``since`` ``None``: all events; ``events`` ``None``: not read yet."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    since: datetime | None = None
    events: Sequence[Event] | None = None

    def covers(self, since: datetime | None) -> Sequence[Event] | None:
        enough = self.since is None or (since is not None and self.since <= since)
        return self.events if enough else None


class ChangedLately:
    """The living events that were changed lately, by calendar, good for every deletion that was read before them."""

    def __init__(self) -> None:
        self._calendars: dict[str, _Read] = {}

    def forget(self) -> None:
        """Say that a deletion was read which may be newer than what is known here."""
        self._calendars = {}  # a read that is under way goes on for whoever began it, and is not kept

    async def of(
        self, calendar: str, since: datetime | None, read: Callable[[], Awaitable[Sequence[Event]]]
    ) -> Sequence[Event]:
        """Return what was changed in a calendar ``since`` then or earlier (``None``: all); raises like ``read``."""
        known = self._calendars.setdefault(calendar, _Read())
        async with known.lock:
            events = known.covers(since)
            if events is None:
                events = await read()
                known.since, known.events = since, events
            return events
