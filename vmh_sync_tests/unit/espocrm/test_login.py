"""A refused login is never repeated and never leads to a lock-out (espocrm.md B1.8)."""

import asyncio
import logging
from datetime import timedelta

import httpx
import pytest

from vmh_sync.clock import ManualClock
from vmh_sync.settings import EspoCrmSettings
from vmh_sync.systems.espocrm.auth import basic_login
from vmh_sync.systems.espocrm.client import EspoClient
from vmh_sync.systems.espocrm.errors import Forbidden, LockedOut, LoginRejected, OutcomeUnknown, Transient
from vmh_sync_tests.unit.espocrm.conftest import Crm, Waits

ID = "6b04673aae3a592b3"


def locked_out() -> httpx.Response:
    """Recording x11_good_key_after_bad_keys."""
    return httpx.Response(403, headers={"Content-Type": "text/html; charset=UTF-8"})


async def test_401_is_not_repeated_and_holds_everything_back(
    client: EspoClient, crm: Crm, clock: ManualClock, waits: Waits
) -> None:
    route = crm.on("GET", "CBeteiligte/.*").respond(401)
    for number in range(20):
        with pytest.raises(LoginRejected) as failure:
            await client.read("CBeteiligte", f"{number:017x}")
        assert not failure.value.retryable
        assert failure.value.concerns_all
    assert route.call_count == 1
    assert waits.seconds == []
    route.respond(json={"id": ID})
    clock.advance(timedelta(minutes=5, seconds=1))
    assert await client.read("CBeteiligte", ID) is not None


async def test_many_callers_at_once_make_one_bad_login(client: EspoClient, crm: Crm) -> None:
    async def refuse(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        return httpx.Response(401)

    route = crm.on("GET", "CBeteiligte/.*").mock(side_effect=refuse)
    failures = await asyncio.gather(
        *(client.read("CBeteiligte", f"{number:017x}") for number in range(30)), return_exceptions=True
    )
    assert {type(failure) for failure in failures} == {LoginRejected}
    assert route.call_count == 1


async def test_a_key_withdrawn_in_full_swing_stays_below_the_lock_out(
    settings: EspoCrmSettings, http: httpx.AsyncClient, clock: ManualClock, crm: Crm
) -> None:
    client = EspoClient(settings.model_copy(update={"concurrency": 64}), http=http, clock=clock)
    route = crm.on("GET", "CBeteiligte/.*").respond(json={"id": ID})
    await client.read("CBeteiligte", ID)

    async def refuse(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        return httpx.Response(401)

    route.mock(side_effect=refuse)
    before = route.call_count
    await asyncio.gather(*(client.read("CBeteiligte", f"{n:017x}") for n in range(100)), return_exceptions=True)
    assert 1 <= route.call_count - before <= 10


async def test_calls_run_side_by_side_once_the_login_works(client: EspoClient, crm: Crm) -> None:
    under_way = most = 0
    all_there = asyncio.Event()
    gone = httpx.Response(404, headers={"X-Status-Reason": "Record x does not exist."})
    route = crm.on("GET", "CBeteiligte/.*").mock(return_value=gone)
    await client.read("CBeteiligte", ID)

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        if under_way == 8:
            all_there.set()
        await asyncio.wait_for(all_there.wait(), timeout=5)
        under_way -= 1
        return gone

    route.mock(side_effect=answer)
    await asyncio.gather(*(client.read("CBeteiligte", f"{number:017x}") for number in range(30)))
    assert most == 8


async def test_lock_out_is_over_after_a_minute(client: EspoClient, crm: Crm, clock: ManualClock) -> None:
    route = crm.on("PUT", f"CBeteiligte/{ID}").mock(return_value=locked_out())
    for _ in range(3):
        with pytest.raises(LockedOut) as failure:
            await client.update("CBeteiligte", ID, {"betnr": 1})
        assert failure.value.retryable
        assert failure.value.retry_after == pytest.approx(65)
    assert route.call_count == 1
    clock.advance(timedelta(seconds=66))
    route.respond(json={"id": ID})
    assert (await client.update("CBeteiligte", ID, {"betnr": 1})).id == ID


@pytest.mark.parametrize("reason", ["No edit access.", ""])
async def test_a_missing_right_is_no_lock_out(client: EspoClient, crm: Crm, reason: str) -> None:
    """Recordings d15 and f08: a missing right always has the header, be it empty."""
    route = crm.on("PUT", f"CBeteiligte/{ID}").respond(403, headers={"X-Status-Reason": reason})
    for _ in range(2):
        with pytest.raises(Forbidden):
            await client.update("CBeteiligte", ID, {"betnr": 1})
    assert route.call_count == 2


async def test_raw_calls_are_held_back_too(client: EspoClient, crm: Crm) -> None:
    route = crm.on("GET", "Settings").respond(401)
    for _ in range(3):
        with pytest.raises(LoginRejected):
            await client.request("GET", "Settings")
    assert route.call_count == 1


async def test_raw_call_passes_any_status_on(client: EspoClient, crm: Crm) -> None:
    crm.on("POST", "CBeteiligte/action/x").respond(404, headers={"X-Status-Reason": "Action does not exist."})
    answer = await client.request("POST", "CBeteiligte/action/x", json={})
    assert (answer.status, answer.body) == (404, None)


async def test_admin_logs_in_with_name_and_password(
    settings: EspoCrmSettings, http: httpx.AsyncClient, clock: ManualClock, crm: Crm
) -> None:
    admin = EspoClient(settings, login=basic_login("admin", "geheim"), http=http, clock=clock)
    route = crm.on("POST", "EntityManager/action/createEntity").respond(json={"name": "CAdressen"})
    answer = await admin.call("POST", "EntityManager/action/createEntity", body={"name": "Adressen"})
    assert answer == {"name": "CAdressen"}
    headers = route.calls.last.request.headers
    assert headers["Authorization"] == "Basic YWRtaW46Z2VoZWlt"
    assert "X-Api-Key" not in headers


async def test_nothing_secret_in_logs_and_errors(
    client: EspoClient, crm: Crm, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    crm.on("POST", "CBeteiligte").mock(side_effect=httpx.ReadTimeout("x"))
    with pytest.raises(OutcomeUnknown) as failure:
        await client.create("CBeteiligte", {"lastName": "Vertraulich"})
    told = caplog.text + str(failure.value) + repr(failure.value)
    assert "Vertraulich" not in told
    assert "schluessel-geheim" not in told


async def test_callers_share_their_patience_with_a_silent_crm(client: EspoClient, crm: Crm, clock: ManualClock) -> None:
    route = crm.on("GET", "CBeteiligte/.*").mock(side_effect=httpx.ReadTimeout("x"))
    failures = await asyncio.gather(
        *(client.read("CBeteiligte", f"{number:017x}") for number in range(100)), return_exceptions=True
    )
    assert {type(failure) for failure in failures} == {Transient}
    assert route.call_count < 20
    route.mock(side_effect=None, return_value=httpx.Response(200, json={"id": ID}))
    clock.advance(timedelta(seconds=6))
    assert await client.read("CBeteiligte", ID) is not None
