"""A refused login over all processes: real Valkey, a CRM that locks the address after eleven bad logins a minute."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from vmh_sync.clock import ManualClock
from vmh_sync.coordination.circuits import SharedCircuits
from vmh_sync.coordination.connection import connect
from vmh_sync.sandbox.control import ControlledApp
from vmh_sync.sandbox.crm import CrmConfig, CrmHooks, WebhookConfig, create_crm_app
from vmh_sync.sandbox.serving import LoopbackServer
from vmh_sync.settings import EspoCrmSettings
from vmh_sync.systems import errors
from vmh_sync.systems.espocrm.auth import key_login
from vmh_sync.systems.espocrm.client import EspoClient, open_espocrm


class Firm:
    """Some processes of one firm: each with its own client, connection to Valkey and circuits."""

    def __init__(self, url: str, api_key: str, clock: ManualClock, redis_url: str) -> None:
        self.url, self.api_key, self.clock, self.redis_url = url, api_key, clock, redis_url
        self.statuses: list[int | None] = []

    def observe(self, *, status: int | None, **_: Any) -> None:
        self.statuses.append(status)

    async def process(self, stack: AsyncExitStack, api_key: str) -> EspoClient:
        redis = connect(self.redis_url)
        stack.push_async_callback(redis.aclose)
        settings = EspoCrmSettings(
            _env_file=None, api_base_url=f"{self.url}/api/v1", api_key=api_key, api_timeout_seconds=5
        )
        opened = open_espocrm(settings, clock=self.clock, observer=self, circuits=SharedCircuits(redis))
        return await stack.enter_async_context(opened)


@pytest.fixture
async def firm(redis_url: str) -> AsyncIterator[Firm]:
    clock = ManualClock(datetime(2026, 3, 2, 8, 0, tzinfo=UTC))
    app = create_crm_app(CrmConfig(clock=clock, webhooks=WebhookConfig(interval=0)))
    controlled = ControlledApp(app, name="espocrm", hooks=CrmHooks(app), prefix="/api/v1/", clock=clock)
    async with LoopbackServer(controlled) as server, httpx.AsyncClient(base_url=server.url) as control:
        answer = await control.post("/_sandbox/do/credentials")
        yield Firm(server.url, answer.json()["api_key"], clock, redis_url)


async def ask(client: EspoClient) -> str:
    """One poll, as a sensor makes it every few seconds; returns what came of it."""
    try:
        await client.list_page("CBeteiligte", page_size=1)
    except errors.ForeignSystemError as error:
        return type(error).__name__
    return "ok"


async def test_an_hour_of_a_bad_key_costs_a_handful_of_logins_and_never_locks_the_address(firm: Firm) -> None:
    async with AsyncExitStack() as stack:
        processes = [await firm.process(stack, "falsch") for _ in range(5)]
        for _ in range(720):  # every five seconds
            ends = await asyncio.gather(*(ask(process) for process in processes))
            assert set(ends) == {"LoginRejected"}
            firm.clock.advance(timedelta(seconds=5))
        assert set(firm.statuses) == {401}, "the address was never locked out"
        assert 2 <= len(firm.statuses) <= 6

        good = [await firm.process(stack, firm.api_key) for _ in range(5)]
        ends = await asyncio.gather(*(ask(process) for process in good))
        assert set(ends) == {"ok"}, "a changed key starts anew, at once"


async def test_the_same_key_made_good_again_is_found_by_itself_within_the_pause(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AsyncExitStack() as stack:
        processes = [await firm.process(stack, firm.api_key) for _ in range(4)]
        assert {await ask(process) for process in processes} == {"ok"}
        for process in processes:
            monkeypatch.setattr(process._connection, "_login", key_login("zurueckgezogen"))
        for _ in range(60):
            assert set(await asyncio.gather(*(ask(process) for process in processes))) == {"LoginRejected"}
            firm.clock.advance(timedelta(seconds=5))
        monkeypatch.undo()
        assert firm.statuses.count(401) <= 8
        ends: list[str] = []
        for _ in range(180):
            ends = list(await asyncio.gather(*(ask(process) for process in processes)))
            if set(ends) == {"ok"}:
                break
            firm.clock.advance(timedelta(seconds=5))
        assert set(ends) == {"ok"}


async def test_new_processes_with_an_unknown_login_try_it_one_at_a_time(firm: Firm) -> None:
    async with AsyncExitStack() as stack:
        processes = [await firm.process(stack, "falsch") for _ in range(12)]
        await asyncio.gather(*(ask(process) for process in processes for _ in range(5)))
        assert firm.statuses == [401]


async def test_without_redis_a_process_holds_back_by_itself(firm: Firm) -> None:
    firm.redis_url = "redis://127.0.0.1:1/0"
    async with AsyncExitStack() as stack:
        process = await firm.process(stack, "falsch")
        for _ in range(12):
            assert await ask(process) == "LoginRejected"
            firm.clock.advance(timedelta(seconds=4))
        assert firm.statuses == [401]
        assert await ask(await firm.process(stack, firm.api_key)) == "ok"
