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
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("Kalender", total=None, end="", visible=False)

        def watcher(standing: "EmployeeProgress") -> None:
            bar.update(
                task,
                description=f"Kalender {standing.kuerzel}",
                completed=standing.all_done,
                total=standing.all_total,
                end=_end(standing),
                visible=True,
            )

        yield watcher


def _line(standing: "EmployeeProgress") -> None:
    if standing.due:
        end = _end(standing)
        sys.stderr.write(in_german(standing) + (f", {end}" if end else "") + "\n")


def in_german(standing: "EmployeeProgress") -> str:
    """Return how far the load is, in one German sentence without the end."""
    text = f"Kürzel {standing.kuerzel}: {_number(standing.done)} von {_number(standing.total)} Terminen geschrieben"
    if standing.all_total != standing.total:
        text += f" (alle: {_number(standing.all_done)} von {_number(standing.all_total)})"
    return text


def _end(standing: "EmployeeProgress") -> str:
    return f"Ende etwa {standing.expected_end:%H:%M} Uhr" if standing.expected_end is not None else ""


def _number(value: int) -> str:
    return f"{value:,}".replace(",", ".")
