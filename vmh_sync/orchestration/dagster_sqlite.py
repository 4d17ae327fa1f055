"""Dagster's SQLite storage with patience: a file that another process is writing is waited for.

Dagster opens its files of runs and of schedules with the driver's five seconds: several runs at once on a busy machine
then end red with "database is locked". Its files of events have thirty, but are set up by whoever comes first, and two
at once get into each other's way. Files and tables are Dagster's own, so that a home can change between the two.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import sqlalchemy as db
from dagster import _check as check
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.schedules.sqlite.sqlite_schedule_storage import SqliteScheduleStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage, SqliteStorageConfig
from dagster._serdes import ConfigurableClassData
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

from vmh_sync.services.sole_process import one_after_another

BUSY_SECONDS = 60.0
"""How long a connection waits for another one's transaction. Dagster's are short; this is for a slow, crowded disk."""
_SETUP_LOCK = ".setup.lock"


def _engine(url: str) -> db.Engine:
    return db.create_engine(url, poolclass=NullPool, connect_args={"timeout": BUSY_SECONDS})


@contextmanager
def _connected(engine: db.Engine) -> Iterator[Connection]:
    try:
        with engine.connect() as connection, connection.begin():
            yield connection
    finally:
        engine.dispose()


class PatientRunStorage(SqliteRunStorage):
    """Runs: waits for other writers."""

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Open a transaction."""
        with _connected(_engine(self._conn_string)) as connection:
            yield connection


class PatientScheduleStorage(SqliteScheduleStorage):
    """Sensors' and schedules' ticks and cursors: waits for other writers."""

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Open a transaction."""
        with _connected(_engine(self._conn_string)) as connection:
            yield connection

    @classmethod
    def patient(cls, base_dir: str) -> Self:
        """Open the files below ``base_dir``; Dagster's ``from_local`` makes its own class, whatever it is called on."""
        return cls(SqliteScheduleStorage.from_local(base_dir)._conn_string)


class PatientEventLogStorage(SqliteEventLogStorage):
    """Events, a file for each run and one for all: waits for other writers, and sets a file up alone."""

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = _engine(self.conn_string_for_shard(shard))
            if shard not in self._initialized_dbs:
                with one_after_another(Path(self._base_dir) / _SETUP_LOCK):
                    self._initdb(engine)
                self._initialized_dbs.add(shard)
            with _connected(engine) as connection:
                yield connection


class PatientSqliteStorage(DagsterSqliteStorage):
    """``storage`` of the embedded default's ``dagster.yaml``: all three, in the folders that Dagster would take."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        """Set the files below ``base_dir`` up, one process after another, and open them."""
        self.base_dir = check.str_param(base_dir, "base_dir")
        self._inst_data = check.opt_inst_param(inst_data, "inst_data", ConfigurableClassData)
        home = Path(base_dir)
        with one_after_another(home / _SETUP_LOCK):
            self._run_storage = PatientRunStorage.from_local(str(home / "history"))
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
