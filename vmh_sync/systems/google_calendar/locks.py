"""One writer per calendar at a time (specification, kalender.md 1: "writes to one calendar are serialised").

Google answers parallel writes to one calendar with rate limits. Threads of this process wait for each other
here; processes wait for each other through a :class:`WriteLease`.
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol


class WriteLease(Protocol):
    """A lease that other processes see."""

    def hold(self, calendar_id: str) -> AbstractContextManager[None]:
        """Return a context in which this process is the only one that writes to the calendar."""
        ...


class NoLease:
    """No other process writes."""

    def hold(self, calendar_id: str) -> AbstractContextManager[None]:
        """Return a context that does nothing."""
        del calendar_id
        return nullcontext()


class CalendarLocks:
    """In-process lock per calendar, then the lease between processes."""

    def __init__(self, lease: WriteLease | None = None) -> None:
        self._lease = lease or NoLease()
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}

    @contextmanager
    def hold(self, calendar_id: str) -> Iterator[None]:
        """Wait until no other writer is at this calendar, and keep others out until the block ends."""
        with self._guard:
            lock = self._locks.setdefault(calendar_id, threading.Lock())
        with lock, self._lease.hold(calendar_id):
            yield
