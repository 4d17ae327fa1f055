"""A fake office at the edge (respx), a clock that stands still, and waits that do not wait."""

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
from vmh_sync.settings import AdvowareSettings
from vmh_sync.systems.advoware.client import AdvowareClient
from vmh_sync.systems.advoware.token import MemoryTokenCache, TokenSource
from vmh_sync.systems.retry import RetryPolicy

NOW = datetime(2026, 3, 1, 9, 15, tzinfo=UTC)
API = "https://relay.test:90/api/v1/advonet/"
TOKEN = "https://security.test/api/v1/Token"
DISCOVERY = "https://configurator.test/api/Url"


@dataclass
class Office:
    """Where the fake office answers; a token request gives token-1, token-2, …"""

    router: respx.MockRouter
    discovery: respx.Route
    token: respx.Route
    issued: int = 0

    def issue(self, request: httpx.Request) -> httpx.Response:
        self.issued += 1
        return httpx.Response(200, json={"access_token": f"token-{self.issued}", "expires_in": 3600})

    def on(self, method: str, path: str) -> respx.Route:
        return self.router.route(method=method, url__startswith=API + path)


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

    def to(self, route: str) -> list[dict[str, Any]]:
        return [call for call in self.seen if call["route"] == route]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def settings() -> AdvowareSettings:
    return AdvowareSettings(
        _env_file=None,
        kanzlei="Müller & Partner",
        database="kanzlei",
        user="schnittstelle",
        password="geheim-passwort",
        app_id="demo-app",
        api_key="AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==",
        configurator_url="https://configurator.test/api",
        write_protection=False,
    )


@pytest.fixture
def office() -> Iterator[Office]:
    with respx.mock(assert_all_called=False) as router:
        discovery = router.get(url__startswith=DISCOVERY).respond(
            json={
                "relayUrl": "https://relay.test:90/",
                "connectorUrl": None,
                "securityGateway": "https://security.test/",
            }
        )
        office = Office(router, discovery, router.post(TOKEN))
        office.token.mock(side_effect=office.issue)
        yield office


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
async def http(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    # Loading the certificate authorities is most of what a client costs, and nothing is sent here.
    async with httpx.AsyncClient(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)) as client:
        yield client


@pytest.fixture
def cache() -> MemoryTokenCache:
    return MemoryTokenCache()


@pytest.fixture
def tokens(
    settings: AdvowareSettings, http: httpx.AsyncClient, cache: MemoryTokenCache, clock: ManualClock, calls: Calls
) -> TokenSource:
    return TokenSource(settings, http=http, cache=cache, clock=clock, observer=calls)


@pytest.fixture
def client(
    settings: AdvowareSettings,
    http: httpx.AsyncClient,
    tokens: TokenSource,
    clock: ManualClock,
    waits: Waits,
    calls: Calls,
) -> AdvowareClient:
    return AdvowareClient(
        settings,
        tokens=tokens,
        http=http,
        clock=clock,
        observer=calls,
        retry=RetryPolicy(sleep=waits.sleep, random=Random(1)),
    )
