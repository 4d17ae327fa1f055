"""What EspoCRM 9.3 and 10 do otherwise, and details in which the simulation once differed from the real one."""

import pytest

from vmh_sync_tests.unit.sandbox_crm.conftest import Bench

INTERNAL = "http://10.1.2.3:8800/vmh/webhook/beteiligte/update"


@pytest.fixture
def ten() -> Bench:
    return Bench(version="10.0.0")


def as_admin(bench: Bench) -> dict[str, str]:
    return {"Authorization": bench.keys["admin_basic"]}


async def switch(bench: Bench, **switches: object) -> None:
    bench.client.headers.pop("X-Api-Key", None)
    body = {"name": "CBeteiligte", **switches}
    answer = await bench.client.post("EntityManager/action/updateEntity", json=body, headers=as_admin(bench))
    assert answer.status_code == 200
    bench.client.headers["X-Api-Key"] = bench.keys["api_key"]


async def test_a_post_to_an_unknown_link_names_it(bench: Bench) -> None:
    made = await bench.create()
    answer = await bench.client.post(f"CBeteiligte/{made['id']}/gibtEsNicht", json={"id": made["id"]})
    assert answer.status_code == 404
    assert answer.headers["X-Status-Reason"] == "Entity CBeteiligte does not have link gibtEsNicht."


async def test_the_first_bad_field_of_a_task_is_the_one_that_stands_first_there(bench: Bench) -> None:
    answer = await bench.client.post("Task", json={"name": "x", "status": "gibt es nicht"})
    assert "field: status" in answer.headers["X-Status-Reason"], "before the missing assigned user"


async def test_an_api_user_sees_fewer_settings_than_an_admin(bench: Bench) -> None:
    shown = (await bench.client.get("Settings")).json()
    assert "outboundEmailFromAddress" not in shown
    assert shown["version"] == "9.2.7"
    refused = await bench.client.put("Settings", json={"tabList": []})
    assert refused.status_code == 403


async def test_options_names_the_methods(bench: Bench) -> None:
    answer = await bench.client.request("OPTIONS", "CBeteiligte")
    assert (answer.status_code, answer.headers["Allow"]) == (200, "GET, POST")


async def test_an_unknown_primary_filter_is_refused(bench: Bench) -> None:
    answer = await bench.client.get("CBeteiligte?primaryFilter=gibtEsNicht")
    assert answer.status_code == 400
    assert answer.headers["X-Status-Reason"] == "No primary filter 'gibtEsNicht' for 'CBeteiligte'."


async def test_an_internal_webhook_is_refused_unless_it_is_listed() -> None:
    bench = Bench(version="9.3.9")
    body = {"event": "CBeteiligte.update", "url": INTERNAL}
    refused = await bench.client.post("Webhook", json=body)
    assert "type: notInternal" in refused.headers["X-Status-Reason"]
    bench.crm.settings["webhookAllowedAddressList"] = ["10.1.2.3:8800"]
    assert (await bench.client.post("Webhook", json=body)).status_code == 201


async def test_before_ten_a_refused_connection_is_tried_again_and_then_it_is_lost() -> None:
    for version, waiting in (("9.3.9", 1), ("10.0.0", 0)):
        bench = Bench(version=version)
        bench.status = 0
        await bench.client.post("Webhook", json={"event": "CBeteiligte.create", "url": "http://r.example/x"})
        bench.hooks.edit({"entity": "CBeteiligte", "values": {"lastName": "Ereignis"}})
        webhooks = bench.app.state.api.webhooks
        for batch in webhooks.due_batches():
            webhooks.settle(batch, 0)
        assert len(webhooks.items) == waiting, version


async def test_a_locked_record_refuses_changes_and_delete_but_not_fields_that_cannot_be_locked(ten: Bench) -> None:
    made = await ten.create()
    await switch(ten, lockable=True)
    ten.crm.schema["CBeteiligte"].fields["syncStatus"]["notLockable"] = True
    ten.hooks.command("lock", {"entity": "CBeteiligte", "id": made["id"]})

    refused = await ten.client.put(f"CBeteiligte/{made['id']}", json={"lastName": "Neu"})
    assert (refused.status_code, refused.headers["X-Status-Reason"]) == (409, "cannotModifyLockedRecord")
    assert refused.json()["messageTranslation"]["data"] == {"field": "lastName"}
    kept = await ten.client.delete(f"CBeteiligte/{made['id']}")
    assert (kept.status_code, kept.headers["X-Status-Reason"]) == (409, "cannotRemoveLockedRecord")
    assert (await ten.put(made["id"], syncStatus="dirty"))["syncStatus"] == "dirty"
    assert (await ten.put(made["id"], lastName=made["lastName"]))["lastName"] == made["lastName"], "no change"
    ten.hooks.command("lock", {"entity": "CBeteiligte", "id": made["id"], "on": False})
    assert (await ten.put(made["id"], lastName="Neu"))["lastName"] == "Neu"


async def test_with_a_pipeline_the_status_is_dropped_without_a_word(ten: Bench) -> None:
    ten.crm.schema["Task"].pipelines = True
    user = next(iter(ten.crm.accounts))
    made = (await ten.client.post("Task", json={"name": "x", "status": "Started", "assignedUserId": user})).json()
    assert made["status"] == "Not Started"


async def test_open_api_describes_fields_for_an_admin(ten: Bench) -> None:
    assert (await ten.client.get("OpenApi")).status_code == 403
    ten.client.headers.pop("X-Api-Key")
    document = (await ten.client.get("OpenApi", headers=as_admin(ten))).json()
    assert document["components"]["schemas"]["CBeteiligte"]["properties"]["lastName"]["maxLength"] == 100
