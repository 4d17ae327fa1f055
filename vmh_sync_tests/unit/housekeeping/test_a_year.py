"""A simulated time of work and nightly cleaning: our database and Dagster's storage stop growing."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import text

from vmh_sync.clock import ManualClock
from vmh_sync.housekeeping.database import clean_tables
from vmh_sync.housekeeping.runs import RunRetention, delete_old_runs
from vmh_sync.orchestration.dagster_home import ensure_dagster_home, open_home
from vmh_sync.store import Store
from vmh_sync.store.history.audit import Change
from vmh_sync.store.history.metrics import PassSummary

pytestmark = pytest.mark.proof  # a minute on a busy machine

WEEK = timedelta(weeks=1)
TABLES = ("changes", "intents", "manual_tasks", "passes")


def work_of_a_week(store: Store, clock: ManualClock, week: int) -> None:
    """What a small firm leaves behind: edits, creates, tasks that were settled, passes."""
    with store.transaction() as tx:
        tx.audit.append(
            [Change(entity="beteiligte", kind="applied", reason="r", espo_id=f"p{n}", betnr=n) for n in range(10)]
        )
        for number in range(3):
            name = f"{week}-{number}"
            intent = tx.intents.start(
                system="advoware", entity="beteiligte", espo_id=name, natural_key={}, payload_hash="h"
            )
            tx.intents.complete(intent.id, "1")
            task, _ = tx.tasks.ensure(
                entity="beteiligte", espo_id=name, kind="conflict", fields=[], fingerprint="f", details={}
            )
            tx.tasks.close(task.id)
            tx.passes.record(PassSummary(run_id=name, entity="beteiligte", trigger="sensor", started_at=clock.now()))


def sizes(store: Store) -> dict[str, int]:
    with store._reader.connect() as connection:
        return {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in TABLES}


def test_our_database_does_not_grow_any_more_once_the_longest_time_of_keeping_is_over(
    store: Store, store_clock: ManualClock
) -> None:
    history: list[dict[str, int]] = []
    for week in range(2 * 52):
        work_of_a_week(store, store_clock, week)
        store_clock.advance(WEEK)
        clean_tables(store, store_clock.now(), audit_days=90)
        history.append(sizes(store))
    for name in TABLES:
        assert 0 < history[-1][name] <= max(found[name] for found in history[:54]), name
        assert history[-1][name] == history[60][name], name


@dg.job
def nothing() -> None: ...


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with open_home(ensure_dagster_home(tmp_path / "dagster")) as opened:
        yield opened


def test_dagsters_storage_holds_the_runs_of_the_time_of_keeping_and_no_more(instance: dg.DagsterInstance) -> None:
    now, rules, counts = datetime(2026, 1, 1, tzinfo=UTC), RunRetention(14, 90), []
    for _ in range(52):
        ended = now.replace(tzinfo=None).isoformat(sep=" ")
        for status in (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE):
            run = instance.create_run_for_job(nothing, status=status)
            with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]  # of the SQLite storage
                moment = text("UPDATE runs SET update_timestamp = :at WHERE run_id = :run")
                connection.execute(moment, {"at": ended, "run": run.run_id})
        now += WEEK
        delete_old_runs(instance, now, rules)
        counts.append(instance.get_runs_count())
    assert counts[-1] == counts[20] == max(counts)
    assert counts[-1] <= 2 * 2 + 90 // 7 + 1
