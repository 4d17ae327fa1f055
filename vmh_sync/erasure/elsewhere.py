"""Where a person may be named outside of our database: Dagster's runs, Redis, log files."""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
from redis import Redis

from vmh_sync.erasure.scope import Scope
from vmh_sync.store.database.reclaim import overwritten
from vmh_sync.store.store import Store

_PASSING = "vmh:lease:"
"""Leases end by themselves within seconds; deleting one would let two writers in."""
_CHUNK = 1 << 20


def runs_naming(instance: dg.DagsterInstance, scope: Scope, known: frozenset[str]) -> tuple[list[str], list[str]]:
    """Return the runs that name the person, finished ones and those still under way.

    ``known``: runs of which our audit log says that they changed something about the person.
    """
    finished: list[str] = []
    running: list[str] = []
    for run in instance.get_runs():
        if run.run_id in known or scope.is_named_in(_said_by(instance, run)):
            (finished if run.is_finished else running).append(run.run_id)
    return finished, running


def _said_by(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    begun = json.dumps([dict(run.run_config or {}), dict(run.tags)], default=str, ensure_ascii=False)
    events = (dg.serialize_value(entry) for entry in instance.all_logs(run.run_id))
    # Serialised text escapes what is not ASCII; the marks of a person are ASCII.
    return "\n".join((begun, *events))


def keys_naming(redis: Redis, scope: Scope) -> list[str]:
    """Return our keys in Redis that name the person, in the key or in its text; leases are left to end."""
    found = []
    for key in redis.scan_iter("vmh:*", count=500):
        name = str(key)
        if name.startswith(_PASSING):
            continue
        text = str(redis.get(name) or "") if redis.type(name) == "string" else ""
        if scope.is_named_in(name) or scope.is_named_in(text):
            found.append(name)
    return found


def files_of(home: Path, dagster_home: Path) -> Iterator[Path]:
    """Yield the text files of ours in which a person might be named: logs, and the days of shadow operation."""
    for folder in (home / "logs", home / "shadow", dagster_home / "logs"):
        yield from sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def files_naming(home: Path, dagster_home: Path, scope: Scope) -> list[Path]:
    """Return those that do name the person."""
    return [path for path in files_of(home, dagster_home) if any(_places_in(path, scope))]


def mask_file(path: Path, scope: Scope) -> int:
    """Write crosses over each place where the person is named; returns how many.

    In place and of the same length, so that a process that appends meanwhile loses nothing.
    """
    places = list(_places_in(path, scope))
    with path.open("r+b") as opened:
        for start, length in places:
            opened.seek(start)
            opened.write(b"x" * length)
        opened.flush()
        os.fsync(opened.fileno())
    return len(places)


def _places_in(path: Path, scope: Scope) -> Iterator[tuple[int, int]]:
    marks = [mark.encode() for mark in scope.marks]
    overlap = max((len(mark) for mark in marks), default=1) - 1
    with path.open("rb") as opened:
        begin, left = 0, b""
        while chunk := opened.read(_CHUNK):
            content = left + chunk
            for mark in marks:
                at = content.find(mark)
                while at >= 0:
                    yield begin + at, len(mark)
                    at = content.find(mark, at + 1)
            left = content[-overlap:] if overlap else b""
            begin += len(content) - len(left)


def old_copies(home: Path, dagster_home: Path) -> list[Path]:
    """Return what a restore has put aside beside our files: whole copies, in which the person still stands."""
    folders = {home, dagster_home.parent}
    return sorted(path for folder in folders if folder.is_dir() for path in folder.glob("*.vorher"))


def reclaim(store: Store, dagster_home: Path) -> list[str]:
    """Overwrite what deleted rows have left in the database files; returns the files that were busy."""
    busy = [] if store.reclaim() else ["vmh_sync.sqlite3"]
    for path in sorted(dagster_home.rglob("*.db")):
        try:
            with closing(sqlite3.connect(path, isolation_level=None)) as database:
                if not overwritten(database):
                    busy.append(path.name)
        except sqlite3.OperationalError:
            busy.append(path.name)
    return busy
