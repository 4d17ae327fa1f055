"""The nightly job and the sensor for claims of dead runs, in a real Dagster instance."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from vmh_sync.definitions import build_defs
from vmh_sync.housekeeping.definitions import housekeeping, inbox_claims
from vmh_sync.store import Store, open_store
from vmh_sync.store.history.audit import Change
from vmh_sync.store.queue.inbox import InboxEvent

CHANGE = Change(entity="beteiligte", kind="applied", reason="r", espo_id="a")


@pytest.fixture
def house(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Our database, as the settings name it."""
    monkeypatch.setenv("VMH_DATABASE_URL", sqlite_url)
    store = open_store(sqlite_url)
    yield store
    store.close()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Dagster, in memory."""
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def counts(result: dg.ExecuteInProcessResult, op: str) -> dict[str, object]:
    (event,) = [e for e in result.events_for_node(op) if e.event_type == dg.DagsterEventType.STEP_OUTPUT]
    return {name: value.value for name, value in event.step_output_data.metadata.items()}


def test_the_job_cleans_and_shows_what_it_did(
    house: Store, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VMH_AUDIT_RETENTION_DAYS", "30")
    now = datetime.now(UTC)
    old, fresh = now - timedelta(days=31), now - timedelta(days=29)
    with house.transaction() as tx:
        tx.audit.append([Change(entity="x", kind="applied", reason="r", at=at) for at in (old, old, fresh)])
    result = housekeeping.execute_in_process(instance=instance)
    shown = counts(result, "clean_database")
    assert shown["alte Einträge im Protokoll"] == 2
    assert set(shown) > {"erledigte Anlagen", "geschlossene Aufgaben", "gelöschte Terminpaare"}
    assert set(counts(result, "clean_dagster").items()) == {
        ("Läufe gelöscht", 0),
        ("fehlgeschlagene Läufe gelöscht", 0),
        ("Läufe, die gebraucht werden", 0),
        ("Läufe für die nächste Nacht", 0),
    }


def test_dagster_is_cleaned_even_when_our_database_is_away(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VMH_DATABASE_URL", "sqlite:////nowhere/store.sqlite3")
    result = housekeeping.execute_in_process(instance=instance, raise_on_error=False)
    assert not result.success
    assert counts(result, "clean_dagster")["Läufe gelöscht"] == 0


def test_it_runs_every_night_and_is_part_of_the_definitions() -> None:
    repository = build_defs().get_repository_def()
    schedule = repository.get_schedule_def("housekeeping")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 2 * * *", "Europe/Berlin")
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    assert repository.get_sensor_def("inbox_claims").default_status is dg.DefaultSensorStatus.RUNNING


def test_claims_of_runs_that_are_over_are_given_back(house: Store, instance: dg.DagsterInstance) -> None:
    statuses = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED, dg.DagsterRunStatus.STARTED]
    dead, cancelled, alive = (instance.create_run_for_job(housekeeping, status=status).run_id for status in statuses)
    now = datetime.now(UTC)
    with house.transaction() as tx:
        tx.inbox.add("adressen", [InboxEvent(espo_id=str(n), action="manual", source="s") for n in range(5)])
        for worker, limit in ((dead, 2), (cancelled, 1), (alive, 1), ("elsewhere", 1)):
            tx.inbox.claim("adressen", worker, limit, now, 600)

    first, second = (_tick(instance) for _ in range(2))
    assert first.skip_message == "released 3 claims of 2 dead runs"
    assert second.skip_message == "no claims of dead runs"
    with house.reading() as tx:
        assert tx.inbox.workers() == {alive: 1, "elsewhere": 1}
        assert tx.inbox.pending_count("adressen", now) == 3


def _tick(instance: dg.DagsterInstance) -> dg.SkipReason:
    with dg.build_sensor_context(instance=instance) as context:
        result = inbox_claims(context)
    assert isinstance(result, dg.SkipReason)
    return result
