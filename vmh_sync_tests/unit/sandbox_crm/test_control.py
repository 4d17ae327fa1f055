"""The control hooks and the setup by an admin."""

from typing import Any

import pytest

from vmh_sync_tests.unit.sandbox_crm.conftest import Bench

ADDRESS = {"emailAddress": "s@example.org", "primary": True, "optOut": True, "invalid": False}


async def test_seeded_records_are_there_as_given_and_ring_no_bell(bench: Bench) -> None:
    await bench.client.post("Webhook", json={"event": "CBeteiligte.create", "url": "http://receiver.example/"})
    record = {"id": "6b0000000000000aa", "lastName": "Saat", "modifiedAt": "2025-01-01 00:00:00", "syncStatus": "clean"}
    result = bench.hooks.seed({"records": {"CBeteiligte": [record | {"emailAddressData": [ADDRESS]}]}})

    assert result == {"ids": {"CBeteiligte": [record["id"]]}}
    read = await bench.get(record["id"])
    assert {name: read[name] for name in record} == record
    assert read["emailAddressData"] == [ADDRESS | {"lower": "s@example.org"}]
    assert await bench.delivery.run_until_idle() == 0
    with pytest.raises(ValueError, match="exists"):
        bench.hooks.seed({"records": {"CBeteiligte": [record]}})


async def test_state_shows_live_and_deleted_records_in_full(bench: Bench) -> None:
    live, gone = (await bench.create())["id"], (await bench.create(emailAddress="weg@example.org"))["id"]
    await bench.client.delete(f"CBeteiligte/{gone}")

    records = {row["id"]: row for row in bench.hooks.state()["records"]["CBeteiligte"]}
    assert {record_id: row["deleted"] for record_id, row in records.items()} == {live: False, gone: True}
    assert records[gone]["emailAddressData"][0]["emailAddress"] == "weg@example.org"
    assert records[live] == await bench.get(live)


async def test_reset_empties_and_keeps_users_and_schema(bench: Bench) -> None:
    await bench.create(emailAddress="a@example.org")
    await bench.client.post("Webhook", json={"event": "CBeteiligte.create", "url": "http://receiver.example/"})
    bench.hooks.command("maintenance", {"on": True})
    assert (await bench.client.get("CBeteiligte")).status_code == 503
    bench.hooks.reset({})

    assert (await bench.find())["total"] == 0
    assert bench.hooks.state()["webhooks"] == []
    assert (await bench.create(emailAddress="a@example.org"))["emailAddressIsOptedOut"] is False


async def test_a_refused_edit_says_why(bench: Bench) -> None:
    with pytest.raises(ValueError, match="syncStatus"):
        bench.hooks.edit({"entity": "CBeteiligte", "values": {"lastName": "X", "syncStatus": "bunt"}})


async def test_same_seed_and_clock_give_the_same_ids_and_keys() -> None:
    first, second = Bench(), Bench()

    assert first.keys == second.keys
    assert (await first.create())["id"] == (await second.create())["id"]
    assert Bench(seed=2).keys != first.keys


async def test_an_admin_adds_entity_fields_link_role_and_user(bench: Bench) -> None:
    as_admin = {"Authorization": bench.keys["admin_basic"], "X-Api-Key": ""}
    del bench.client.headers["X-Api-Key"]
    as_admin.pop("X-Api-Key")

    async def post(path: str, body: dict[str, Any]) -> Any:
        response = await bench.client.post(path, json=body, headers=as_admin)
        assert response.status_code == 200, response.headers
        return response.json()

    assert await post("EntityManager/action/createEntity", {"name": "Akte", "type": "Base"}) == {"name": "CAkte"}
    await post(
        "Admin/fieldManager/CAkte", {"name": "stand", "type": "enum", "options": ["neu", "alt"], "default": "neu"}
    )
    link = {"entity": "CBeteiligte", "link": "akten", "entityForeign": "CAkte", "linkForeign": "beteiligte"}
    await post("EntityManager/action/createLink", link | {"linkType": "oneToMany"})
    role = await post("Role", {"name": "Nur Akten", "data": {"CAkte": {"create": "yes", "read": "all"}}})
    user = await post("User", {"userName": "neu", "lastName": "neu", "type": "api", "rolesIds": [role["id"]]})
    with_key = {"X-Api-Key": user["apiKey"]}

    made = await bench.client.post("CAkte", json={"name": "A 1"}, headers=with_key)
    assert made.json()["stand"] == "neu"
    assert (await bench.client.get("CBeteiligte", headers=with_key)).status_code == 403
    assert (await bench.client.put(f"CAkte/{made.json()['id']}", json={}, headers=with_key)).status_code == 403
    metadata = await bench.client.get("Metadata", params={"key": "entityDefs.CAkte.fields.stand"}, headers=with_key)
    assert metadata.json()["options"] == ["neu", "alt"]
    assert (await bench.client.post("EntityManager/action/createEntity", json={}, headers=with_key)).status_code == 403
