"""Webhooks of the simulated EspoCRM: what is sent, when, how often (specification, espocrm.md B9)."""

import base64
import hashlib
import hmac

import pytest

from vmh_sync_tests.unit.sandbox_crm.conftest import Bench

URL = "http://receiver.example/vmh/webhook"


async def subscribe(bench: Bench, event: str, **values: object) -> dict[str, str]:
    response = await bench.client.post("Webhook", json={"event": event, "url": URL, **values})
    assert response.status_code == 201
    return response.json()


def bell(bench: Bench) -> str:
    return bench.hooks.edit({"entity": "CBeteiligte", "values": {"lastName": "Ereignis"}})["id"]


async def test_one_run_takes_twenty_events(bench: Bench) -> None:
    await subscribe(bench, "CBeteiligte.create")
    for _ in range(130):
        bell(bench)

    sizes = []
    while await bench.delivery.run():
        sizes.append(len(bench.deliveries()[-1]))
    assert sizes == [20] * 6 + [10]


async def test_both_signatures_verify_over_the_raw_body(bench: Bench) -> None:
    webhook = await subscribe(bench, "CBeteiligte.create")
    bell(bench)
    await bench.delivery.run()

    request = bench.received[0]
    digest = hmac.new(webhook["secretKey"].encode(), request.content, hashlib.sha256)
    current, legacy = (base64.b64decode(request.headers[name]) for name in ("Signature", "X-Signature"))
    assert current == f"{webhook['id']}:{digest.hexdigest()}".encode()
    assert legacy == f"{webhook['id']}:".encode() + digest.digest()


async def test_own_writes_are_skipped_only_if_asked_and_only_the_owner_s(bench: Bench) -> None:
    await subscribe(bench, "CBeteiligte.update", skipOwn=True)
    made = await bench.create()
    await bench.put(made["id"], firstName="Selbst")
    bench.hooks.edit({"entity": "CBeteiligte", "id": made["id"], "values": {"firstName": "Mensch"}})
    await bench.delivery.run_until_idle()

    person = bench.crm.account_named("sekretariat")
    changed = {"firstName": "Mensch", "name": "Mensch Probe", "id": made["id"]}
    assert bench.deliveries() == [[changed | {"modifiedById": person.id, "modifiedByName": person.name}]]


async def test_a_put_without_a_change_sends_nothing(bench: Bench) -> None:
    await subscribe(bench, "CBeteiligte.update")
    made = await bench.create()
    await bench.put(made["id"], lastName="Probe")

    assert await bench.delivery.run_until_idle() == 0


async def test_a_later_event_overtakes_one_that_waits(bench: Bench) -> None:
    await subscribe(bench, "CBeteiligte.create")
    first = bell(bench)
    bench.status = 503
    await bench.delivery.run()
    bench.status = 200
    second = bell(bench)
    await bench.delivery.run()
    bench.later(minutes=10)
    await bench.delivery.run()

    assert [[item["id"] for item in batch] for batch in bench.deliveries()] == [[first], [second], [first]]


@pytest.mark.parametrize("status", [400, 422, 429, 502, 504])
async def test_these_answers_lose_the_event_for_good(bench: Bench, status: int) -> None:
    await subscribe(bench, "CBeteiligte.create")
    bell(bench)
    bench.status = status
    await bench.delivery.run()
    bench.later(hours=1)

    assert await bench.delivery.run_until_idle() == 0
    assert bench.hooks.state()["queue"] == {"events": 0, "items": 0, "failed": 1, "delivered": 0}


async def test_gone_deletes_the_webhook(bench: Bench) -> None:
    await subscribe(bench, "CBeteiligte.create")
    bell(bench)
    bench.status = 410
    await bench.delivery.run()

    assert bench.hooks.state()["webhooks"] == []


async def test_flushing_through_the_control_layer_delivers_everything(bench: Bench) -> None:
    await subscribe(bench, "CBeteiligte.create")
    for _ in range(45):
        bell(bench)
    result = await bench.hooks.command("flush_webhooks", {})  # type: ignore[misc]

    assert result == {"events": 0, "items": 0, "failed": 0, "delivered": 45}


async def test_at_most_fifty_webhooks_per_user(bench: Bench) -> None:
    for _ in range(50):
        await subscribe(bench, "CBeteiligte.create")

    response = await bench.client.post("Webhook", json={"event": "CBeteiligte.create", "url": URL})
    assert response.status_code == 403
