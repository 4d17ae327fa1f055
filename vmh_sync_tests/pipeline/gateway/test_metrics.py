"""Each metric moves when what it measures happens (specification, http-endpoints.md 4)."""

import asyncio
import json
import os
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from vmh_sync.coordination.connection import connect, connect_sync
from vmh_sync.coordination.leases import Leases
from vmh_sync.engine.counting.pass_history import record_pass
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.kalender.context import quota_bucket
from vmh_sync.store.pairs.records import SyncRecord
from vmh_sync_tests.e2e.dagster_stack import wait_until
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.gateway import PATH_TOKEN, WRITE_KEY, DagsterDouble, GatewayProcess

ESPO_ID = "66aa11bb22cc33dd4"
UPDATE = "/beteiligte/update"
FAMILIES = {
    "vmh_records",
    "vmh_calendar_channels",
    "vmh_calendar_notifications",
    "vmh_foreign_calls",
    "vmh_launches",
    "vmh_record_status",
    "vmh_records_different",
    "vmh_inbox_waiting",
    "vmh_inbox_oldest_seconds",
    "vmh_oldest_dirty_seconds",
    "vmh_retries_due",
    "vmh_pass_seconds_mean",
    "vmh_pass_seconds_max",
    "vmh_pass_last_timestamp_seconds",
    "vmh_up",
    "vmh_leases",
    "vmh_login_held_back_seconds",
    "vmh_google_quota_left",
    "vmh_watch_up",
    "vmh_webhook_events",
    "vmh_webhook_seconds",
    "vmh_proxy_calls",
    "vmh_proxy_seconds",
}
"""Whoever adds one adds its test."""


def families(gateway: GatewayProcess) -> set[str]:
    with gateway.client() as http:
        found = {family.name for family in text_string_to_metric_families(http.get("/metrics").text)}
    return {name for name in found if not name.endswith("_created")}


def values(gateway: GatewayProcess) -> dict[str, float]:
    """Name and label values of each sample, as ``name/value/value``."""
    with gateway.client() as http:
        answer = http.get("/metrics")
    assert answer.status_code == 200
    assert ESPO_ID not in answer.text, "no label carries an id"
    return {
        "/".join((sample.name, *(sample.labels[label] for label in sorted(sample.labels)))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_inbox_webhooks_and_launches(gateway: GatewayProcess, dagster_double: DagsterDouble) -> None:
    before = values(gateway)
    assert before["vmh_inbox_waiting/beteiligte"] == before["vmh_inbox_oldest_seconds/beteiligte"] == 0
    body = json.dumps({"id": ESPO_ID})
    with gateway.client() as http:
        for token, content in ((PATH_TOKEN, body), (PATH_TOKEN, body), (PATH_TOKEN, "{"), ("x" * 20, body)):
            http.post(f"/vmh/webhook/{token}{UPDATE}", content=content)
    assert dagster_double.launched.wait(60)

    after = values(gateway)

    results = ("new", "refused", "unsigned", "waiting")
    assert {name: after[f"vmh_webhook_events_total/update/beteiligte/{name}"] for name in results} == dict.fromkeys(
        results, 1
    )
    assert after["vmh_webhook_seconds_count"] == 2
    assert after["vmh_inbox_waiting/beteiligte"] == 1
    assert 0 < after["vmh_inbox_oldest_seconds/beteiligte"] < 60
    assert after["vmh_inbox_waiting/adressen"] == 0
    assert after["vmh_launches_total/launched"] == 1 and after["vmh_launches_total/failed"] == 0
    dagster_double.stop()
    connect_sync(os.environ["REDIS_URL"]).delete("vmh:bell:beteiligte")
    with gateway.client() as http:
        http.post(f"/vmh/webhook/{PATH_TOKEN}{UPDATE}", content=json.dumps({"id": "66aa11bb22cc33dd5"}))
    wait_until("the launch fails", lambda: values(gateway)["vmh_launches_total/failed"] == 1, 20)


def test_foreign_calls_and_the_proxy(firm: Firm, gateway: GatewayProcess) -> None:
    with gateway.client(WRITE_KEY) as http:
        for status in (None, 500, 404):
            if status is not None:
                firm.office.fault("Beteiligte", "status", status=status)
            http.post("/advoware/proxy", params={"endpoint": "Beteiligte"}, json={"name": "x"})
            firm.office.clear_faults()
        firm.office.fault("Beteiligte", "drop_before")
        http.post("/advoware/proxy", params={"endpoint": "Beteiligte"}, json={"name": "x"})
        firm.office.clear_faults()

    found = values(gateway)

    calls = {name.split("/")[-2]: n for name, n in found.items() if name.startswith("vmh_foreign_calls_total/POST/(")}
    assert set(calls) >= {"2xx", "4xx", "5xx", "none"}, found
    answers = {name: n for name, n in found.items() if name.startswith("vmh_proxy_calls_total/POST")}
    assert answers == {
        "vmh_proxy_calls_total/POST/200": 1,
        "vmh_proxy_calls_total/POST/404": 1,
        "vmh_proxy_calls_total/POST/502": 2,
    }
    assert found["vmh_proxy_seconds_count"] == 4


def test_outcomes_latencies_and_standings(firm: Firm, gateway: GatewayProcess) -> None:
    assert "vmh_pass_seconds_max/beteiligte" not in values(gateway)
    good, bad = firm.crm_party(lastName="Gut"), firm.crm_party(lastName="Schlecht")
    firm.sync(good)
    firm.office.fault("Beteiligte$", "status", method="POST", status=400)
    outcomes = firm.outcomes(good, bad)

    async def booked(context: PassContext) -> None:
        await record_pass(context, "beteiligte", "webhook", outcomes, seconds=3, calls={})

    firm.run(booked)
    now = firm.clock.now()
    standing = SyncRecord(
        entity="beteiligte",
        espo_id=ESPO_ID,
        status="failed",
        next_retry_at=now - timedelta(minutes=1),
        espo_modified_at_seen=now - timedelta(hours=2),
    )
    with firm.store.transaction() as tx:
        tx.records.upsert([standing])

    found = values(gateway)

    assert found["vmh_records_total/beteiligte/unchanged"] == found["vmh_records_total/beteiligte/failed"] == 1
    assert found["vmh_pass_seconds_mean/beteiligte"] == found["vmh_pass_seconds_max/beteiligte"] == 3
    assert abs(found["vmh_pass_last_timestamp_seconds/beteiligte"] - now.timestamp()) < 30
    assert found["vmh_record_status/beteiligte/failed"] == 1
    assert found["vmh_record_status/beteiligte/permanently_failed"] == 1
    assert found["vmh_retries_due/beteiligte"] == 1
    assert 7200 <= found["vmh_oldest_dirty_seconds/beteiligte"] < 7300


async def test_leases_and_googles_quota(gateway: GatewayProcess, firm_environment: pytest.MonkeyPatch) -> None:
    before = await asyncio.to_thread(values, gateway)
    assert (before["vmh_leases"], before["vmh_google_quota_left"]) == (0, 600)
    bucket = quota_bucket(connect_sync(os.environ["REDIS_URL"]), 600)
    redis = connect(os.environ["REDIS_URL"])
    for cost in (3, 3, 1):
        await asyncio.to_thread(bucket.acquire, cost)
    async with Leases(redis, 30).hold("beteiligte:x"), Leases(redis, 30).hold("kalender:SB"):
        during = await asyncio.to_thread(values, gateway)
    await redis.aclose()

    assert (during["vmh_leases"], during["vmh_google_quota_left"]) == (2, 593)
    assert (await asyncio.to_thread(values, gateway))["vmh_leases"] == 0


def test_what_is_down_is_shown_and_the_page_still_answers(gateway: GatewayProcess) -> None:
    assert families(gateway) == FAMILIES
    up = values(gateway)
    gateway.restart(
        REDIS_URL="redis://:canary-redis@127.0.0.1:1/0", VMH_DATABASE_URL="postgresql://u:canary-db@127.0.0.1:1/x"
    )

    down = values(gateway)

    assert (up["vmh_up/database"], up["vmh_up/redis"]) == (1, 1)
    assert (down["vmh_up/database"], down["vmh_up/redis"]) == (0, 0)
    body = json.dumps({"id": ESPO_ID})
    with gateway.client(WRITE_KEY) as http:
        answers = [
            http.post(f"/vmh/webhook/{PATH_TOKEN}{UPDATE}", content=body),
            http.get("/ready"),
            http.get("/tickets"),
            http.get(f"/vmh/sync/beteiligte/{ESPO_ID}"),
            http.get("/advoware/proxy", params={"endpoint": "Mitarbeiter"}),
        ]
    assert [answer.status_code for answer in answers[:4]] == [503] * 4
    assert "canary-" not in "".join(answer.text for answer in answers) + gateway.log
    assert "vmh_leases" not in down and "vmh_google_quota_left" not in down
