"""Progress of a pass: it moves with every record, and says the rate and when the end is expected."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from vmh_sync.clock import FIRM_ZONE, Clock, SystemClock
from vmh_sync.engine.counting.pass_progress import Step

LINE_EVERY = timedelta(seconds=15)
_MEASURED_AFTER = 20


@dataclass(frozen=True, slots=True)
class PassFigures:
    """How far a pass is. ``share`` counts reading as half of the work; ``per_second`` is None until measured."""

    done: int
    total: int
    share: float
    per_second: float | None
    expected_end: datetime | None

    def pace(self) -> str:
        """Return rate and end in German, empty until they are measured."""
        if self.per_second is None or self.expected_end is None:
            return ""
        rate = f"{self.per_second:.0f} je Sekunde" if self.per_second >= 1 else f"{self.per_second * 60:.0f} je Minute"
        return f"{rate}, Ende etwa {self.expected_end.astimezone(FIRM_ZONE):%H:%M} Uhr"


class PassProgress:
    """Counts what is read and done, over all chunks of a pass, and tells ``told`` how far it is."""

    def __init__(self, told: Callable[[PassFigures], None], clock: Clock | None = None) -> None:
        self._told = told
        self._clock = clock or SystemClock()
        self._total = self._finished = self._read = self._done = 0
        self._began = self._clock.now()

    def begin(self, total: int) -> None:
        """Begin with so many records."""
        self._total, self._began = total, self._clock.now()
        self._tell()

    def heard(self, step: Step, records: int) -> None:
        """Take note of records of the chunk that is under way."""
        if step is Step.READ:
            self._read += records
        else:
            self._done += records
        self._tell()

    def chunk_done(self, records: int) -> None:
        """Take note that a chunk is over, whatever was heard of it."""
        self._finished += records
        self._read = self._done = 0
        self._tell()

    def reached(self, done: int, total: int) -> None:
        """Take note of how much of how much is done; the rate counts from the first word."""
        self._total, self._finished = total, done
        self._tell()

    def _tell(self) -> None:
        now = self._clock.now()
        left = self._total - self._finished
        done = min(self._done, left)
        units = self._finished + (min(self._read, left) + done) / 2
        seconds = (now - self._began).total_seconds()
        known = units >= _MEASURED_AFTER and seconds > 0 and units < self._total
        rate = units / seconds if known else None
        end = now + timedelta(seconds=(self._total - units) / rate) if rate else None
        self._told(PassFigures(self._finished + done, self._total, units / max(1, self._total), rate, end))


@contextmanager
def shown_pass(title: str, *, quiet: bool = False) -> Iterator[PassProgress]:
    """Yield a progress that is shown on stderr: a bar on a terminal, otherwise a line now and then and at the end."""
    if quiet:
        yield PassProgress(lambda _: None)
    elif sys.stderr.isatty():
        with _bar(title) as told:
            yield PassProgress(told)
    else:
        yield PassProgress(Lines(title, sys.stderr.write, SystemClock()))


class Lines:
    """Tells a progress in plain lines, not too many of them."""

    def __init__(self, title: str, write: Callable[[str], object], clock: Clock) -> None:
        self._title = title
        self._write = write
        self._clock = clock
        self._last = clock.now()
        self._said = -1

    def __call__(self, figures: PassFigures) -> None:
        """Write a line if one is due."""
        over = figures.done == figures.total
        now = self._clock.now()
        if figures.done == self._said or not figures.total or not (over or now - self._last >= LINE_EVERY):
            return
        self._last, self._said = now, figures.done
        pace = figures.pace()
        self._write(f"{self._title}: {figures.done} von {figures.total}{f', {pace}' if pace else ''}\n")


@contextmanager
def _bar(title: str) -> Iterator[Callable[[PassFigures], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[done]} von {task.fields[records]}"),
        TextColumn("{task.fields[pace]}"),
    )
    with Progress(*columns, console=Console(emoji=False, stderr=True)) as bar:
        task = bar.add_task(title, total=None, done=0, records="?", pace="")

        def told(figures: PassFigures) -> None:
            bar.update(
                task,
                completed=figures.share,
                total=1.0,
                done=figures.done,
                records=figures.total,
                pace=figures.pace(),
            )

        yield told
