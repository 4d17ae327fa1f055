"""One writer per calendar at a time (specification, kalender.md 1: "writes to one calendar are serialised").

Google answers parallel writes to one calendar with rate limits. Threads of this process wait for each other here;
processes do by the lease of the employee whose calendar it is.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class CalendarLocks:
    """A lock per calendar."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}

    @contextmanager
    def hold(self, calendar_id: str) -> Iterator[None]:
        """Wait until no other writer is at this calendar, and keep others out until the block ends."""
        with self._guard:
            lock = self._locks.setdefault(calendar_id, threading.Lock())
        with lock:
            yield
