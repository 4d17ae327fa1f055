"""Runs whose process is gone without anybody noticing."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import EngineEventData

from vmh_sync.coordination.connection import SyncRedis, connect
from vmh_sync.coordination.sign_of_life import LASTS_SECONDS, alive
from vmh_sync.housekeeping import dead_runs
from vmh_sync.housekeeping.dead_runs import fail_dead_runs, fail_silent_runs
from vmh_sync.orchestration.dagster_home import ensure_dagster_home, open_home
from vmh_sync.orchestration.run_tags import SIGN_TAG

STARTING, STARTED = dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED


@dg.job
def nothing() -> None: ...


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with open_home(ensure_dagster_home(tmp_path)) as opened:
        yield opened


@pytest.fixture
def dead() -> int:
    """The number of a process that is gone."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        return process.pid


def run_in(instance: dg.DagsterInstance, pid: int, status: dg.DagsterRunStatus = STARTED) -> str:
    """Leave what a run in this process leaves in its log."""
    run = instance.create_run_for_job(nothing, status=status)
    data = EngineEventData.in_process(pid)
    instance.report_engine_event(f"Started process for run (pid: {pid}).", run, data)
    return run.run_id


def status_of(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


@pytest.mark.parametrize("status", [STARTING, STARTED])
def test_a_run_without_its_process_has_failed(
    instance: dg.DagsterInstance, dead: int, status: dg.DagsterRunStatus
) -> None:
    run_id = run_in(instance, dead, status)

    assert fail_dead_runs(instance) == [run_id]
    assert status_of(instance, run_id) is dg.DagsterRunStatus.FAILURE
    assert fail_dead_runs(instance) == []


def test_living_and_unknown_runs_are_left_alone(instance: dg.DagsterInstance, dead: int) -> None:
    alive = run_in(instance, os.getpid())
    over = run_in(instance, dead, dg.DagsterRunStatus.SUCCESS)
    foreground = instance.create_run_for_job(nothing, status=STARTED).run_id

    assert fail_dead_runs(instance) == []
    assert status_of(instance, alive) is STARTED
    assert status_of(instance, over) is dg.DagsterRunStatus.SUCCESS
    assert status_of(instance, foreground) is STARTED


def test_a_run_that_succeeds_while_it_is_looked_at_stays_successful(
    instance: dg.DagsterInstance, dead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process says that the run is done and ends, between the list of runs and the look at the process."""
    run_id = run_in(instance, dead)
    gone = dead_runs._is_gone

    def ends_now(pid: int, seen_at: float) -> bool:
        run = instance.get_run_by_id(run_id)
        assert run is not None
        instance.report_dagster_event(
            dg.DagsterEvent(event_type_value=dg.DagsterEventType.RUN_SUCCESS.value, job_name=run.job_name), run_id
        )
        return gone(pid, seen_at)

    monkeypatch.setattr(dead_runs, "_is_gone", ends_now)

    assert fail_dead_runs(instance) == []
    assert status_of(instance, run_id) is dg.DagsterRunStatus.SUCCESS


def test_a_number_that_was_given_again_is_another_process(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = run_in(instance, os.getpid())
    monkeypatch.setattr(dead_runs, "SLACK_SECONDS", -1e9)  # as if the process had begun long after the run

    assert fail_dead_runs(instance) == [run_id]


@pytest.mark.parametrize("celery", [True, False])
def test_a_run_whose_host_is_lost_gives_its_place_back_as_soon_as_its_sign_of_life_ends(
    tmp_path: Path, sync_redis: SyncRedis, redis_url: str, celery: bool
) -> None:
    async def works(home: dg.DagsterInstance, run_id: str) -> None:
        async with connect(redis_url) as redis, alive(redis, run_id):
            assert fail_silent_runs(home, sync_redis) == []

    with open_home(ensure_dagster_home(tmp_path, celery=celery)) as instance:
        # Of these no sign is expected yet; the second one repeats a run that gave one.
        silent = [instance.create_run_for_job(nothing, status=STARTED, tags=tags) for tags in ({}, {SIGN_TAG: "of"})]
        run_id = instance.create_run_for_job(nothing, status=STARTED).run_id
        instance.add_run_tags(run_id, {SIGN_TAG: run_id})
        asyncio.run(works(instance, run_id))
        assert fail_silent_runs(instance, sync_redis) == [], "between two ops"
        (key,) = sync_redis.keys("vmh:run:*")
        assert 0 < sync_redis.ttl(key) <= LASTS_SECONDS
        sync_redis.delete(key)  # its time is over
        assert fail_silent_runs(instance, sync_redis) == [run_id]
        assert status_of(instance, run_id) is dg.DagsterRunStatus.FAILURE
        assert [status_of(instance, one.run_id) for one in silent] == [STARTED, STARTED]


def test_runs_that_may_be_elsewhere_are_left_alone(tmp_path: Path, dead: int) -> None:
    with open_home(ensure_dagster_home(tmp_path, celery=True)) as instance:
        run_in(instance, dead)

        assert fail_dead_runs(instance) == []
