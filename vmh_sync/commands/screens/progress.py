"""Progress of long work: a bar on a terminal, plain lines otherwise."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def progress_for(title: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Yield a function that is told (done, total). Goes to stderr, so that stdout stays the result."""
    if quiet:
        yield lambda done, total: None
    elif sys.stderr.isatty():
        with _bar() as bar:
            task = bar.add_task(title, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
    else:
        yield lambda done, total: _line(title, done, total)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


def _line(title: str, done: int, total: int) -> None:
    sys.stderr.write(f"{title}: {done} von {total}\n")
