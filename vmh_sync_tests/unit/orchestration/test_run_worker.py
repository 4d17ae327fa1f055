"""What surrounds the warm run worker: when ``up`` keeps one, and what it does about the runs of a killed one."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

from vmh_sync.commands.installation.up import needs_worker
from vmh_sync.orchestration.dagster_home import ensure_dagster_home, names_celery, open_home
from vmh_sync.orchestration.run_worker import fail_abandoned_runs, most_runs, node_name
from vmh_sync.settings import DagsterVariables, SettingsError, load


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@dg.job
def nothing() -> None: ...


@dataclass
class Queue:
    """Stands for the Celery app: what its results say about tasks."""

    results: Mapping[str, tuple[str, object]]

    def AsyncResult(self, task_id: str) -> SimpleNamespace:  # Celery's name for it
        state, info = self.results.get(task_id, ("PENDING", None))
        return SimpleNamespace(id=task_id, state=state, info=info)


def run_with(instance: dg.DagsterInstance, task: str, status: dg.DagsterRunStatus) -> str:
    tags = {DAGSTER_CELERY_TASK_ID_TAG: task}
    return instance.create_run_for_job(nothing, status=status, tags=tags).run_id


@pytest.fixture
def dead() -> int:
    """The number of a process that is gone."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        return process.pid


STARTED = dg.DagsterRunStatus.STARTED


@pytest.mark.parametrize("status", [STARTED, dg.DagsterRunStatus.STARTING])
def test_the_run_of_a_killed_worker_has_failed(
    instance: dg.DagsterInstance, dead: int, status: dg.DagsterRunStatus
) -> None:
    run_id = run_with(instance, "t", status)
    queue = Queue({"t": ("STARTED", {"pid": dead, "hostname": node_name()})})

    assert fail_abandoned_runs(instance, queue, node_name()) == [run_id]

    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert run.status == dg.DagsterRunStatus.FAILURE
    assert fail_abandoned_runs(instance, queue, node_name()) == []


@pytest.mark.parametrize(
    "result",
    [
        ("STARTED", {"pid": os.getpid(), "hostname": node_name()}),  # at work
        ("STARTED", {"pid": 1, "hostname": "vmh@elsewhere"}),
        ("PENDING", None),  # waits for a worker
        ("SUCCESS", 0),
        ("FAILURE", ValueError("x")),  # Dagster's monitoring sees that itself
    ],
)
def test_other_runs_are_left_alone(instance: dg.DagsterInstance, dead: int, result: tuple[str, object]) -> None:
    run_with(instance, "t", STARTED)
    run_with(instance, "", STARTED)  # not launched through the queue
    over = run_with(instance, "over", dg.DagsterRunStatus.SUCCESS)

    queue = Queue({"t": result, "over": ("STARTED", {"pid": dead, "hostname": node_name()})})

    assert fail_abandoned_runs(instance, queue, node_name()) == []
    run = instance.get_run_by_id(over)
    assert run is not None
    assert run.status == dg.DagsterRunStatus.SUCCESS


def test_as_many_runs_at_once_as_dagster_starts(tmp_path: Path) -> None:
    with open_home(ensure_dagster_home(tmp_path, celery=True)) as instance:
        queue = instance.get_concurrency_config().run_queue_config
        assert queue is not None
        assert most_runs(instance) == queue.max_concurrent_runs > 1


def test_the_setting_decides_about_the_launcher_of_a_home_that_we_wrote(tmp_path: Path) -> None:
    for celery in (False, True, True, False):
        ensure_dagster_home(tmp_path, celery=celery)
        assert names_celery(tmp_path) is celery
    assert [path.name for path in tmp_path.iterdir()] == ["dagster.yaml"]


def test_up_keeps_a_worker_unless_somebody_else_does(tmp_path: Path) -> None:
    ensure_dagster_home(tmp_path / "plain")
    ensure_dagster_home(tmp_path / "celery", celery=True)

    assert not needs_worker(tmp_path / "plain", None)
    assert needs_worker(tmp_path / "celery", "celery")
    assert needs_worker(tmp_path / "celery", None), "dagster.yaml says so"
    assert not needs_worker(tmp_path / "celery", "elsewhere")


def test_a_home_that_a_person_wrote_is_not_changed_but_named(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")

    ensure_dagster_home(tmp_path, celery=True)

    assert (tmp_path / "dagster.yaml").read_text() == "telemetry: {enabled: false}\n"
    with pytest.raises(SettingsError, match=r"VMH_RUN_WORKERS=celery, aber .*dagster.yaml"):
        needs_worker(tmp_path, "celery")


def test_dagsters_variables_are_passed_on_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DAGSTER_PG_USER", "DAGSTER_PG_DB", "DAGSTER_CELERY_BACKEND"):
        monkeypatch.delenv(name, raising=False)
    wanted = {
        "DAGSTER_PG_HOST": "db",
        "DAGSTER_PG_PORT": "5432",
        "DAGSTER_PG_PASSWORD": "x",
        "DAGSTER_CELERY_BROKER": "r",
    }
    for name, value in wanted.items():
        monkeypatch.setenv(name, value)

    assert load(DagsterVariables).as_environment() == wanted
