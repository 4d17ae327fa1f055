"""Keeps Dagster's SQLite files open during a pass in the foreground, and in a process that was forked for one run.

Whoever closes such a file as the last one clears it up and forces it to the disk. Dagster opens and closes one for each
event, so that every event of a pass would do so: two thirds of its waits for the disk.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from contextvars import ContextVar

_MOST = 4
"""Runs, the index of events, the schedules and one run's events."""


class _Kept:
    """Connections that do nothing but be there: to the files that were opened last."""

    def __init__(self) -> None:
        self._connections: dict[str, sqlite3.Connection] = {}

    def keep(self, file: str) -> None:
        """Keep a file open from now on."""
        known = self._connections.pop(file, None)
        if known is None:
            known = sqlite3.connect(file, check_same_thread=False)
            known.execute("SELECT 1 FROM sqlite_master").fetchone()  # only now it is open
        self._connections[file] = known
        while len(self._connections) > _MOST:
            self._connections.pop(next(iter(self._connections))).close()

    def close(self) -> None:
        """Let go of all of them."""
        for connection in self._connections.values():
            connection.close()


_kept: ContextVar[_Kept | None] = ContextVar("files that are kept open", default=None)


@contextmanager
def files_kept_open() -> Iterator[None]:
    """Keep the files open that runs of this block are noted in.

    Only for a process that does not fork meanwhile: SQLite's locks do not live through it.
    """
    with closing(_Kept()) as kept:
        token = _kept.set(kept)
        try:
            yield
        finally:
            _kept.reset(token)


def keep_open(file: str) -> None:
    """Keep a file that has just been opened open until the block ends, if there is one."""
    kept = _kept.get()
    if kept is not None:
        kept.keep(file)
