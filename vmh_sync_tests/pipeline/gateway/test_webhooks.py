"""Webhooks over HTTP: the sandbox CRM delivers, the running gateway stores and rings."""

import base64
import hashlib
import hmac
import json
import threading
from typing import Any

import httpx
import pytest

from vmh_sync.store import Store
from vmh_sync.store.queue.inbox import InboxEvent
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.gateway import PATH_TOKEN, DagsterDouble, GatewayProcess

WEBHOOK_PATH = "/vmh/webhook/beteiligte/update"


def waiting(store: Store, entity: str = "beteiligte") -> list[tuple[str, str]]:
    """What waits in the inbox, without claiming it."""
    with store.transaction() as tx:
        items = tx.inbox.claim(entity, "look", 10_000, tx.inbox._now(), 60)
        tx.inbox.release([item.id for item in items], "look")
    return [(item.espo_id, item.action) for item in items]


def an_id(number: int) -> str:
    return f"{number:017x}"


def post(gateway: GatewayProcess, body: bytes, path: str = f"/vmh/webhook/{PATH_TOKEN}/beteiligte/update") -> Any:
    with gateway.client() as http:
        return http.post(path, content=body)


def test_edits_in_the_crm_arrive_signed_and_launch_one_run(
    firm: Firm, gateway: GatewayProcess, dagster_double: DagsterDouble
) -> None:
    ids = [firm.crm_party(lastName=f"Muster{number}") for number in range(30)]
    firm.crm_edit(ids[0], lastName="Anders")

    queue = firm.crm.do("flush_webhooks")

    assert not queue.get("failed"), queue
    found = waiting(firm.store)
    assert {espo_id for espo_id, action in found if action == "create"} == set(ids)
    assert [espo_id for espo_id, action in found if action == "update"] == [ids[0]]
    assert dagster_double.launched.wait(60)
    assert gateway.stop() == 0, "lets every launch end, and ends well"
    assert [launch["selector"]["jobName"] for launch in dagster_double.launches] == ["sync_beteiligte"]
    assert dagster_double.launches[0]["runConfigData"] == {"selection": "pending"}


def test_children_and_deletes_go_to_their_own_inbox(firm: Firm, gateway: GatewayProcess) -> None:
    espo_id, _ = firm.linked_party(lastName="Weg")
    account = firm.crm.edit("CBankverbindungen", "create", values={"name": "Konto", "beteiligteId": espo_id})["id"]
    firm.crm.edit("CBeteiligte", "delete", id=espo_id)

    firm.crm.do("flush_webhooks")

    assert (espo_id, "delete") in waiting(firm.store)
    assert (account, "create") in waiting(firm.store, "bankverbindungen")


def test_an_event_during_its_sync_is_never_swallowed(firm: Firm, gateway: GatewayProcess) -> None:
    body = json.dumps([{"id": an_id(1)}]).encode()
    assert post(gateway, body).json()["new_ids_count"] == 1
    assert post(gateway, body).json()["new_ids_count"] == 0, "waits already"
    with firm.store.transaction() as tx:
        (item,) = tx.inbox.claim("beteiligte", "run", 10, tx.inbox._now(), 60)

    assert post(gateway, body).json()["new_ids_count"] == 1, "arrived while its record was being synced"

    with firm.store.transaction() as tx:
        tx.inbox.acknowledge([item.id], "run")
    assert [espo_id for espo_id, _ in waiting(firm.store)] == [an_id(1)]


def test_answer_counts_different_ids(gateway: GatewayProcess) -> None:
    answer = post(gateway, json.dumps([{"id": an_id(1)}, {"id": an_id(2)}, {"id": an_id(1)}]).encode())

    assert answer.status_code == 200
    assert answer.json() == {"status": "received", "action": "update", "new_ids_count": 2, "total_ids_in_batch": 2}


BODIES = [
    (b'{"id":"66aa11bb22cc33dd4","lastName":"B"}', 200),
    (b'{"id":"0b1e9c6e-1111-4222-8333-444455556666"}', 200),
    (b"[]", 200),
    (b'[{"id":"66aa11bb22cc33dd4"},{"id":"../x"}]', 200),
    (b"", 400),
    (b"{", 400),
    (b"null", 400),
    (b'[{"id":7}]', 400),
    (b'{"id":"66aa11bb22cc33dd4\\n"}', 400),
    (b"[" * 100_000, 400),
    (b'{"id":"66aa11bb22cc33dd4"}'.ljust(1024 * 1024), 200),
    (b'{"id":"66aa11bb22cc33dd4"}'.ljust(1024 * 1024 + 1), 413),
]


def test_bodies(gateway: GatewayProcess) -> None:
    """400 only for what can never be valid: EspoCRM drops the event then."""
    assert [(body[:60], post(gateway, body).status_code) for body, _ in BODIES] == [(b[:60], s) for b, s in BODIES]


def test_a_wrong_address_is_no_success(gateway: GatewayProcess) -> None:
    """EspoCRM sends again after 404, and takes a redirect for a success that it need not follow."""
    body = b'{"id":"66aa11bb22cc33dd4"}'
    address = f"/vmh/webhook/{PATH_TOKEN}/beteiligte/update"
    for path in (f"{address}/", f"/{address}", address.upper(), f"{address}//", address.replace("update", "updated")):
        assert post(gateway, body, path).status_code == 404, path


def test_nothing_unsigned_is_stored(firm: Firm, gateway: GatewayProcess) -> None:
    body = b'[{"id":"66aa11bb22cc33dd4"}]'
    forged = base64.b64encode(b"66b0c1d2e3f4a5b6c:" + hmac.digest(b"x", body, hashlib.sha256).hex().encode()).decode()
    with gateway.client() as http:
        answers = [
            http.post(WEBHOOK_PATH, content=body),
            http.post(WEBHOOK_PATH, content=body, headers={"Signature": forged}),
            http.post(WEBHOOK_PATH, content=body, headers={"X-Signature": forged}),
            http.post("/vmh/webhook/wrong-token/beteiligte/update", content=body),
        ]

    assert [answer.status_code for answer in answers] == [401] * 4
    assert waiting(firm.store) == []


def test_unavailable_storage_asks_the_crm_to_come_again(
    firm: Firm, gateway: GatewayProcess, firm_environment: pytest.MonkeyPatch
) -> None:
    del firm_environment
    with firm.store.transaction():  # holds SQLite's write lock for longer than EspoCRM waits
        answer = post(gateway, b'{"id":"66aa11bb22cc33dd4"}')

    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert answer.elapsed.total_seconds() < 10, "EspoCRM gives up after 10 s"
    counted = 'vmh_webhook_events_total{action="update",entity="beteiligte",result="unavailable"} 1.0'
    with gateway.client() as http:
        assert counted in http.get("/metrics").text


def test_a_launch_that_fails_keeps_the_events_and_rings_again(
    firm: Firm, gateway: GatewayProcess, dagster_double: DagsterDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = threading.Event()

    def refuse(asked: dict[str, Any]) -> dict[str, Any]:
        del asked
        refused.set()
        return {"launchRun": {"__typename": "PythonError"}}

    with monkeypatch.context() as patched:
        patched.setattr(dagster_double, "answer", refuse)
        assert post(gateway, json.dumps([{"id": an_id(1)}]).encode()).status_code == 200
        assert refused.wait(60)
    for number in range(2, 80):  # about 8 s, far below the 20 s after which the bell falls silent anyway
        post(gateway, json.dumps([{"id": an_id(number)}]).encode())
        if dagster_double.launched.wait(0.1):
            break
    assert dagster_double.launches, "the bell fell silent after the failure"
    assert an_id(1) in [espo_id for espo_id, _ in waiting(firm.store)]


def test_kill_loses_nothing_that_was_answered(firm: Firm, gateway: GatewayProcess) -> None:
    """kill -9 in the middle of 1,000 deliveries."""
    accepted: list[str] = []
    taken = threading.Semaphore(0)
    numbers = iter(range(1, 1001))
    lock = threading.Lock()

    def deliver() -> None:
        with gateway.client() as http:
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                try:
                    answer = http.post(
                        f"/vmh/webhook/{PATH_TOKEN}/beteiligte/update", content=json.dumps({"id": an_id(number)})
                    )
                except httpx.HTTPError:
                    continue
                if answer.status_code == 200:
                    accepted.append(an_id(number))
                    taken.release()

    threads = [threading.Thread(target=deliver) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(300):
        assert taken.acquire(timeout=30)
    gateway.kill()
    for thread in threads:
        thread.join()

    assert 300 <= len(accepted) < 1000
    assert set(accepted) <= {espo_id for espo_id, _ in waiting(firm.store)}
    gateway.start()
    assert post(gateway, json.dumps({"id": an_id(5000)}).encode()).status_code == 200


def test_store_and_gateway_agree_on_what_waits(firm: Firm, gateway: GatewayProcess) -> None:
    """A dirty record that the sensor noticed is not stored twice by a webhook of another kind of event."""
    with firm.store.transaction() as tx:
        tx.inbox.add("beteiligte", [InboxEvent(espo_id=an_id(1), action="update", source="sensor")])

    assert post(gateway, json.dumps({"id": an_id(1)}).encode()).json()["new_ids_count"] == 0
