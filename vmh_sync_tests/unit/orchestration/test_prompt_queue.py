"""The run queue that is looked at twice a second, as Dagster itself reads it from our ``dagster.yaml``."""

import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._core.definitions.reconstruct import reconstructable
from dagster._core.errors import DagsterLaunchFailedError, DagsterUserCodeUnreachableError
from dagster._core.launcher import DefaultRunLauncher, LaunchRunContext
from dagster._core.remote_origin import (
    CodeLocationOrigin,
    GrpcServerCodeLocationOrigin,
    RegisteredCodeLocationOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.run_coordinator import QueuedRunCoordinator, SubmitRunContext
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import GrpcServerTarget
from dagster._daemon.controller import create_daemon_of_type
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon
from dagster._grpc.client import DagsterGrpcClient

from vmh_sync.orchestration.dagster_home import ensure_dagster_home, open_home
from vmh_sync.orchestration.dagster_stack import free_port
from vmh_sync.orchestration.prompt_queue import PAUSE_SECONDS, PromptQueue
from vmh_sync.orchestration.run_tags import AT_ONCE_TAG, BULK_TAG, bulk_tags


def test_daemon_of_the_embedded_home_looks_twice_a_second_and_keeps_the_limits(tmp_path: Path) -> None:
    home = ensure_dagster_home(tmp_path / "home")
    with open_home(home) as instance:
        assert isinstance(instance.run_coordinator, PromptQueue)
        daemon = create_daemon_of_type("QUEUED_RUN_COORDINATOR", instance)
        assert getattr(daemon, "interval_seconds", None) == pytest.approx(0.4)
        runs = instance.get_concurrency_config().run_queue_config
        assert runs is not None
        limits = yaml.safe_load((home / "dagster.yaml").read_text())["concurrency"]["runs"]
        assert runs.max_concurrent_runs == limits["max_concurrent_runs"]
        assert list(runs.tag_concurrency_limits) == limits["tag_concurrency_limits"]


def test_a_longer_interval_is_obeyed() -> None:
    assert PromptQueue(dequeue_interval_seconds=7).dequeue_interval_seconds == 7


@dg.op
def nothing() -> None:
    """Do nothing."""


@dg.job
def idle() -> None:
    """Do nothing."""
    nothing()


@dataclass
class Ways:
    """Which runs were launched, and which went into Dagster's own queue."""

    launched: list[str] = field(default_factory=list)
    queued: list[str] = field(default_factory=list)


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Ways:
    seen = Ways()

    def queue(_coordinator: QueuedRunCoordinator, context: SubmitRunContext) -> dg.DagsterRun:
        seen.queued.append(context.dagster_run.run_id)
        return context.dagster_run

    monkeypatch.setattr(
        DefaultRunLauncher, "launch_run", lambda _launcher, context: seen.launched.append(context.dagster_run.run_id)
    )
    monkeypatch.setattr(QueuedRunCoordinator, "submit_run", queue)
    return seen


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with open_home(ensure_dagster_home(tmp_path / "home")) as opened:
        yield opened


SHARED = GrpcServerCodeLocationOrigin("127.0.0.1", port=4000, location_name="vmh_sync")
OWN = RegisteredCodeLocationOrigin("vmh_sync")


def _run(
    instance: dg.DagsterInstance,
    location: CodeLocationOrigin,
    status: dg.DagsterRunStatus | None = None,
    tags: Mapping[str, str] | None = None,
) -> dg.DagsterRun:
    return instance.create_run_for_job(
        idle,
        status=status,
        tags=tags,
        remote_job_origin=RemoteRepositoryOrigin(location, "__repository__").get_job_origin("idle"),
        job_code_origin=reconstructable(idle).get_python_origin(),
    )


class Workspace:
    """What a webserver knows of the one code server; it answers, or says why not."""

    def __init__(self, gone: Exception | None = None) -> None:
        self.client = self
        self._gone = gone

    def get_code_location(self, _name: str) -> "Workspace":
        return self

    def get_server_id(self, timeout: float) -> str:
        assert timeout < 5, "nobody waits long for the answer to a launch"
        if self._gone is not None:
            raise self._gone
        return "it"


def _submit(
    instance: dg.DagsterInstance,
    tags: Mapping[str, str],
    location: CodeLocationOrigin = SHARED,
    workspace: Workspace | None = None,
) -> str:
    run = _run(instance, location, tags=tags)
    known: Any = workspace or Workspace()
    instance.run_coordinator.submit_run(SubmitRunContext(run, workspace=known))
    return run.run_id


HURRIED = {AT_ONCE_TAG: "yes"}


ONE_OF_IT = {**HURRIED, "entity_type": "beteiligte"}
BULK = {"entity_type": "beteiligte", **bulk_tags("beteiligte")}


def test_what_asks_for_it_starts_at_once_while_nothing_else_waits_or_runs(
    instance: dg.DagsterInstance, ways: Ways
) -> None:
    hurried = _submit(instance, HURRIED)
    patient = _submit(instance, {})
    assert (ways.launched, ways.queued) == ([hurried], [patient])


def test_only_the_daemon_starts_runs_where_each_process_has_a_code_server_of_its_own(
    instance: dg.DagsterInstance, ways: Ways
) -> None:
    hurried = _submit(instance, HURRIED, OWN)
    assert (ways.launched, ways.queued) == ([], [hurried])


def test_it_is_queued_while_the_code_server_does_not_answer(instance: dg.DagsterInstance, ways: Ways) -> None:
    hurried = _submit(
        instance, HURRIED, workspace=Workspace(gone=DagsterUserCodeUnreachableError("connection refused"))
    )
    assert (ways.launched, ways.queued) == ([], [hurried])


@pytest.mark.parametrize("began", [False, True], ids=["before it began", "after it began"])
def test_a_run_is_not_red_when_the_code_server_dies_while_it_is_started_at_once(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, began: bool
) -> None:
    def dies(_launcher: DefaultRunLauncher, context: LaunchRunContext) -> None:
        if began:
            started = dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, context.dagster_run.job_name)
            instance.report_dagster_event(started, context.dagster_run.run_id)
        raise DagsterUserCodeUnreachableError("Could not reach user code server. Socket closed")

    monkeypatch.setattr(DefaultRunLauncher, "launch_run", dies)
    run_id = _submit(instance, HURRIED)
    expected = dg.DagsterRunStatus.STARTED if began else dg.DagsterRunStatus.QUEUED
    assert _known(instance, run_id).status is expected


def test_a_run_whose_code_server_answers_too_late_is_not_started_twice(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(_launcher: DefaultRunLauncher, context: LaunchRunContext) -> None:
        with socket.create_server(("127.0.0.1", 0)) as mute:
            DagsterGrpcClient(host="127.0.0.1", port=mute.getsockname()[1]).get_server_id(timeout=1)

    monkeypatch.setattr(DefaultRunLauncher, "launch_run", late)
    run_id = _submit(instance, HURRIED)
    assert _known(instance, run_id).status is dg.DagsterRunStatus.STARTING


def test_a_run_that_cannot_be_started_for_another_reason_is_red(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(_launcher: DefaultRunLauncher, context: LaunchRunContext) -> None:
        raise DagsterLaunchFailedError("no such job")

    monkeypatch.setattr(DefaultRunLauncher, "launch_run", refuses)
    with pytest.raises(DagsterLaunchFailedError):
        _submit(instance, HURRIED)
    (run,) = instance.get_runs()
    assert run.status is dg.DagsterRunStatus.FAILURE


def test_a_run_waits_while_its_code_server_starts_and_fails_when_it_never_comes(
    instance: dg.DagsterInstance,
) -> None:
    """The daemon is up before the code server, at each start and whenever that is started again."""
    nobody = GrpcServerCodeLocationOrigin("127.0.0.1", port=free_port(), location_name="vmh_sync")
    run_id = _run(instance, nobody).run_id
    target = GrpcServerTarget("127.0.0.1", port=nobody.port, socket=None, location_name="vmh_sync")
    with WorkspaceProcessContext(instance, target) as known:
        submitted = dg.SubmitRunContext(_known(instance, run_id), workspace=known.create_request_context())
        instance.run_coordinator.submit_run(submitted)
        daemon, now = QueuedRunCoordinatorDaemon(interval_seconds=1), 1_000_000.0
        seen, waited = [], 0.0
        while _known(instance, run_id).status is dg.DagsterRunStatus.QUEUED:
            list(daemon.run_iteration(known, fixed_iteration_time=now + waited))
            seen.append(waited)
            waited += PAUSE_SECONDS + 1
    assert 60 <= seen[-1] <= 240, "long enough for a slow machine, and nobody waits for ever"
    assert _known(instance, run_id).status is dg.DagsterRunStatus.FAILURE


def _known(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRun:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run


@pytest.mark.parametrize("status", ["QUEUED", "STARTING", "STARTED", "CANCELING"])
def test_it_waits_behind_what_waits_and_where_its_entity_has_no_place_left(
    instance: dg.DagsterInstance, ways: Ways, status: str
) -> None:
    for _ in range(2):
        _run(instance, SHARED, dg.DagsterRunStatus(status), {"entity_type": "beteiligte"})
    hurried = _submit(instance, ONE_OF_IT)
    assert (ways.launched, ways.queued) == ([], [hurried])


def test_it_starts_beside_a_large_run_that_is_under_way_and_others_that_wait_for_their_place(
    instance: dg.DagsterInstance, ways: Ways
) -> None:
    _run(instance, SHARED, dg.DagsterRunStatus.STARTED, BULK)
    for _ in range(3):
        _run(instance, SHARED, dg.DagsterRunStatus.QUEUED, BULK)
    hurried = _submit(instance, ONE_OF_IT)
    assert (ways.launched, ways.queued) == ([hurried], [])


def test_it_waits_when_all_places_are_taken(instance: dg.DagsterInstance, ways: Ways) -> None:
    for number in range(4):
        _run(instance, SHARED, dg.DagsterRunStatus.STARTED, {"entity_type": f"entity {number}"})
    hurried = _submit(instance, ONE_OF_IT)
    assert (ways.launched, ways.queued) == ([], [hurried])


@pytest.mark.parametrize("file", ["vmh_sync/orchestration/dagster_embedded.yaml", "dagster.yaml"])
def test_large_runs_never_take_all_places_neither_of_an_entity_nor_of_the_house(file: str) -> None:
    runs = yaml.safe_load((Path(__file__).parents[3] / file).read_text())["concurrency"]["runs"]
    each = {limit["key"]: limit["limit"] for limit in runs["tag_concurrency_limits"] if "value" in limit}
    (together,) = [limit["limit"] for limit in runs["tag_concurrency_limits"] if "value" not in limit]
    assert each[BULK_TAG] < each["entity_type"]
    assert together < runs["max_concurrent_runs"] - 1, "two entities at once find a place"


@pytest.mark.parametrize("status", ["SUCCESS", "FAILURE", "CANCELED"])
def test_what_is_over_holds_nothing_up(instance: dg.DagsterInstance, ways: Ways, status: str) -> None:
    _run(instance, SHARED, dg.DagsterRunStatus(status))
    assert _submit(instance, HURRIED) in ways.launched
