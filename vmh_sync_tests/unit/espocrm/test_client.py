"""Typed reads and writes of the EspoCRM client."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
import respx

from vmh_sync.systems.espocrm.client import EspoClient
from vmh_sync.systems.espocrm.errors import OutcomeUnknown, UnexpectedAnswer
from vmh_sync.systems.espocrm.records import format_datetime, parse_datetime
from vmh_sync_tests.unit.espocrm.conftest import Crm

ID = "6b04673aae3a592b3"


def sent(route: respx.Route) -> dict[str, Any]:
    return json.loads(route.calls.last.request.content)


async def test_read(client: EspoClient, crm: Crm) -> None:
    attributes = {
        "id": ID,
        "lastName": "Mustermann",
        "modifiedAt": "2026-11-23 16:19:47",
        "modifiedById": "6b0465319b3f4367b",
        "versionNumber": 3,
        "deleted": False,
    }
    crm.on("GET", f"CBeteiligte/{ID}").respond(json=attributes, headers={"Date": "Mon, 23 Nov 2026 16:20:00 GMT"})
    record = await client.read("CBeteiligte", ID)
    assert record is not None
    assert (record.entity, record.id, record.version, record.deleted) == ("CBeteiligte", ID, 3, False)
    assert record.attributes == attributes
    assert record.modified_at == datetime(2026, 11, 23, 16, 19, 47, tzinfo=UTC)
    assert record.modified_by_id == "6b0465319b3f4367b"
    assert record.server_time == datetime(2026, 11, 22, 14, 20, tzinfo=UTC), "no clock is believed before a write"
    assert "Mustermann" not in repr(record)


async def test_read_without_version_and_clock(client: EspoClient, crm: Crm) -> None:
    crm.on("GET", f"CBeteiligte/{ID}").respond(json={"id": ID, "versionNumber": None, "modifiedAt": None})
    record = await client.read("CBeteiligte", ID)
    assert record is not None
    assert (record.version, record.server_time, record.modified_at) == (None, None, None)


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{}", b'{"id": 5}', b'{"id": "andere"}', b'{"id": "6b04'])
async def test_a_broken_or_empty_read_is_never_a_deletion(client: EspoClient, crm: Crm, body: bytes) -> None:
    crm.on("GET", f"CBeteiligte/{ID}").respond(200, content=body)
    with pytest.raises(UnexpectedAnswer):
        await client.read("CBeteiligte", ID)


async def test_create(client: EspoClient, crm: Crm) -> None:
    route = crm.on("POST", "CBeteiligte").respond(json={"id": ID})
    moment = datetime(2026, 1, 2, 4, 4, 5, 999, tzinfo=timezone(timedelta(hours=1)))
    record = await client.create("CBeteiligte", {"lastName": "X", "dateOfBirth": date(1970, 12, 31), "at": moment})
    assert record.id == ID
    assert sent(route) == {"lastName": "X", "dateOfBirth": "1970-12-31", "at": "2026-01-02 03:04:05"}
    assert "X-Skip-Duplicate-Check" not in route.calls.last.request.headers


async def test_create_without_duplicate_check(client: EspoClient, crm: Crm) -> None:
    route = crm.on("POST", "CBeteiligte").respond(json={"id": ID})
    await client.create("CBeteiligte", {"lastName": "X"}, skip_duplicate_check=True)
    assert route.calls.last.request.headers["X-Skip-Duplicate-Check"] == "true"


@pytest.mark.parametrize("body", [b"", b"{}", b"true", b'{"id'])
async def test_unreadable_answers_to_writes_are_unknown_outcomes(client: EspoClient, crm: Crm, body: bytes) -> None:
    crm.router.route().respond(200, content=body)
    with pytest.raises(OutcomeUnknown):
        await client.create("CBeteiligte", {"lastName": "X"})
    with pytest.raises(OutcomeUnknown):
        await client.update("CBeteiligte", ID, {"lastName": "X"})


async def test_update_without_version_sends_no_header(client: EspoClient, crm: Crm) -> None:
    route = crm.on("PUT", f"CBeteiligte/{ID}").respond(json={"id": ID})
    await client.update("CBeteiligte", ID, {"advowareLastSync": None})
    assert sent(route) == {"advowareLastSync": None}
    assert "X-Version-Number" not in route.calls.last.request.headers


async def test_delete(client: EspoClient, crm: Crm) -> None:
    crm.on("DELETE", f"CBeteiligte/{ID}").respond(json=True)
    assert await client.delete("CBeteiligte", ID) is True


@pytest.mark.parametrize("record_id", ["", ".", ".."])
@pytest.mark.parametrize("call", ["read", "update", "delete"])
async def test_an_id_that_names_another_address_never_becomes_a_call(
    client: EspoClient, crm: Crm, call: str, record_id: str
) -> None:
    """Nothing leads to the whole entity; dots are taken out of the address, and a signature over them is refused."""
    with pytest.raises(ValueError, match="record id"):
        await getattr(client, call)("CBeteiligte", record_id, *([{}] if call == "update" else []))
    assert not crm.router.calls


async def test_ids_cannot_escape_their_path(client: EspoClient, crm: Crm) -> None:
    route = crm.router.route().respond(404, headers={"X-Status-Reason": "Record x does not exist."})
    await client.read("CBeteiligte", "../User/1?x=#")
    assert route.calls.last.request.url.raw_path == b"/api/v1/CBeteiligte/..%2FUser%2F1%3Fx%3D%23"


async def test_metadata_and_app_user(client: EspoClient, crm: Crm) -> None:
    route = crm.on("GET", "Metadata").respond(json={"type": "enum"})
    crm.on("GET", "App/user").respond(json={"user": {"id": "u"}})
    assert await client.metadata("entityDefs.CBeteiligte.fields.syncStatus") == {"type": "enum"}
    assert route.calls.last.request.url.params["key"] == "entityDefs.CBeteiligte.fields.syncStatus"
    assert (await client.app_user())["user"]["id"] == "u"
    crm.on("GET", "App/user").respond(json=[])
    with pytest.raises(UnexpectedAnswer):
        await client.app_user()


async def test_key_is_sent_with_every_call(client: EspoClient, crm: Crm) -> None:
    route = crm.router.route().mock(return_value=httpx.Response(200, json={"id": ID}))
    await client.read("CBeteiligte", ID)
    assert route.calls.last.request.headers["X-Api-Key"] == "schluessel-geheim"
    assert str(route.calls.last.request.url) == f"http://crm.test/api/v1/CBeteiligte/{ID}"


@pytest.mark.parametrize(
    "text", [None, "", "31.12.1970", "2026-01-01", 5, "2026-01-02T03:04:05Z", "9999-12-31 23:30:00"]
)
def test_date_times_that_are_none(text: str) -> None:
    assert parse_datetime(text) is None


def test_date_times() -> None:
    moment = parse_datetime("2026-01-02 03:04:05")
    assert moment == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert format_datetime(moment) == "2026-01-02 03:04:05"
    with pytest.raises(ValueError, match="aware"):
        format_datetime(moment.replace(tzinfo=None))
