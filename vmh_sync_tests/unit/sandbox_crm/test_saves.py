"""What a save sets off in the simulated EspoCRM: dates, versions, formula, shared rows (espocrm.md B1, B4, B5, B8)."""

import pytest

from vmh_sync_tests.unit.sandbox_crm.conftest import Bench


async def test_stream_decides_whether_an_empty_put_moves_modified_at(bench: Bench) -> None:
    made = await bench.create()
    bench.later(seconds=5)
    assert (await bench.put(made["id"]))["modifiedAt"] == "2026-01-05 10:00:05"

    bench.hooks.command("set_switch", {"stream": {"CBeteiligte": False}})
    bench.later(seconds=5)
    assert (await bench.put(made["id"], lastName="Probe"))["modifiedAt"] == "2026-01-05 10:00:05"
    assert (await bench.put(made["id"], lastName="Anders"))["modifiedAt"] == "2026-01-05 10:00:10"


async def test_a_person_makes_a_clean_record_dirty_and_the_api_user_does_not(bench: Bench) -> None:
    made = await bench.create(syncStatus="clean")
    assert (await bench.put(made["id"], firstName="Neu"))["syncStatus"] == "clean"

    for values in ({"firstName": "Anders"}, {"emailAddressData": [{"emailAddress": "a@example.org"}]}):
        await bench.put(made["id"], syncStatus="clean")
        bench.hooks.edit({"entity": "CBeteiligte", "id": made["id"], "values": values})
        assert (await bench.get(made["id"]))["syncStatus"] == "dirty"


async def test_formula_leaves_bookkeeping_pending_and_switched_off_alone(bench: Bench) -> None:
    made = await bench.create(syncStatus="clean")
    edit = {"entity": "CBeteiligte", "id": made["id"], "values": {"syncErrorMessage": "x"}}
    bench.hooks.edit(edit)
    assert (await bench.get(made["id"]))["syncStatus"] == "clean"

    new = bench.hooks.edit({"entity": "CBeteiligte", "id": None, "values": {"lastName": "Neu"}})
    bench.hooks.edit({"entity": "CBeteiligte", "id": new["id"], "values": {"firstName": "Ganz"}})
    assert (await bench.get(new["id"]))["syncStatus"] == "pending_sync"

    bench.hooks.command("set_switch", {"formula_dirty": False})
    bench.hooks.edit(edit | {"values": {"firstName": "Anders"}})
    assert (await bench.get(made["id"]))["syncStatus"] == "clean"


async def test_accounts_use_the_states_they_have(bench: Bench) -> None:
    made = await bench.create("CBankverbindungen", name="Konto", iban="DE00", syncStatus="clean")
    bench.hooks.edit({"entity": "CBankverbindungen", "id": made["id"], "values": {"iban": "DE01"}})

    assert (await bench.get(made["id"], "CBankverbindungen"))["syncStatus"] == "unclean"
    response = await bench.client.put(f"CBankverbindungen/{made['id']}", json={"syncStatus": "pending_sync"})
    assert response.status_code == 400


async def test_a_silent_write_moves_nothing_but_the_value(bench: Bench) -> None:
    made = await bench.create(syncStatus="clean")
    await bench.client.post("Webhook", json={"event": "CBeteiligte.update", "url": "http://receiver.example/u"})
    bench.later(seconds=9)
    values = {"lastName": "Leise", "phoneNumber": "+49 711 5550"}
    bench.hooks.edit({"entity": "CBeteiligte", "id": made["id"], "values": values, "action": "silent"})
    await bench.delivery.run_until_idle()

    read = await bench.get(made["id"])
    assert (read["name"], read["phoneNumber"], read["syncStatus"]) == ("Leise", "+497115550", "clean")
    assert read["modifiedAt"] == made["modifiedAt"]
    assert not bench.received


async def test_flags_set_through_one_record_show_on_the_other(bench: Bench) -> None:
    number = {"phoneNumber": "+497115550", "type": "Office", "primary": True}
    first = await bench.create(phoneNumberData=[number])
    bench.later(seconds=9)
    await bench.create(phoneNumberData=[number | {"type": "Fax", "optOut": True}])

    read = await bench.get(first["id"])
    assert read["phoneNumberData"][0] == number | {"type": "Fax", "optOut": True, "invalid": False}
    assert read["modifiedAt"] == first["modifiedAt"]


async def test_left_out_flags_and_type_are_reset(bench: Bench) -> None:
    number = {"phoneNumber": "+497115550", "type": "Office", "primary": True, "optOut": True, "invalid": True}
    made = await bench.create(phoneNumberData=[number])
    await bench.put(made["id"], phoneNumberData=[{"phoneNumber": "+497115550", "primary": True}])

    expected = number | {"type": "Mobile", "optOut": False, "invalid": False}
    assert (await bench.get(made["id"]))["phoneNumberData"] == [expected]


async def test_versions_guard_only_records_that_have_one(bench: Bench) -> None:
    old = await bench.create(betnr=1)
    bench.hooks.command("set_switch", {"optimistic": {"CBeteiligte": True}})
    new = await bench.create(betnr=1)
    stale = {"X-Version-Number": "9"}

    response = await bench.client.put(f"CBeteiligte/{new['id']}", json={"betnr": 2}, headers=stale)
    assert (response.status_code, response.headers["X-Status-Reason"]) == (409, "modified")
    assert response.json() == {"values": {"betnr": 1}, "versionNumber": 1}
    response = await bench.client.put(f"CBeteiligte/{new['id']}", json={"betnr": 1}, headers=stale)
    assert response.json()["versionNumber"] == 2
    response = await bench.client.put(f"CBeteiligte/{old['id']}", json={"betnr": 2}, headers=stale)
    assert response.json()["versionNumber"] == 1


async def test_duplicates_are_shown_unless_the_header_skips_the_check(bench: Bench) -> None:
    first = await bench.create(firstName="Erika", lastName="Probe")
    body = {"firstName": "ERIKA", "lastName": "probe"}

    response = await bench.client.post("CBeteiligte", json=body)
    assert (response.status_code, response.headers["X-Status-Reason"]) == (409, "duplicate")
    assert [row["id"] for row in response.json()] == [first["id"]]
    response = await bench.client.post("CBeteiligte", json=body, headers={"X-Skip-Duplicate-Check": "true"})
    assert response.status_code == 200
    await bench.client.delete(f"CBeteiligte/{first['id']}")
    assert len((await bench.client.post("CBeteiligte", json=body)).json()) == 1


@pytest.mark.parametrize(
    ("values", "field", "rule"),
    [
        ({"syncStatus": None}, "syncStatus", "valid"),
        ({"dateOfBirth": "31.12.1970"}, "dateOfBirth", "valid"),
        ({"advowareLastSync": "2025-01-02"}, "advowareLastSync", "valid"),
        ({"betnr": 2**31}, "betnr", "rangeInternal"),
        ({"briefAnrede": "x" * 151}, "briefAnrede", "maxLength"),
        ({"lastName": " "}, "lastName", "required"),
        ({"phoneNumber": "0711/1234"}, "phoneNumber", "valid"),
        ({"emailAddressData": [{"emailAddress": "kaputt"}]}, "emailAddress", "emailAddress"),
    ],
)
async def test_refused_values_are_named(bench: Bench, values: dict[str, object], field: str, rule: str) -> None:
    made = await bench.create(firstName="Vorher")
    response = await bench.client.put(f"CBeteiligte/{made['id']}", json={"firstName": "Nachher", **values})

    assert response.status_code == 400
    assert response.json()["messageTranslation"]["data"] == {"field": field, "type": rule}
    assert (await bench.get(made["id"]))["firstName"] == "Vorher"


async def test_iso_moments_are_stored_in_utc(bench: Bench) -> None:
    made = await bench.create(advowareLastSync="2025-01-02T03:04:05+01:00", dateOfBirth="1970-12-31")

    read = await bench.get(made["id"])
    assert (read["advowareLastSync"], read["dateOfBirth"]) == ("2025-01-02 02:04:05", "1970-12-31")


async def test_a_deleted_parent_keeps_its_children(bench: Bench) -> None:
    parent = await bench.create()
    child = await bench.create("CAdressen", name="Adresse", beteiligteId=parent["id"])
    assert (await bench.client.get(f"CBeteiligte/{parent['id']}/adressen")).json()["total"] == 1
    await bench.client.delete(f"CBeteiligte/{parent['id']}")

    read = await bench.get(child["id"], "CAdressen")
    assert (read["beteiligteId"], read["beteiligteName"]) == (parent["id"], None)
    assert (await bench.client.get(f"CBeteiligte/{parent['id']}")).status_code == 404


async def test_a_task_needs_an_assignee_and_a_listed_parent(bench: Bench) -> None:
    parent = await bench.create()
    person = bench.crm.account_named("anwalt")
    task = {"name": "Prüfen", "assignedUserId": person.id, "parentType": "CBeteiligte", "parentId": parent["id"]}

    response = await bench.client.post("Task", json=task | {"parentType": "Webhook"})
    assert response.json()["messageTranslation"]["data"] == {"field": "parent", "type": "valid"}
    response = await bench.client.post("Task", json=task)
    assert response.json()["parentName"] == "Probe"
    assert [entry["userId"] for entry in bench.hooks.state()["notifications"]] == [person.id]
    response = await bench.client.post("Notification", json={"type": "Message", "userId": person.id})
    assert (response.status_code, response.headers["X-Status-Reason"]) == (403, "No create access.")


async def test_rights_on_notes_and_notifications_are_fixed_whatever_the_role_says(bench: Bench) -> None:
    parent = await bench.create()
    own = (
        await bench.client.post("Note", json={"parentType": "CBeteiligte", "parentId": parent["id"], "post": "x"})
    ).json()
    other = bench.hooks.edit({"entity": "CBeteiligte", "values": {"lastName": "Fremd"}})["id"]
    foreign = (await bench.client.get(f"CBeteiligte/{other}/stream")).json()["list"][0]["id"]

    assert (await bench.client.get(f"Note/{foreign}")).status_code == 200
    assert (await bench.client.put(f"Note/{own['id']}", json={"post": "y"})).status_code == 200
    assert (await bench.client.delete(f"Note/{foreign}")).headers["X-Status-Reason"] == "No delete access."
