"""A fake CRM at the edge (respx), a clock that stands still, and waits that do not wait."""

import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

import httpx
import pytest
import respx

from vmh_sync.clock import ManualClock
from vmh_sync.settings import EspoCrmSettings
from vmh_sync.systems.espocrm.client import EspoClient
from vmh_sync.systems.retry import RetryPolicy

API = "http://crm.test/api/v1/"


@dataclass
class Crm:
    """Where the fake CRM answers."""

    router: respx.MockRouter

    def on(self, method: str, path: str) -> respx.Route:
        return self.router.route(method=method, url__regex=rf"^{API}{path}(\?|$)")


@dataclass
class Waits:
    """The waits of the retry policy, taken down instead of waited."""

    seconds: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)


@dataclass
class Calls:
    """What the observer was told."""

    seen: list[dict[str, Any]] = field(default_factory=list)

    def observe(self, **call: Any) -> None:
        self.seen.append(call)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 3, 1, 9, 15, tzinfo=UTC))


@pytest.fixture
def settings() -> EspoCrmSettings:
    return EspoCrmSettings(_env_file=None, api_base_url="http://crm.test/api/v1/", api_key="schluessel-geheim")


@pytest.fixture
def crm() -> Iterator[Crm]:
    with respx.mock(assert_all_called=False) as router:
        yield Crm(router)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
async def http(crm: Crm) -> AsyncIterator[httpx.AsyncClient]:
    # Loading the certificate authorities is most of what a client costs, and nothing is sent here.
    async with httpx.AsyncClient(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)) as client:
        yield client


@pytest.fixture
def client(
    settings: EspoCrmSettings, http: httpx.AsyncClient, clock: ManualClock, waits: Waits, calls: Calls
) -> EspoClient:
    return EspoClient(
        settings, http=http, clock=clock, observer=calls, retry=RetryPolicy(sleep=waits.sleep, random=Random(1))
    )
