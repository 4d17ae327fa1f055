"""Which finished runs the nightly cleaning deletes from a real Dagster instance, and what stays."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.storage.event_log import SqliteEventLogStorage

from vmh_sync.housekeeping import runs
from vmh_sync.housekeeping.runs import RunRetention, RunsDeleted, delete_old_runs
from vmh_sync.orchestration.dagster_home import ensure_dagster_home, open_home

DAYS, FAILED_DAYS = timedelta(days=14), timedelta(days=90)
MOMENT = timedelta(microseconds=1)
CALENDAR = dg.AssetKey("calendar")
RULES = RunRetention(DAYS.days, FAILED_DAYS.days, {CALENDAR: "employees"})


class Work(dg.Config):
    """What the test's job does: materialize an asset, and then fail or not."""

    asset: str = ""
    partition: str | None = None
    fail: bool = False


@dg.op
def work(context: dg.OpExecutionContext, config: Work) -> None:
    if config.asset:
        context.log_event(dg.AssetMaterialization(dg.AssetKey(config.asset), partition=config.partition))
    if config.fail:
        raise dg.Failure("as the test wants")


@dg.job(executor_def=dg.in_process_executor, resource_defs={"io_manager": dg.mem_io_manager})
def job() -> None:
    work()


def run(instance: dg.DagsterInstance, **config: object) -> str:
    """Run the job; returns the run's id."""
    settings = {"ops": {"work": {"config": config}}}
    return job.execute_in_process(run_config=settings, instance=instance, raise_on_error=False).run_id


def ended(instance: dg.DagsterInstance, run_id: str) -> datetime:
    """When a run ended, in Dagster's books."""
    record = instance.get_run_record_by_id(run_id)
    assert record is not None
    return record.update_timestamp.replace(tzinfo=ZoneInfo("UTC"))


def living(instance: dg.DagsterInstance) -> set[str]:
    return set(instance.get_run_ids())


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """Dagster as the embedded default has it: SQLite with one file per run."""
    with open_home(ensure_dagster_home(tmp_path / "dagster")) as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgresql"])
def any_instance(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """Dagster on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        yield request.getfixturevalue("instance")
        return
    url = str(request.getfixturevalue("empty_postgres_url")).replace("postgresql:", "postgresql+psycopg2:")
    home = tmp_path / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text(
        f'storage: {{postgres: {{postgres_url: "{url}"}}}}\ntelemetry: {{enabled: false}}'
    )
    with open_home(home) as opened:
        yield opened


def test_runs_go_after_their_days_and_not_a_moment_earlier(any_instance: dg.DagsterInstance) -> None:
    good, bad = run(any_instance), run(any_instance, fail=True)
    end = ended(any_instance, good).astimezone(ZoneInfo("Europe/Berlin"))
    bad_end = ended(any_instance, bad)
    assert delete_old_runs(any_instance, end + DAYS, RULES) == RunsDeleted()
    assert delete_old_runs(any_instance, end + DAYS + MOMENT, RULES) == RunsDeleted(succeeded=1)
    assert living(any_instance) == {bad}
    assert delete_old_runs(any_instance, bad_end + FAILED_DAYS, RULES) == RunsDeleted()
    assert delete_old_runs(any_instance, bad_end + FAILED_DAYS + MOMENT, RULES) == RunsDeleted(failed=1)
    assert living(any_instance) == set()


def test_the_newest_materialization_of_each_asset_and_living_partition_stays(
    any_instance: dg.DagsterInstance,
) -> None:
    any_instance.add_dynamic_partitions("employees", ["AB", "SB"])
    materialized = ["AB", "GONE", "AB", "SB", "GONE", "SB"]
    ids = [run(any_instance, asset="calendar", partition=name) for name in materialized]
    ids += [run(any_instance, asset="repaired"), run(any_instance, asset="repaired", partition="x")]
    late = ended(any_instance, ids[-1]) + FAILED_DAYS + MOMENT
    assert delete_old_runs(any_instance, late, RULES) == RunsDeleted(succeeded=5, kept=3)
    assert living(any_instance) == {ids[2], ids[5], ids[7]}
    assert delete_old_runs(any_instance, late, RULES) == RunsDeleted(kept=3)
    shown = any_instance.get_latest_materialization_event(CALENDAR)
    assert shown is not None
    assert shown.run_id == ids[5]


def test_nothing_of_a_deleted_run_stays_on_the_disk(instance: dg.DagsterInstance) -> None:
    storage = instance.event_log_storage
    assert isinstance(storage, SqliteEventLogStorage)
    gone, failed = run(instance), run(instance, fail=True)
    home = Path(instance.root_directory)
    assert any(gone in str(path) for path in home.rglob("*"))
    delete_old_runs(instance, ended(instance, gone) + DAYS + MOMENT, RULES)
    assert [path for path in home.rglob("*") if gone in str(path)] == []
    assert Path(storage.path_for_shard(failed)).exists()
    assert instance.all_logs(failed)


def test_runs_that_are_not_over_stay(instance: dg.DagsterInstance) -> None:
    statuses = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
    ids = {instance.create_run_for_job(job, status=status).run_id for status in statuses}
    later = ended(instance, min(ids)) + timedelta(days=9999)
    assert delete_old_runs(instance, later, RULES) == RunsDeleted()
    assert living(instance) == ids


def test_runs_of_an_unfinished_backfill_stay(instance: dg.DagsterInstance) -> None:
    backfill = PartitionBackfill(
        backfill_id="b1", status=BulkActionStatus.REQUESTED, from_failure=False, tags={}, backfill_timestamp=0.0
    )
    instance.add_backfill(backfill)
    of_it, other = (
        job.execute_in_process(instance=instance, tags={"dagster/backfill": name}).run_id for name in ("b1", "b2")
    )
    late = ended(instance, other) + DAYS + MOMENT
    assert delete_old_runs(instance, late, RULES) == RunsDeleted(succeeded=1, kept=1)
    assert living(instance) == {of_it}
    instance.update_backfill(backfill._replace(status=BulkActionStatus.COMPLETED_SUCCESS))
    assert delete_old_runs(instance, late, RULES) == RunsDeleted(succeeded=1)


def test_it_stops_in_time_and_goes_on_the_next_night(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "_SLICE", 2)
    ids = [run(instance) for _ in range(5)]
    late = ended(instance, ids[-1]) + DAYS + MOMENT
    seconds = iter([0.0, runs.MOST_SECONDS, runs.MOST_SECONDS + 1, runs.MOST_SECONDS + 2])
    assert delete_old_runs(instance, late, RULES, lambda: next(seconds)) == RunsDeleted(succeeded=2, left=3)
    assert living(instance) == set(ids[2:]), "the oldest go first"
    assert delete_old_runs(instance, late, RULES) == RunsDeleted(succeeded=3)
