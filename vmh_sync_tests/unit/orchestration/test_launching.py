"""What the sensors ask Dagster to launch, with Dagster's own records of runs."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from vmh_sync.clock import SystemClock
from vmh_sync.orchestration.run_tags import BULK_TAG
from vmh_sync.orchestration.triggers import launching
from vmh_sync.orchestration.triggers.launching import pending_run
from vmh_sync.store import Store, open_store
from vmh_sync.store.queue.inbox import InboxEvent, Lane

ENTITY = "beteiligte"
Status = dg.DagsterRunStatus


@dg.job(name="sync_beteiligte")
def sync_beteiligte() -> None: ...


@pytest.fixture
def inbox(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("VMH_HOME", str(tmp_path))
    monkeypatch.setenv("VMH_DATABASE_URL", sqlite_url)
    monkeypatch.setattr(launching, "GATEWAY_HEAD_START", timedelta(0))
    store = open_store(sqlite_url, SystemClock())
    yield store
    store.close()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def launch(instance: dg.DagsterInstance, request: dg.RunRequest, status: dg.DagsterRunStatus) -> dg.DagsterRun:
    return instance.create_run_for_job(sync_beteiligte, tags=dict(request.tags), status=status)


def test_while_a_run_waits_for_its_place_no_other_is_launched_and_after_its_death_one_is(
    inbox: Store, instance: dg.DagsterInstance
) -> None:
    with inbox.transaction() as tx:
        tx.inbox.add(ENTITY, [InboxEvent(espo_id="a", action="update", source="webhook")])
    (request,) = pending_run(ENTITY, instance, fresh=False)
    assert request.run_key is None, "Dagster would refuse a key that it has seen, for ever"

    run = launch(instance, request, Status.STARTING)
    assert pending_run(ENTITY, instance, fresh=True) == []

    instance.report_run_failed(run, "died before it claimed")
    assert pending_run(ENTITY, instance, fresh=True) == [], "the same rows: a short pause"
    with inbox.transaction() as tx:
        tx.inbox.add(ENTITY, [InboxEvent(espo_id="b", action="update", source="webhook")])
    assert len(pending_run(ENTITY, instance, fresh=True)) == 1


def test_what_a_full_batch_left_is_launched_while_that_batch_is_still_in_work(
    inbox: Store, instance: dg.DagsterInstance
) -> None:
    with inbox.transaction() as tx:
        tx.inbox.add(ENTITY, [InboxEvent(espo_id=f"p{n}", action="update", source="webhook") for n in range(3)])
    (request,) = pending_run(ENTITY, instance, fresh=False)
    run = launch(instance, request, Status.STARTED)
    assert pending_run(ENTITY, instance, fresh=False) == [], "it is about to claim"
    with inbox.transaction() as tx:
        items = tx.inbox.claim(ENTITY, run.run_id, 2, SystemClock().now(), 600)
    assert len(pending_run(ENTITY, instance, fresh=False)) == 1
    with inbox.transaction() as tx:
        tx.inbox.claim(ENTITY, "another", 2, SystemClock().now(), 600)
        tx.inbox.acknowledge([item.id for item in items], run.run_id)
    assert pending_run(ENTITY, instance, fresh=False) == [], "no empty runs"


def test_an_edit_gets_a_run_of_its_own_while_a_large_selection_waits_and_is_worked_off(
    inbox: Store, instance: dg.DagsterInstance
) -> None:
    with inbox.transaction() as tx:
        large = [InboxEvent(espo_id=f"p{n}", action="manual", source="all", lane=Lane.BULK) for n in range(300)]
        tx.inbox.add(ENTITY, large)
    (bulk,) = pending_run(ENTITY, instance, fresh=False)
    assert (bulk.run_config, bulk.tags[BULK_TAG]) == ({"selection": "backlog"}, ENTITY)
    launch(instance, bulk, Status.STARTING)

    with inbox.transaction() as tx:
        tx.inbox.add(ENTITY, [InboxEvent(espo_id="edited", action="update", source="webhook")])

    (live,) = pending_run(ENTITY, instance, fresh=False)
    assert live.run_config == {"selection": "pending"}
    assert BULK_TAG not in live.tags
    assert int(bulk.tags["dagster/priority"]) < int(live.tags.get("dagster/priority", 0))
