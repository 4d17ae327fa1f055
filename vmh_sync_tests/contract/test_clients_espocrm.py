"""The EspoCRM client against the simulated CRM, over real HTTP."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from vmh_sync.clock import ManualClock
from vmh_sync.sandbox.control import ControlledApp
from vmh_sync.sandbox.crm import CrmConfig, CrmHooks, WebhookConfig, create_crm_app
from vmh_sync.sandbox.serving import LoopbackServer
from vmh_sync.settings import EspoCrmSettings
from vmh_sync.systems.espocrm import query
from vmh_sync.systems.espocrm.client import EspoClient, open_espocrm, open_espocrm_admin
from vmh_sync.systems.espocrm.errors import (
    BadConfiguration,
    DuplicateFound,
    Forbidden,
    LinkTargetMissing,
    LockedOut,
    LoginRejected,
    Maintenance,
    NotFound,
    OutcomeUnknown,
    Rejected,
    Transient,
    UnexpectedAnswer,
    ValidationRejected,
    VersionConflict,
)
from vmh_sync.systems.retry import RetryPolicy


@dataclass
class Calls:
    seen: list[tuple[str, str, int | None]] = field(default_factory=list)

    def observe(self, *, method: str, route: str, status: int | None, **_: Any) -> None:
        self.seen.append((method, route, status))


@dataclass
class Crm:
    """A running CRM, its control paths, and clients for it."""

    url: str
    control: httpx.AsyncClient
    clock: ManualClock
    calls: Calls
    credentials: dict[str, str]

    async def _no_wait(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    def settings(self, **changes: Any) -> EspoCrmSettings:
        values = {
            "api_base_url": f"{self.url}/api/v1",
            "api_key": self.credentials["api_key"],
            "api_timeout_seconds": 5,
            **changes,
        }
        return EspoCrmSettings(_env_file=None, **values)

    def open(self, **changes: Any) -> AbstractAsyncContextManager[EspoClient]:
        return open_espocrm(
            self.settings(**changes),
            clock=self.clock,
            observer=self.calls,
            retry=RetryPolicy(sleep=self._no_wait),
        )

    def open_admin(self) -> AbstractAsyncContextManager[EspoClient]:
        basic = base64.b64decode(self.credentials["admin_basic"].removeprefix("Basic ")).decode()
        user, _, password = basic.partition(":")
        return open_espocrm_admin(self.settings(admin_user=user, admin_password=password), clock=self.clock)

    async def do(self, path: str, body: Any = None) -> Any:
        answer = await self.control.post(f"/_sandbox/{path}", json=body or {})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def fault(self, action: str, path: str, **more: Any) -> None:
        await self.do("faults", {"action": action, "path": path, **more})

    async def records(self, entity: str) -> list[dict[str, Any]]:
        return (await self.control.get("/_sandbox/state")).json()["records"][entity]


@pytest.fixture
async def crm() -> AsyncIterator[Crm]:
    clock = ManualClock(datetime(2026, 3, 2, 8, 0, tzinfo=UTC))
    app = create_crm_app(CrmConfig(clock=clock, webhooks=WebhookConfig(interval=0)))
    controlled = ControlledApp(app, name="espocrm", hooks=CrmHooks(app), prefix="/api/v1/", clock=clock)
    async with LoopbackServer(controlled) as server, httpx.AsyncClient(base_url=server.url) as control:
        answer = await control.post("/_sandbox/do/credentials")
        yield Crm(server.url, control, clock, Calls(), answer.json())


async def fill(crm: Crm, number: int) -> list[str]:
    rows = [{"lastName": f"Name {index:04d}", "betnr": index} for index in range(number)]
    return (await crm.do("seed", {"records": {"CBeteiligte": rows}}))["ids"]["CBeteiligte"]


async def test_round_trip_of_a_record(crm: Crm) -> None:
    async with crm.open() as client:
        created = await client.create("CBeteiligte", {"firstName": "Erika", "lastName": "Mustermann", "betnr": 4711})
        crm.clock.advance(timedelta(seconds=10))
        updated = await client.update("CBeteiligte", created.id, {"titel": "Dr.", "advowareLastSync": crm.clock.now()})
        read = await client.read("CBeteiligte", created.id)
        assert read is not None
        assert (read.attributes["lastName"], read.attributes["titel"]) == ("Mustermann", "Dr.")
        assert read.attributes["advowareLastSync"] == "2026-03-02 08:00:10"
        assert read.modified_at == updated.modified_at == datetime(2026, 3, 2, 8, 0, 10, tzinfo=UTC)
        assert read.modified_by_id == (await client.app_user())["user"]["id"]
        assert read.server_time is not None
        assert await client.delete("CBeteiligte", created.id) is True
        assert await client.read("CBeteiligte", created.id) is None
        assert await client.delete("CBeteiligte", created.id) is False
        with pytest.raises(NotFound):
            await client.update("CBeteiligte", created.id, {"betnr": 1})


async def test_hmac_login(crm: Crm) -> None:
    login = {"api_key": crm.credentials["hmac_api_key"], "secret_key": crm.credentials["hmac_secret_key"]}
    async with crm.open(**login) as client:
        created = await client.create("CBeteiligte", {"lastName": "Hmac"})
        await client.update("CBeteiligte", created.id, {"betnr": 3})
        found = [record async for record in client.list_all("CBeteiligte", where=[query.equals("betnr", 3)])]
        assert [record.id for record in found] == [created.id]
        await client.delete("CBeteiligte", created.id)
    async with crm.open(**login | {"secret_key": "falsch"}) as client:
        with pytest.raises(LoginRejected):
            await client.read("CBeteiligte", created.id)


async def test_a_bad_key_never_locks_the_address_out(crm: Crm) -> None:
    ids = await fill(crm, 40)
    async with crm.open(api_key="0" * 32) as bad:
        failures = await asyncio.gather(*(bad.read("CBeteiligte", key) for key in ids), return_exceptions=True)
        assert {type(failure) for failure in failures} == {LoginRejected}
    assert len(crm.calls.seen) == 1
    async with crm.open() as good:
        assert await good.read("CBeteiligte", ids[0]) is not None


async def test_lock_out_by_somebody_else_passes(crm: Crm) -> None:
    ids = await fill(crm, 1)
    async with crm.open() as client:
        assert await client.read("CBeteiligte", ids[0]) is not None
        for _ in range(12):
            await crm.control.get("/api/v1/CBeteiligte", headers={"X-Api-Key": "0" * 32})
        made = len(crm.calls.seen)
        for _ in range(5):
            with pytest.raises(LockedOut):
                await client.read("CBeteiligte", ids[0])
        assert len(crm.calls.seen) == made + 1
        crm.clock.advance(timedelta(seconds=66))
        assert await client.read("CBeteiligte", ids[0]) is not None


async def test_duplicate_409(crm: Crm) -> None:
    async with crm.open() as client:
        first = await client.create("CBeteiligte", {"firstName": "Erika", "lastName": "Mustermann"})
        with pytest.raises(DuplicateFound) as failure:
            await client.create("CBeteiligte", {"firstName": "Erika", "lastName": "Mustermann"})
        assert failure.value.ids == [first.id]
        again = await client.create(
            "CBeteiligte", {"firstName": "Erika", "lastName": "Mustermann"}, skip_duplicate_check=True
        )
        assert again.id != first.id


async def test_version_409(crm: Crm) -> None:
    await crm.do("do/set_switch", {"optimistic": {"CBeteiligte": True}})
    async with crm.open() as client:
        record = await client.create("CBeteiligte", {"lastName": "Version"})
        read = await client.read("CBeteiligte", record.id)
        assert read is not None
        assert read.version == 1
        person = {"entity": "CBeteiligte", "id": record.id, "action": "update", "values": {"titel": "Dr."}}
        await crm.do("edit", person)
        with pytest.raises(VersionConflict) as failure:
            await client.update("CBeteiligte", record.id, {"titel": "Prof."}, version=read.version)
        assert failure.value.values == {"titel": "Dr."}
        assert failure.value.version == 2
        updated = await client.update("CBeteiligte", record.id, {"titel": "Prof."}, version=failure.value.version)
        assert updated.version == 3


async def test_version_is_ignored_where_the_switch_is_off(crm: Crm) -> None:
    await crm.do("do/set_switch", {"optimistic": {"CBeteiligte": False}})
    async with crm.open() as client:
        record = await client.create("CBeteiligte", {"lastName": "Version"})
        assert record.version is None
        assert (await client.update("CBeteiligte", record.id, {"titel": "Dr."}, version=77)).version is None


async def test_validation_names_the_field(crm: Crm) -> None:
    async with crm.open() as client:
        for values, field_name, rule in (
            ({"firstName": "x"}, "lastName", "required"),
            ({"lastName": "x", "kommunikationHash": "y" * 500}, "kommunikationHash", "maxLength"),
            ({"lastName": "x", "emailAddress": "keine"}, "emailAddress", "emailAddress"),
            ({"lastName": "x", "phoneNumber": "0711/123"}, "phoneNumber", "valid"),
            ({"lastName": "x", "syncStatus": "unbekannt"}, "syncStatus", "valid"),
        ):
            with pytest.raises(ValidationRejected) as failure:
                await client.create("CBeteiligte", values)
            assert (failure.value.entity, failure.value.field, failure.value.rule) == ("CBeteiligte", field_name, rule)


async def test_refusals(crm: Crm) -> None:
    async with crm.open() as client:
        with pytest.raises(BadConfiguration):
            await client.read("CGibtEsNicht", "00000000000000000")
        with pytest.raises(Forbidden):
            await client.create("Notification", {"message": "x"})
        with pytest.raises(LinkTargetMissing):
            await client.create("CBankverbindungen", {"name": "K", "iban": "DE1", "beteiligteId": "0" * 17})
        with pytest.raises(Rejected):
            await client.list_page("CBeteiligte", where=[query.equals("gibtEsNicht", 1)])


@pytest.mark.parametrize(("number", "pages"), [(0, 1), (199, 1), (200, 1), (201, 2), (450, 3)])
async def test_long_lists_are_complete(crm: Crm, number: int, pages: int) -> None:
    ids = await fill(crm, number)
    async with crm.open() as client:
        found = [record async for record in client.list_all("CBeteiligte", select=["betnr"])]
    assert [record.id for record in found] == sorted(ids)
    assert {record.attributes["betnr"] for record in found} == set(range(number))
    assert len(crm.calls.seen) == pages


async def test_paging_while_records_change(crm: Crm) -> None:
    """Deleted, changed and new records between the pages: everything that stood all the time comes exactly once."""
    ids = sorted(await fill(crm, 50))
    seen: list[str] = []
    async with crm.open() as client:
        async for record in client.list_all("CBeteiligte", page_size=10):
            seen.append(record.id)
            if len(seen) == 10:
                for key in (ids[0], ids[5], ids[30]):
                    await crm.do("edit", {"entity": "CBeteiligte", "id": key, "action": "delete"})
                for key in (ids[3], ids[40]):
                    change = {"entity": "CBeteiligte", "id": key, "action": "update", "values": {"lastName": "A"}}
                    await crm.do("edit", change)
                await crm.do("edit", {"entity": "CBeteiligte", "action": "create", "values": {"lastName": "Neu"}})
    assert len(seen) == len(set(seen))
    assert set(ids) - {ids[30]} <= set(seen)
    assert ids[30] not in seen


async def test_many_ids_at_once(crm: Crm) -> None:
    ids = await fill(crm, 250)
    async with crm.open() as client:
        by_id = {record.id async for record in client.list_ids_in("CBeteiligte", "id", [*ids, "0" * 17])}
        by_number = {r.id async for r in client.list_ids_in("CBeteiligte", "betnr", range(250), select=["betnr"])}
    assert by_id == by_number == set(ids)
    assert len(crm.calls.seen) == 6


async def test_conditions(crm: Crm) -> None:
    ids = await fill(crm, 5)
    await crm.do("do/set_switch", {"formula_dirty": False})
    async with crm.open() as client:
        await client.update("CBeteiligte", ids[0], {"syncStatus": "dirty"})
        await client.update("CBeteiligte", ids[1], {"syncStatus": "failed", "syncNextRetry": crm.clock.now()})
        crm.clock.advance(timedelta(minutes=1))
        due = query.any_of(
            query.in_("syncStatus", ["dirty"]),
            query.all_of(
                query.equals("syncStatus", "failed"),
                query.before("syncNextRetry", crm.clock.now()),
            ),
        )
        assert {record.id async for record in client.list_all("CBeteiligte", where=[due])} == {ids[0], ids[1]}
        last = [query.greater_or_equals("betnr", 4)]
        assert [record.id async for record in client.list_all("CBeteiligte", where=last)] == [ids[4]]


async def test_metadata(crm: Crm) -> None:
    async with crm.open() as client:
        definition = await client.metadata("entityDefs.CBeteiligte.fields.syncStatus")
    assert definition["type"] == "enum"
    assert "dirty" in definition["options"]


async def test_metadata_of_a_missing_key_is_nothing(crm: Crm) -> None:
    async with crm.open() as client:
        assert await client.metadata("entityDefs.CGibtEsNicht.fields") is None


async def test_admin(crm: Crm) -> None:
    async with crm.open_admin() as admin:
        assert (await admin.app_user())["user"]["type"] == "admin"


@pytest.mark.parametrize("action", ["drop_before", "drop_after"])
async def test_a_dropped_create_is_an_unknown_outcome_and_made_at_most_once(crm: Crm, action: str) -> None:
    async with crm.open() as client:
        await crm.fault(action, "CBeteiligte$", method="POST")
        with pytest.raises(OutcomeUnknown):
            await client.create("CBeteiligte", {"lastName": "Neu"})
    assert len(await crm.records("CBeteiligte")) == (action == "drop_after")


async def test_an_update_that_hangs_is_an_unknown_outcome(crm: Crm) -> None:
    (key,) = await fill(crm, 1)
    async with crm.open(api_timeout_seconds=0.2) as client:
        await crm.fault("hang", f"CBeteiligte/{key}", method="PUT", seconds=3)
        with pytest.raises(OutcomeUnknown):
            await client.update("CBeteiligte", key, {"lastName": "Neu"})


@pytest.mark.parametrize("rule", [{"action": "drop_before"}, {"action": "status", "status": 502}])
async def test_reads_get_over_passing_faults(crm: Crm, rule: dict[str, Any]) -> None:
    (key,) = await fill(crm, 1)
    async with crm.open() as client:
        await crm.fault(path=f"CBeteiligte/{key}", times=2, **rule)
        assert await client.read("CBeteiligte", key) is not None


@pytest.mark.parametrize("rule", [{"action": "malformed"}, {"action": "empty"}, {"action": "empty", "body": "[]"}])
async def test_broken_answers_are_neither_a_deletion_nor_an_empty_list(crm: Crm, rule: dict[str, Any]) -> None:
    (key,) = await fill(crm, 1)
    async with crm.open() as client:
        await crm.fault(path="CBeteiligte", method="GET", **rule)
        with pytest.raises(UnexpectedAnswer):
            await client.read("CBeteiligte", key)
        with pytest.raises(UnexpectedAnswer):
            _ = [record async for record in client.list_all("CBeteiligte")]


async def test_outages(crm: Crm) -> None:
    (key,) = await fill(crm, 1)
    async with crm.open() as client:
        await crm.do("do/outage", {"kind": "maintenance"})
        with pytest.raises(Maintenance):
            await client.read("CBeteiligte", key)
        await crm.do("do/outage", {"kind": "database"})
        with pytest.raises(Transient):
            await client.read("CBeteiligte", key)
        with pytest.raises(OutcomeUnknown):
            await client.update("CBeteiligte", key, {"betnr": 9})
        await crm.do("do/outage", {"kind": "gateway"})
        with pytest.raises(OutcomeUnknown):
            await client.create("CBeteiligte", {"lastName": "Neu"})
        await crm.do("do/outage", {"kind": None})
        assert await client.read("CBeteiligte", key) is not None
