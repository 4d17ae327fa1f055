"""A mark in ``VMH_HOME`` for each command in the foreground whose runs are under way; it ends with the command.

So the next one sees at no cost, without Dagster, whether one was killed and left a run that nobody ends.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vmh_sync.coordination.process import ProcessId, is_provably_dead

_FOLDER = "foreground"


@contextmanager
def marked(home: Path) -> Iterator[None]:
    """Keep the mark of this process for the length of the block."""
    folder = home / _FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark = folder / str(os.getpid())
    mark.write_text(str(ProcessId.own()), encoding="utf-8")
    try:
        yield
    finally:
        mark.unlink(missing_ok=True)


def of_killed_commands(home: Path) -> list[Path]:
    """Return the marks of processes that are certainly gone; who has repaired their runs takes the marks away."""
    found = []
    for mark in (home / _FOLDER).glob("*"):
        try:
            process = ProcessId.parse(mark.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue  # it has just ended by itself
        if process is not None and is_provably_dead(process):
            found.append(mark)
    return found
