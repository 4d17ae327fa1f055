"""A job of which run after run fails is told, also when the newest failure is always a moment old."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg

from vmh_sync.clock import ManualClock
from vmh_sync.engine.installation.people_links import PeopleLinks
from vmh_sync.orchestration.monitoring.alert_sensor import failed_runs
from vmh_sync.overview.failing_jobs import SEEN_AT_MOST, FailingJob, FinishedRun, failing_jobs

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
FAILURE, SUCCESS = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS


def told(
    *runs: tuple[dg.DagsterRunStatus, int], job: str = "sync_beteiligte", person: int | None = None
) -> tuple[list[str], set[str]]:
    """Say what is told of the runs of one job, newest first, each with its status and how many seconds ago it ended.

    ``person`` is the place of the run that a person started.
    """
    records = [
        SimpleNamespace(
            dagster_run=SimpleNamespace(job_name=job, run_id=f"run{at}", status=status, tags=tags),
            end_time=(NOW - timedelta(seconds=ago)).timestamp(),
        )
        for at, (status, ago) in enumerate(runs)
        for tags in [{"vmh/trigger": "cli" if at == person else "sensor"}]
    ]
    instance = SimpleNamespace(get_run_records=lambda *_, limit: records[:limit], all_logs=lambda *_, **__: [])
    links = PeopleLinks(espocrm=None, advoware=None, dagster="http://dagster")
    troubles, doubtful = failed_runs(cast("Any", instance), [job], ManualClock(NOW), links)
    return [str(one.link) for one in troubles], doubtful


def test_a_failure_that_the_next_run_may_make_good_is_not_known_yet() -> None:
    assert told((FAILURE, 10), (SUCCESS, 30)) == ([], {"lauf:sync_beteiligte"})


def test_a_failure_that_stands_is_told() -> None:
    assert told((FAILURE, 130), (SUCCESS, 150)) == (["http://dagster/runs/run0"], set())


def test_a_job_that_fails_every_few_seconds_is_told_with_its_newest_run() -> None:
    every_ten = [(FAILURE, ago) for ago in range(5, 305, 10)]
    assert told(*every_ten, (SUCCESS, 310)) == (["http://dagster/runs/run0"], set())


def test_a_success_ends_it_whatever_was_before() -> None:
    assert told((SUCCESS, 1), (FAILURE, 10), (FAILURE, 900)) == ([], set())


def test_a_clock_that_was_set_back_hides_nothing() -> None:
    assert told((FAILURE, -3600)) == (["http://dagster/runs/run0"], set())


def test_so_many_failures_that_nothing_older_than_the_grace_is_seen_are_told() -> None:
    storm = [(FAILURE, 1 + at) for at in range(SEEN_AT_MOST)]
    assert told(*storm) == (["http://dagster/runs/run0"], set())
    assert told(*storm[:-1]) == ([], {"lauf:sync_beteiligte"}), (
        "all runs that there are: the first may still be made good"
    )


def _run(instance: dg.DagsterInstance, job: str, status: dg.DagsterRunStatus) -> None:
    instance.create_run_for_job(dg.job(name=job)(lambda: None), status=status, tags={"vmh/trigger": "sensor"})


def test_a_rare_job_that_fails_is_told_however_often_another_one_runs() -> None:
    links = PeopleLinks(espocrm=None, advoware=None, dagster=None)
    with dg.DagsterInstance.ephemeral() as instance:
        _run(instance, "rare", FAILURE)
        for _ in range(SEEN_AT_MOST):
            _run(instance, "often", SUCCESS)
        later = ManualClock(datetime.now(UTC) + timedelta(hours=1))
        (trouble,), doubtful = failed_runs(instance, ["often", "rare", "never"], later, links)
    # Of one without runs nobody knows: it may have failed, and its runs were deleted.
    assert (trouble.key, doubtful) == ("lauf:rare", {"lauf:never"})


def test_a_person_s_own_run_is_not_told_when_it_fails_and_ends_the_trouble_when_it_is_good() -> None:
    assert told((FAILURE, 300), (SUCCESS, 400), person=0) == ([], set())
    assert told((SUCCESS, 10), (FAILURE, 300), person=0) == ([], set())


def test_the_failures_since_the_last_good_run_are_counted() -> None:
    ended = [(True, 10), (True, 150), (False, 200), (True, 300)]
    runs = [FinishedRun("sync_beteiligte", f"run{ago}", bad, NOW - timedelta(seconds=ago)) for bad, ago in ended]
    assert failing_jobs(runs, NOW)[0] == [FailingJob("sync_beteiligte", "run10", NOW - timedelta(seconds=150), runs=2)]
