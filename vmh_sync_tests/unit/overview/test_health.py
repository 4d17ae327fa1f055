"""When the house is healthy, and what is said when it is not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from vmh_sync.overview.failing_jobs import FailingJob
from vmh_sync.overview.health import Level, is_healthy, judge, span
from vmh_sync.overview.house import EntityStatus, HouseStatus, StoppedPass
from vmh_sync.store.history.metrics import PassSummary

NOW = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)


def done(ago: timedelta) -> PassSummary:
    return PassSummary(run_id="r", entity="beteiligte", trigger="sweep", started_at=NOW - ago, finished_at=NOW - ago)


def house(**how: object) -> HouseStatus:
    values: dict[str, object] = {"linked": 50, "last_pass": done(timedelta(minutes=10))} | how
    name = str(values.pop("name", "beteiligte"))
    return HouseStatus(NOW, (EntityStatus(name, "Beteiligte", **values),), ())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("how", "says", "do"),
    [
        ({"failed": 3}, "3 fehlerhaft", "sync beteiligte --failed"),
        ({"permanently_failed": 1}, "1 endgültig fehlerhaft", "sync beteiligte --failed"),
        ({"waiting": 7, "oldest_waiting": NOW - timedelta(minutes=40)}, "am längsten seit 40 Minuten", "up"),
        ({"last_pass": done(timedelta(hours=3))}, "Seit 3 Stunden kein Durchgang", "up"),
        ({"last_pass": None}, "kein Durchgang bekannt", "up"),
        ({"name": "kalender", "failed": 2}, "2 Kalender nicht abgeglichen", "nächste Lauf"),
    ],
)
def test_a_problem_is_named_with_what_to_do(how: dict[str, object], says: str, do: str) -> None:
    (finding,) = findings = judge(house(**how))
    assert finding.level is Level.PROBLEM
    assert says in finding.what
    assert do.casefold() in finding.next_step.casefold()
    assert not is_healthy(findings)


def test_a_pass_that_a_guard_stopped_is_a_problem_with_its_plan() -> None:
    stopped = replace(house(), stopped=(StoppedPass("beteiligte", "e69a66196096", 7, NOW),))
    (finding,) = judge(stopped)
    assert finding.level is Level.PROBLEM and "7 Datensätze" in finding.what
    assert "plan apply e69a66196096" in finding.next_step and "plan reject e69a66196096" in finding.next_step


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"waiting": 7, "oldest_waiting": NOW - timedelta(minutes=2)},
        {"linked": 0, "last_pass": None},
        {"name": "adressen", "last_pass": None},
        {"name": "adressen", "last_pass": done(timedelta(days=3))},
    ],
)
def test_what_is_as_it_should_be_is_not_named(how: dict[str, object]) -> None:
    assert judge(house(**how)) == ()


@pytest.mark.parametrize(
    "how",
    [
        {"different": 2, "conflicts": 1, "open_tasks": 3},
        {"open_tasks": 1},
        {"last_pass": done(timedelta(days=-366))},
    ],
)
def test_what_has_a_task_or_was_stored_by_a_wrong_clock_is_named_and_no_problem(how: dict[str, object]) -> None:
    findings = judge(house(**how))
    assert [finding.level for finding in findings] == [Level.WARNING]
    assert is_healthy(findings)


def test_a_job_of_which_every_run_fails_is_a_problem_although_no_record_failed() -> None:
    since = NOW - timedelta(minutes=7)
    failing = [FailingJob(job, "0123456789ab", since, runs=2) for job in ("sync_beteiligte", "reconcile")]
    (finding,) = findings = judge(house(), failing)
    assert finding.what == "Beteiligte: Seit 7 Minuten scheitert jeder Lauf, abgeglichen wird nichts."
    assert "Lauf 01234567 in Dagster" in finding.next_step and finding.run_id == "0123456789ab"
    assert not is_healthy(findings)


def test_of_one_failed_run_no_row_of_failures_is_told() -> None:
    (finding,) = judge(house(), [FailingJob("sync_beteiligte", "0123456789ab", NOW - timedelta(hours=14))])
    assert finding.what == "Beteiligte: Der letzte Lauf ist gescheitert, vor 14 Stunden."


def test_of_what_is_synced_with_its_party_too_it_is_not_said_that_nothing_is_synced() -> None:
    failing = FailingJob("sync_adressen", "0123456789ab", NOW - timedelta(minutes=7), runs=2)
    (finding,) = judge(house(name="adressen"), [failing])
    assert finding.what.endswith("Seit 7 Minuten scheitert jeder Lauf.")


def test_who_has_a_task_open_is_never_told_that_nothing_is_to_do() -> None:
    (finding,) = judge(house(open_tasks=2))
    assert finding.what == "Beteiligte: 2 Aufgaben sind in EspoCRM offen."
    assert "entscheiden" in finding.next_step


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=50), "einer Minute"),
        (timedelta(minutes=59), "59 Minuten"),
        (timedelta(minutes=60), "einer Stunde"),
        (timedelta(hours=47), "47 Stunden"),
        (timedelta(days=3), "3 Tagen"),
    ],
)
def test_a_span_is_told_in_words(length: timedelta, words: str) -> None:
    assert span(length) == words
