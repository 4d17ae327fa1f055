"""What was changed lately in each calendar: read once for all deletions of a pass (kalender.md 1, quota)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from vmh_sync.systems.google_calendar.events import Event


@dataclass(frozen=True, slots=True, repr=False)
class Living:
    """Events that live in a calendar: ids and numbers of those that carry our mark, the others as they are."""

    marked: frozenset[tuple[str, int]]
    unmarked: tuple[Event, ...]


@dataclass(slots=True)
class _Read:
    """``since`` ``None``: all events; ``living`` ``None``: not read yet."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    since: datetime | None = None
    living: Living | None = None

    def covers(self, since: datetime | None) -> Living | None:
        enough = self.since is None or (since is not None and self.since <= since)
        return self.living if enough else None


class ChangedLately:
    """What was changed lately, by calendar, good for every deletion that was read before it."""

    def __init__(self) -> None:
        self._calendars: dict[str, _Read] = {}

    def forget(self) -> None:
        """Say that a deletion was read which may be newer than what is known here."""
        self._calendars = {}  # a read that is under way goes on for whoever began it, and is not kept

    async def of(self, calendar: str, since: datetime | None, read: Callable[[], Awaitable[Living]]) -> Living:
        """Return what was changed in a calendar ``since`` then or earlier (``None``: all); raises like ``read``."""
        known = self._calendars.setdefault(calendar, _Read())
        async with known.lock:
            living = known.covers(since)
            if living is None:
                living = await read()
                known.since, known.living = since, living
            return living
