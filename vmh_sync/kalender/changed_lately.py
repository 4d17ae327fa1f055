"""What was changed lately in each calendar: read once for all deletions of a pass (kalender.md 1, quota)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from vmh_sync.systems.google_calendar.events import Event


@dataclass(frozen=True, slots=True, repr=False)
class Living:
    """Events that live in a calendar: ids and numbers of those with our mark, and all of them with when they were made.

    ``asked_at``: a moment before it was read. ``unreadable``: ids of events of which nothing else could be read. One
    that does not say when it was made is not among ``made``.
    """

    asked_at: datetime
    marked: frozenset[tuple[str, int]] = frozenset()
    made: tuple[tuple[datetime, Event], ...] = ()
    unreadable: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Read:
    """``since`` ``None``: all events; ``living`` ``None``: not read yet."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    since: datetime | None = None
    living: Living | None = None

    def covers(self, since: datetime | None, gone: datetime | None) -> Living | None:
        if self.living is None or (gone is not None and gone > self.living.asked_at):
            return None
        return self.living if self.since is None or (since is not None and self.since <= since) else None


class ChangedLately:
    """What was changed lately, by calendar, good for every deletion that was read before it."""

    def __init__(self) -> None:
        self._calendars: dict[str, _Read] = {}

    def forget(self) -> None:
        """Say that a deletion was read which may be newer than what is known here."""
        self._calendars = {}  # a read that is under way goes on for whoever began it, and is not kept

    async def of(
        self, calendar: str, since: datetime | None, gone: datetime | None, read: Callable[[], Awaitable[Living]]
    ) -> Living:
        """Return what was changed in a calendar ``since`` then or earlier (``None``: all); raises like ``read``.

        ``gone``: when the event was deleted that is looked for; what was read before then does not tell.
        """
        known = self._calendars.setdefault(calendar, _Read())
        async with known.lock:
            living = known.covers(since, gone)
            if living is None:
                living = await read()
                known.since, known.living = since, living
            return living
