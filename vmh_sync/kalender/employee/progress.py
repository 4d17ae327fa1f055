"""How far a long load is, and when it is expected to end (specification, kalender.md 6).

Under Google's quota 10,000 events take a quarter of an hour, so whoever waits is told: in the run's log, and on the
command line through :func:`watched`. Times come from the clock that is passed in.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from vmh_sync.clock import Clock

WORTH_TELLING = 100
"""Fewer events than this are written before anybody wonders."""
EVERY_EVENTS = 500
EVERY = timedelta(seconds=30)
_MEASURED_AFTER = 20
_SHARE_OF_QUOTA = 0.97


@dataclass(frozen=True, slots=True)
class EmployeeProgress:
    """How far one employee's calendar is, and all of the run together.

    ``expected_end`` is a local time of the firm for the whole run, ``None`` when everything is written. ``due``: it is
    time to tell it in words; a bar takes every one.
    """

    kuerzel: str
    done: int
    total: int
    all_done: int
    all_total: int
    expected_end: datetime | None
    due: bool

    def line(self) -> str:
        """Return it in one English line, for logs."""
        text = f"Kürzel {self.kuerzel}: {self.done:,} of {self.total:,} events written"
        if self.all_total != self.total:
            text += f" (all: {self.all_done:,} of {self.all_total:,})"
        return text + (f", expected end {self.expected_end:%H:%M}" if self.expected_end is not None else "")


Watcher = Callable[[EmployeeProgress], None]

_watcher: ContextVar[Watcher | None] = ContextVar("watcher of calendar loads", default=None)


@contextmanager
def watched(by: Watcher) -> Iterator[None]:
    """Let ``by`` hear of every event that a pass inside this block writes, if the pass runs in this process."""
    token = _watcher.set(by)
    try:
        yield
    finally:
        _watcher.reset(token)


class LoadProgress:
    """Counts the events that a run writes and tells how far it is; says nothing about small loads.

    ``plans`` is Kürzel → events to write. The end is expected from the rate measured so far, before that from the
    quota (``per_minute`` units; an event costs one). Not thread-safe: one event loop counts.
    """

    def __init__(
        self, plans: dict[str, int], *, clock: Clock, per_minute: int, zone: ZoneInfo, told: Watcher = lambda _: None
    ) -> None:
        self._plans = Counter(plans)
        self._done: Counter[str] = Counter()
        self._clock = clock
        self._per_second = per_minute * _SHARE_OF_QUOTA / 60
        self._zone = zone
        self._told = told
        self._began = self._last = clock.now()

    @property
    def all_total(self) -> int:
        """How many events there are to write."""
        return self._plans.total()

    @property
    def all_done(self) -> int:
        """How many of them are written."""
        return self._done.total()

    def begin(self) -> None:
        """Tell what there is to do, before anything is written."""
        largest = max(self._plans, key=lambda kuerzel: self._plans[kuerzel], default=None)
        if largest is not None:
            self._tell(largest, due=True)

    def replanned(self, kuerzel: str, total: int) -> None:
        """Take note that an employee was planned anew, because somebody had been there meanwhile, or may have been."""
        self._plans[kuerzel] = self._done[kuerzel] + total

    def ended(self, kuerzel: str) -> None:
        """Take note that an employee is done, also if that was early: what is left there is not waited for."""
        self._plans[kuerzel] = self._done[kuerzel]

    def wrote(self, kuerzel: str) -> None:
        """Count one event of an employee, whatever became of it."""
        self._done[kuerzel] += 1
        done, total = self._done[kuerzel], self._plans[kuerzel]
        late = self._clock.now() - self._last >= EVERY
        self._tell(kuerzel, due=late or done % EVERY_EVENTS == 0 or done == total)

    def _tell(self, kuerzel: str, *, due: bool) -> None:
        if self.all_total < WORTH_TELLING:
            return
        now = self._clock.now()
        if due:
            self._last = now
        reached = EmployeeProgress(
            kuerzel=kuerzel,
            done=self._done[kuerzel],
            total=self._plans[kuerzel],
            all_done=self.all_done,
            all_total=self.all_total,
            expected_end=self._expected_end(now),
            due=due,
        )
        watcher = _watcher.get()
        if watcher is not None:
            watcher(reached)
        if due:
            self._told(reached)

    def _expected_end(self, now: datetime) -> datetime | None:
        left = self.all_total - self.all_done
        if left <= 0:
            return None
        seconds = (now - self._began).total_seconds()
        measured = self.all_done / seconds if self.all_done >= _MEASURED_AFTER and seconds > 0 else self._per_second
        return (now + timedelta(seconds=left / measured)).astimezone(self._zone)
