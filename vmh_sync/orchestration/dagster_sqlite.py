"""Dagster's SQLite storage with patience: a file that another process is writing is waited for.

Dagster opens its files of runs and of schedules with the driver's five seconds: several runs at once on a busy machine
then end red with "database is locked". Its files of events have thirty, but are set up by whoever comes first, and two
at once get into each other's way. Files and tables are Dagster's own, so that a home can change between the two.

And with less work than Dagster's: one engine for all files instead of one for each event, so that a statement is
spelled out once a process; a run's file as a copy of an empty one; and Alembic, which Dagster asks at every opening,
only where a file has no revision yet, since nothing else would follow from the answer. Events are not forced to the
disk one by one: after a power cut the last ones of a run may be missing, which says nothing of the records; runs,
cursors and our own database are.
"""

import multiprocessing
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import sqlalchemy as db
from dagster import __version__ as dagster_version
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

from vmh_sync.orchestration.dagster_internals.sqlite import (
    INDEX_SHARD_NAME,
    ConfigurableClassData,
    DagsterSqliteStorage,
    SqliteEventLogStorage,
    SqliteRunStorage,
    SqliteScheduleStorage,
    SqliteStorageConfig,
)
from vmh_sync.orchestration.files_kept_open import files_kept_open, keep_open
from vmh_sync.services.sole_process import one_after_another

BUSY_SECONDS = 60.0
"""How long a connection waits for another one's transaction. Dagster's are short; this is for a slow, crowded disk."""
_SETUP_LOCK = ".setup.lock"
_SQLITE = "sqlite:///"
_EMPTY_FILE = f".empty-{dagster_version}.sqlite3"
"""Not ``.db``: what ends so is a run to Dagster."""


_opened: ContextVar[str] = ContextVar("the file that a connection is opened to")


@lru_cache(maxsize=2)
def _engine(synchronous: str) -> db.Engine:
    # One for all files: to ask a new engine's database who it is and to spell its statements out anew takes longer than
    # an event. Without a pool it holds no connection, so threads, forks and files that are removed do not matter.
    engine = db.create_engine(f"{_SQLITE}unnamed", poolclass=NullPool, connect_args={"timeout": BUSY_SECONDS})

    def name(_dialect: object, _record: object, arguments: list[Any], _options: dict[str, Any]) -> None:
        arguments[:] = [_opened.get()]

    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA synchronous = {synchronous}")

    db.event.listen(engine, "do_connect", name)
    db.event.listen(engine, "connect", prepare)
    return engine


@contextmanager
def _connected(file: str, *, synchronous: str = "FULL") -> Iterator[Connection]:
    token = _opened.set(file)
    try:
        opened = _engine(synchronous).connect()
    finally:
        _opened.reset(token)
    with opened as connection, connection.begin():
        keep_open(file)
        yield connection


def _url(file: Path) -> str:
    return f"{_SQLITE}{file.absolute()}"


def _is_set_up(file: Path, table: str) -> bool:
    """Whether Dagster has set a file up to the end: the table is there, and the revision, which comes last."""
    if not file.exists():
        return False
    with closing(sqlite3.connect(file, timeout=BUSY_SECONDS)) as opened:
        found = {name for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return {table, "alembic_version"} <= found and bool(opened.execute("SELECT * FROM alembic_version").fetchone())


class _OneFile:
    """A storage of one file that waits for other writers."""

    _conn_string: str

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Open a transaction."""
        with _connected(self._conn_string.removeprefix(_SQLITE)) as connection:
            yield connection


class PatientRunStorage(_OneFile, SqliteRunStorage):
    """Runs: waits for other writers."""

    @classmethod
    def patient(cls, base_dir: str) -> Self:
        """Open the file below ``base_dir``, which Dagster sets up first where that has not been done."""
        if _is_set_up(Path(base_dir) / "runs.db", "instance_info"):
            return cls(_url(Path(base_dir) / "runs.db"))
        return cls.from_local(base_dir)


class PatientScheduleStorage(_OneFile, SqliteScheduleStorage):
    """Sensors' and schedules' ticks and cursors: waits for other writers."""

    @classmethod
    def patient(cls, base_dir: str) -> Self:
        """Open the file below ``base_dir``, which Dagster sets up first where that has not been done."""
        if not _is_set_up(Path(base_dir) / "schedules.db", "job_ticks"):
            SqliteScheduleStorage.from_local(base_dir)  # makes its own class, whatever it is called on
        return cls(_url(Path(base_dir) / "schedules.db"))


class PatientEventLogStorage(SqliteEventLogStorage):
    """Events, a file for each run and one for all: waits for other writers, and sets a file up alone.

    A process that was forked for one run keeps its files open until it ends.
    """

    def __init__(self, base_dir: str) -> None:
        self._kept = ExitStack()
        if multiprocessing.parent_process() is not None:
            self._kept.enter_context(files_kept_open())
        super().__init__(base_dir)

    def dispose(self) -> None:
        """Let go of everything."""
        self._kept.close()
        super().dispose()

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            if shard not in self._initialized_dbs:
                with one_after_another(Path(self._base_dir) / _SETUP_LOCK):
                    self._set_up(shard)
                self._initialized_dbs.add(shard)
            with _connected(self.path_for_shard(shard), synchronous="NORMAL") as connection:
                yield connection

    def _set_up(self, shard: str) -> None:
        file, empty = Path(self.path_for_shard(shard)), Path(self._base_dir) / _EMPTY_FILE
        if _is_set_up(file, "event_logs"):
            return
        if shard != INDEX_SHARD_NAME and not file.exists() and empty.exists():
            _place(empty, file)
            return
        made = not file.exists()
        self._initdb(db.create_engine(self.conn_string_for_shard(shard), poolclass=NullPool))
        if made and shard != INDEX_SHARD_NAME:
            _keep_empty(file, empty)


def _keep_empty(file: Path, target: Path) -> None:
    """Keep a run's file that Dagster has just made as the pattern of all others."""
    draft = target.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with closing(sqlite3.connect(file, timeout=BUSY_SECONDS)) as made:
        made.execute("VACUUM INTO ?", (str(draft),))
    with closing(sqlite3.connect(draft)) as kept:
        kept.execute("PRAGMA journal_mode = WAL")
    _place(draft, target)
    draft.unlink()


def _place(source: Path, target: Path) -> None:
    """Copy a file so that it appears whole or not at all, also after a power cut."""
    draft = target.with_suffix(".copy")
    shutil.copyfile(source, draft)
    with draft.open("rb") as copied:
        os.fsync(copied.fileno())
    draft.replace(target)


class PatientSqliteStorage(DagsterSqliteStorage):
    """``storage`` of the embedded default's ``dagster.yaml``: all three, in the folders that Dagster would take."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        """Set the files below ``base_dir`` up, one process after another, and open them."""
        self.base_dir = base_dir
        self._inst_data = inst_data
        home = Path(base_dir)
        with one_after_another(home / _SETUP_LOCK):
            self._run_storage = PatientRunStorage.patient(str(home / "history"))
            self._event_log_storage = PatientEventLogStorage(str(home / "history" / "runs"))
            self._schedule_storage = PatientScheduleStorage.patient(str(home / "schedules"))
        # Not DagsterSqliteStorage's: it would open all three once more, without patience.
        super(DagsterSqliteStorage, self).__init__()  # type: ignore[no-untyped-call]

    @classmethod
    def from_config_value(  # type: ignore[override]  # as Dagster's own
        cls, inst_data: ConfigurableClassData, config_value: SqliteStorageConfig
    ) -> Self:
        """Make the storage that ``dagster.yaml`` names."""
        return cls.from_local(inst_data=inst_data, **config_value)
