"""A job of which run after run fails is told, also when the newest failure is always a moment old."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg

from vmh_sync.clock import ManualClock
from vmh_sync.engine.installation.people_links import PeopleLinks
from vmh_sync.orchestration.monitoring.alert_sensor import failed_runs

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
FAILURE, SUCCESS = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS


def told(*runs: tuple[dg.DagsterRunStatus, int], job: str = "sync_beteiligte") -> tuple[list[str], set[str]]:
    """Say what is told of the runs of one job, newest first, each with its status and how many seconds ago it ended."""
    records = [
        SimpleNamespace(
            dagster_run=SimpleNamespace(job_name=job, run_id=f"run{at}", status=status, tags={"vmh/trigger": "sensor"}),
            end_time=(NOW - timedelta(seconds=ago)).timestamp(),
        )
        for at, (status, ago) in enumerate(runs)
    ]
    instance = SimpleNamespace(get_run_records=lambda *_, **__: records, all_logs=lambda *_, **__: [])
    links = PeopleLinks(espocrm=None, advoware=None, dagster="http://dagster")
    troubles, known = failed_runs(cast("Any", instance), ManualClock(NOW), links)
    return [str(one.link) for one in troubles], known


def test_a_failure_that_the_next_run_may_make_good_is_not_known_yet() -> None:
    assert told((FAILURE, 10), (SUCCESS, 30)) == ([], set())


def test_a_failure_that_stands_is_told() -> None:
    assert told((FAILURE, 130), (SUCCESS, 150)) == (["http://dagster/runs/run0"], {"lauf:sync_beteiligte"})


def test_a_job_that_fails_every_few_seconds_is_told_with_its_newest_run() -> None:
    every_ten = [(FAILURE, ago) for ago in range(5, 305, 10)]
    assert told(*every_ten, (SUCCESS, 310)) == (["http://dagster/runs/run0"], {"lauf:sync_beteiligte"})


def test_a_success_ends_it_whatever_was_before() -> None:
    assert told((SUCCESS, 1), (FAILURE, 10), (FAILURE, 900)) == ([], {"lauf:sync_beteiligte"})


def test_a_clock_that_was_set_back_hides_nothing() -> None:
    assert told((FAILURE, -3600)) == (["http://dagster/runs/run0"], {"lauf:sync_beteiligte"})
