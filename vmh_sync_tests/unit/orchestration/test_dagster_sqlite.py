"""Dagster's SQLite files in the embedded default: whoever finds one locked waits, and an existing home goes on."""

import multiprocessing
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as db
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage

from vmh_sync.orchestration import dagster_home
from vmh_sync.orchestration.dagster_home import ensure_dagster_home, open_home, prepare_storage
from vmh_sync.orchestration.dagster_sqlite import (
    BUSY_SECONDS,
    PatientEventLogStorage,
    PatientRunStorage,
    PatientScheduleStorage,
)

DRIVERS_PATIENCE = 5.0
"""What Python's driver waits unless it is told otherwise, and with it Dagster for runs and schedules."""
DAGSTERS_FILES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")


@dg.op
def _nothing() -> None:
    pass


@dg.job
def a_run() -> None:
    """Write a run, its events and its end."""
    _nothing()


def _without_storage() -> str:
    """Settings that leave the storage to Dagster."""
    ours = resources.files("vmh_sync.orchestration").joinpath("dagster_embedded.yaml").read_text(encoding="utf-8")
    rest, storage, _ = ours.partition("\nstorage:\n")
    assert storage
    return rest


@contextmanager
def _written_by_somebody_else(files: list[Path], seconds: float) -> Iterator[None]:
    """Hold the writer's lock of all files; it ends by itself."""
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with ExitStack() as stack:
            for file in files:
                writer = stack.enter_context(closing(sqlite3.connect(file, isolation_level=None)))
                writer.execute("BEGIN IMMEDIATE")
            held.set()
            over.wait(seconds)  # the length of the other's transaction is the very thing under test

    writer = threading.Thread(target=hold)
    writer.start()
    assert held.wait(60)
    try:
        yield
    finally:
        over.set()
        writer.join()


def test_a_run_waits_for_a_writer_who_takes_longer_than_the_drivers_patience(tmp_path: Path) -> None:
    home = ensure_dagster_home(tmp_path)
    prepare_storage(home)

    with (
        open_home(home) as instance,
        _written_by_somebody_else([home / name for name in DAGSTERS_FILES], DRIVERS_PATIENCE + 1),
    ):
        result = a_run.execute_in_process(instance=instance)
        status = instance.get_run_by_id(result.run_id)

    assert result.success
    assert status is not None
    assert status.status is dg.DagsterRunStatus.SUCCESS


def test_every_connection_has_a_minutes_patience(tmp_path: Path) -> None:
    with open_home(ensure_dagster_home(tmp_path)) as instance:
        runs, ticks, events = instance.run_storage, instance.schedule_storage, instance.event_log_storage
        assert isinstance(runs, PatientRunStorage)
        assert isinstance(ticks, PatientScheduleStorage)
        assert isinstance(events, PatientEventLogStorage)
        connections = (runs.connect(), ticks.connect(), events.index_connection(), events.run_connection("a-run"))
        for opened in connections:
            with opened as connection:
                assert connection.execute(db.text("PRAGMA busy_timeout")).scalar() == BUSY_SECONDS * 1000
                assert connection.execute(db.text("PRAGMA journal_mode")).scalar() == "wal"


class Counted:
    """Counts the calls of something that is replaced by it."""

    def __init__(self, called: Callable[..., Any]) -> None:
        self.calls = 0
        self._called = called

    def __call__(self, *positional: Any, **named: Any) -> Any:
        self.calls += 1
        return self._called(*positional, **named)


def test_a_home_that_is_set_up_asks_alembic_nothing_and_makes_no_engine_for_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_home(ensure_dagster_home(tmp_path)) as instance:
        first = a_run.execute_in_process(instance=instance).run_id
    modules = (sqlite_event_log, sqlite_run_storage, sqlite_schedule_storage)
    alembic, engines = Counted(sqlite_event_log.check_alembic_revision), Counted(db.create_engine)  # type: ignore[attr-defined]
    for module in modules:
        monkeypatch.setattr(module, "check_alembic_revision", alembic)
        monkeypatch.setattr(module, "create_engine", engines)
    monkeypatch.setattr(db, "create_engine", engines)
    with open_home(tmp_path) as instance:
        second = a_run.execute_in_process(instance=instance).run_id
        assert (alembic.calls, engines.calls) == (0, 0)
        events = [[entry.dagster_event_type for entry in instance.all_logs(run)] for run in (first, second)]
        assert events[0] == events[1] != []
        assert set(instance.event_log_storage.get_all_run_ids()) == {first, second}  # type: ignore[attr-defined]
    # Dagster's own storage reads what ours has written.
    (tmp_path / "dagster.yaml").write_text(_without_storage(), encoding="utf-8")
    with open_home(tmp_path) as instance:
        assert [entry.dagster_event_type for entry in instance.all_logs(second)] == events[1]


def test_the_file_of_a_run_is_that_which_dagster_would_make(tmp_path: Path) -> None:
    def schema(file: Path) -> tuple[list[Any], list[Any], list[Any]]:
        with closing(sqlite3.connect(file)) as opened:
            rows = opened.execute("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name")
            revision = opened.execute("SELECT * FROM alembic_version")
            return rows.fetchall(), revision.fetchall(), opened.execute("PRAGMA journal_mode").fetchall()

    storage = PatientEventLogStorage(str(tmp_path / "ours"))
    dagsters = SqliteEventLogStorage(str(tmp_path / "dagsters"))
    for run in ("first", "second"):
        for one in (storage, dagsters):
            with one.run_connection(run):
                pass
        assert schema(tmp_path / "ours" / f"{run}.db") == schema(tmp_path / "dagsters" / f"{run}.db")


def test_the_storage_is_prepared_once_and_again_when_a_file_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = ensure_dagster_home(tmp_path)
    opened = Counted(dagster_home.open_home)
    monkeypatch.setattr(dagster_home, "open_home", opened)
    for _ in range(3):
        prepare_storage(home)
    assert opened.calls == 1
    for name in DAGSTERS_FILES:
        (home / name).unlink()
        prepare_storage(home)
        assert (home / name).exists()
    (home / "dagster.yaml").write_text(_without_storage(), encoding="utf-8")
    prepare_storage(home)
    assert opened.calls == 5


@pytest.mark.parametrize(
    ("name", "table"), [("history/runs.db", "instance_info"), ("schedules/schedules.db", "job_ticks")]
)
def test_a_file_that_was_set_up_by_half_is_set_up_to_its_end(tmp_path: Path, name: str, table: str) -> None:
    home = ensure_dagster_home(tmp_path)
    prepare_storage(home)
    with closing(sqlite3.connect(home / name)) as half:
        half.execute(f"DROP TABLE {table}")
        half.execute("DELETE FROM alembic_version WHERE ? = 'job_ticks'", (table,))
        half.commit()

    with open_home(home) as instance:
        assert a_run.execute_in_process(instance=instance).success
        assert instance.all_instigator_state() == []
    with closing(sqlite3.connect(home / name)) as whole:
        assert whole.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone()


@pytest.mark.parametrize("forked", [True, False])
def test_only_a_process_that_was_forked_for_a_run_keeps_its_files_open_and_clears_them_up_at_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: bool
) -> None:
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: forked or None)
    home = ensure_dagster_home(tmp_path)
    with open_home(home) as instance:
        a_run.execute_in_process(instance=instance)
        assert bool([*home.glob("history/runs/*.db-wal")]) is forked
    assert not [*home.glob("history/**/*-wal")]
