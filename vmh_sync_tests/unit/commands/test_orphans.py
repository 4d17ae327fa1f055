"""Runs of commands in the foreground that were killed."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest

from vmh_sync.commands.passes import instance as commands
from vmh_sync.commands.passes.foreground_marks import marked, of_killed_commands
from vmh_sync.commands.passes.instance import PROCESS_TAG, own_process, repair_orphans
from vmh_sync.coordination.process import ProcessId
from vmh_sync.orchestration.dagster_home import ensure_dagster_home, open_home
from vmh_sync.orchestration.files_kept_open import files_kept_open, keep_open
from vmh_sync.settings import VmhSettings, load

OWN_ID = "from vmh_sync.commands.passes.instance import own_process; print(own_process())"


@dg.job
def nothing() -> None: ...


@dg.op
def _one_step() -> None: ...


@dg.job
def a_step() -> None:
    """Do one step."""
    _one_step()


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with open_home(ensure_dagster_home(tmp_path)) as opened:
        yield opened


@pytest.fixture(scope="module")
def dead() -> str:
    """The mark of a command that is gone."""
    said = subprocess.run([sys.executable, "-c", OWN_ID], capture_output=True, text=True, check=True)
    return said.stdout.strip()


def run_of(instance: dg.DagsterInstance, process: str) -> str:
    run = instance.create_run_for_job(nothing, status=dg.DagsterRunStatus.STARTED, tags={PROCESS_TAG: process})
    return run.run_id


def status_of(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def test_only_runs_of_dead_commands_are_marked_as_failed(instance: dg.DagsterInstance, dead: str) -> None:
    lost, alive = run_of(instance, dead), run_of(instance, own_process())

    assert repair_orphans(instance) == [lost]
    assert status_of(instance, lost) is dg.DagsterRunStatus.FAILURE
    assert status_of(instance, alive) is dg.DagsterRunStatus.STARTED


def test_a_command_that_finishes_while_it_is_looked_at_stays_successful(
    instance: dg.DagsterInstance, dead: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = run_of(instance, dead)
    gone = commands.is_provably_dead  # type: ignore[attr-defined]

    def ends_now(process: ProcessId) -> bool:
        event = dg.DagsterEvent(event_type_value=dg.DagsterEventType.RUN_SUCCESS.value, job_name="nothing")
        instance.report_dagster_event(event, run_id)
        return gone(process)

    monkeypatch.setattr(commands, "is_provably_dead", ends_now)

    assert repair_orphans(instance) == []
    assert status_of(instance, run_id) is dg.DagsterRunStatus.SUCCESS


def test_a_killed_command_is_seen_without_opening_dagster(tmp_path: Path, dead: str) -> None:
    assert of_killed_commands(tmp_path) == []
    with marked(tmp_path):
        assert of_killed_commands(tmp_path) == []  # this one lives
        left = tmp_path / "foreground" / "1"
        left.write_text(dead)
        assert of_killed_commands(tmp_path) == [left]
    assert list((tmp_path / "foreground").iterdir()) == [left]


def test_the_next_command_that_opens_dagster_repairs_what_a_killed_one_left_and_takes_its_mark_away(
    tmp_path: Path, dead: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VMH_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    settings = load(VmhSettings)
    with commands.open_instance(settings) as opened:
        lost = run_of(opened, dead)
    (tmp_path / "foreground" / "1").write_text(dead)
    with commands.open_instance(settings) as opened:
        assert status_of(opened, lost) is dg.DagsterRunStatus.FAILURE
    assert of_killed_commands(tmp_path) == []


def test_a_run_on_the_console_starts_no_process_for_its_output_and_clears_its_files_up_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VMH_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    started: list[object] = []
    monkeypatch.setattr(subprocess, "Popen", started.append)
    with commands.open_for_runs(load(VmhSettings)) as opened:
        result = a_step.execute_in_process(instance=opened)
        events = tmp_path / "dagster" / "history" / "runs" / f"{result.run_id}.db"
        log = events.with_name(f"{events.name}-wal")
        assert result.success
        assert log.exists(), "whoever closes the file as the last one clears the log of writes up"
    assert not log.exists()
    assert started == []


def test_no_more_than_a_few_of_dagsters_files_are_kept_open(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.db" for number in range(12)]
    with files_kept_open():
        for file in files:
            with closing(sqlite3.connect(file)) as writer:
                writer.execute("PRAGMA journal_mode = WAL")
                writer.execute("CREATE TABLE some (thing)")
                keep_open(str(file))
        assert len(list(tmp_path.glob("*-wal"))) == 4
    assert list(tmp_path.glob("*-wal")) == []
