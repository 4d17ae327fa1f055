"""Progress of a calendar load on the command line: a bar on a terminal, plain lines otherwise; always on stderr."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vmh_sync.kalender.employee.progress import EmployeeProgress, Watcher


@contextmanager
def shown_progress(*, quiet: bool = False) -> Iterator[None]:
    """Show how far the calendar pass inside this block is; ``quiet`` shows nothing."""
    from vmh_sync.kalender.employee.progress import watched

    if quiet:
        yield
    elif sys.stderr.isatty():
        with _bar() as watcher, watched(watcher):
            yield
    else:
        with watched(_line):
            yield


@contextmanager
def _bar() -> "Iterator[Watcher]":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[end]}"))
    with Progress(*columns, console=Console(emoji=False, stderr=True)) as bar:
        task = bar.add_task("Kalender", total=None, end="", visible=False)

        def watcher(reached: "EmployeeProgress") -> None:
            bar.update(
                task,
                description=f"Kalender {reached.kuerzel}",
                completed=reached.all_done,
                total=reached.all_total,
                end=_end(reached),
                visible=True,
            )

        yield watcher


def _line(reached: "EmployeeProgress") -> None:
    if reached.due:
        end = _end(reached)
        sys.stderr.write(in_german(reached) + (f", {end}" if end else "") + "\n")


def in_german(reached: "EmployeeProgress") -> str:
    """Return how far the load is, in one German sentence without the end."""
    text = f"Kürzel {reached.kuerzel}: {_number(reached.done)} von {_number(reached.total)} Terminen geschrieben"
    if reached.all_total != reached.total:
        text += f" (alle: {_number(reached.all_done)} von {_number(reached.all_total)})"
    return text


def _end(reached: "EmployeeProgress") -> str:
    return f"Ende etwa {reached.expected_end:%H:%M} Uhr" if reached.expected_end is not None else ""


def _number(value: int) -> str:
    return f"{value:,}".replace(",", ".")
