"""Discovery, signature, and one token for all callers (advoware-wire.md 1 and 2)."""

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from vmh_sync.clock import ManualClock
from vmh_sync.settings import AdvowareSettings
from vmh_sync.systems.advoware.client import AdvowareClient
from vmh_sync.systems.advoware.errors import (
    BadConfiguration,
    ConnectorOffline,
    LoginFailed,
    Transient,
    UnexpectedAnswer,
)
from vmh_sync.systems.advoware.token import MemoryTokenCache, StoredToken, TokenSource, sign, timestamp_of
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync_tests.unit.advoware.conftest import Office, Waits

API = "https://relay.test:90/api/v1/advonet/"
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="


def test_signature_vector() -> None:
    signature = sign(
        KEY,
        product=64,
        app_id="demo-app",
        nonce="0f8fad5b-d9cb-469f-a165-70867728950e",
        timestamp="2026-03-01T09:15:00.000Z",
    )
    assert signature == "l7MJnrfzC/9XJN5M66XdaYd7eMlUJJH5EsWHxE34zIMn7jNDr48T6OnBjdzY95AvZgVlbAHcH043ipCXz+5m5g=="


def test_timestamp_is_utc_with_milliseconds() -> None:
    moment = datetime.fromisoformat("2026-03-01T10:15:00.1234+01:00")
    assert timestamp_of(moment) == "2026-03-01T09:15:00.123Z"


def test_unusable_api_key_is_a_configuration_error() -> None:
    with pytest.raises(BadConfiguration) as failure:
        sign("not base64!", product=64, app_id="a", nonce="n", timestamp="t")
    assert "not base64!" not in str(failure.value)


async def test_request_is_complete_and_signed(tokens: TokenSource, office: Office) -> None:
    await tokens.current()
    body = json.loads(office.token.calls.last.request.content)
    message = f"{body['Product']}:{body['AppID']}:{body['Nonce']}:{body['RequestTimeStamp']}"
    expected = base64.b64encode(hmac.new(base64.b64decode(KEY), message.encode(), hashlib.sha512).digest())
    assert body.pop("HMAC512Signature") == expected.decode()
    assert uuid.UUID(body.pop("Nonce")).version == 4
    assert body == {
        "AppID": "demo-app",
        "Kanzlei": "Müller & Partner",
        "Database": "kanzlei",
        "User": "schnittstelle",
        "Role": 2,
        "Product": 64,
        "Password": "geheim-passwort",
        "RequestTimeStamp": "2026-03-01T09:15:00.000Z",
    }


async def test_kanzlei_is_url_encoded_and_arrives_whole(tokens: TokenSource, office: Office) -> None:
    await tokens.current()
    url = office.discovery.calls.last.request.url
    assert b"&" not in url.query
    assert url.params["Kanzlei"] == "Müller & Partner"


@pytest.mark.parametrize(
    ("connector", "expected"),
    [(None, "https://relay.test:90/"), ("https://connector.test/", "https://connector.test/")],
)
async def test_connector_wins_over_relay(
    tokens: TokenSource, office: Office, connector: str | None, expected: str
) -> None:
    office.discovery.respond(
        json={
            "relayUrl": "https://relay.test:90/",
            "connectorUrl": connector,
            "securityGateway": "https://security.test/",
        }
    )
    assert (await tokens.current()).api_base == expected


async def test_settings_replace_discovery(
    settings: AdvowareSettings, http: httpx.AsyncClient, clock: ManualClock, office: Office
) -> None:
    fixed = settings.model_copy(
        update={"api_base_url": "https://fixed.test/", "security_gateway_url": "https://security.test"}
    )
    source = TokenSource(fixed, http=http, cache=MemoryTokenCache(), clock=clock)
    assert (await source.current()).api_base == "https://fixed.test/"
    assert not office.discovery.called


@pytest.mark.parametrize(
    ("answer", "usable_seconds"),
    [
        ({"expiration_utc": "2026-03-01T10:15:00Z", "expires_in": 99999}, 3540),
        ({"expiration_utc": "2026-03-01T10:15:00"}, 3540),
        ({"expiration_utc": None, "expires_in": 3600}, 3540),
        ({"expiration_utc": "soon", "expires_in": 100}, 90),
        ({"expiration_utc": "0001-01-01T00:00:00+14:00", "expires_in": 3600}, 3540),
        ({"expires_in": 10**19}, 30 * 86_400 - 60),
    ],
)
async def test_expiry_less_a_margin(
    tokens: TokenSource, office: Office, clock: ManualClock, answer: Any, usable_seconds: Any
) -> None:
    office.token.respond(json={"access_token": "t", **answer})
    assert (await tokens.current()).expires_at == clock.now() + timedelta(seconds=usable_seconds)


async def test_expired_token_is_replaced(tokens: TokenSource, office: Office, clock: ManualClock) -> None:
    first = await tokens.current()
    assert await tokens.current() is first
    clock.advance(timedelta(hours=1))
    assert (await tokens.current()).access_token == "token-2"


async def test_one_token_request_for_many_401s(client: AdvowareClient, office: Office) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.headers["Authorization"] == "Bearer token-1":
            return httpx.Response(401)
        return httpx.Response(200, json={"betNr": int(request.url.path.rsplit("/", 1)[1])})

    office.on("GET", "Beteiligte/").mock(side_effect=answer)
    parties = await asyncio.gather(*(client.read_beteiligter(number) for number in range(1, 31)))
    assert [party.bet_nr for party in parties if party] == list(range(1, 31))
    assert office.issued == 2


async def test_processes_that_share_a_cache_share_the_token(
    settings: AdvowareSettings, http: httpx.AsyncClient, cache: MemoryTokenCache, clock: ManualClock, office: Office
) -> None:
    one, other = (TokenSource(settings, http=http, cache=cache, clock=clock) for _ in range(2))
    first = await one.current()
    assert await other.current() == first
    renewed = await asyncio.gather(one.renew(first), other.renew(first))
    assert [token.access_token for token in renewed] == ["token-2", "token-2"]
    assert office.issued == 2


async def test_a_late_401_uses_the_token_that_is_there(
    settings: AdvowareSettings, http: httpx.AsyncClient, clock: ManualClock, office: Office
) -> None:
    class CountingCache(MemoryTokenCache):
        refreshes = 0

        async def refresh(self, stale: Any, fetch: Any) -> StoredToken:
            self.refreshes += 1
            return await super().refresh(stale, fetch)

    cache = CountingCache()
    source = TokenSource(settings, http=http, cache=cache, clock=clock)
    first = await source.current()
    second = await source.renew(first)
    assert await source.renew(first) == second
    assert (office.issued, cache.refreshes) == (2, 2)


async def test_a_cancelled_caller_does_not_take_the_token_from_the_others(tokens: TokenSource, office: Office) -> None:
    gate = asyncio.Event()

    async def slow(request: httpx.Request) -> httpx.Response:
        await gate.wait()
        return office.issue(request)

    office.token.mock(side_effect=slow)
    first, second = asyncio.create_task(tokens.current()), asyncio.create_task(tokens.current())
    await asyncio.sleep(0)
    first.cancel()
    gate.set()
    assert (await second).access_token == "token-1"


@pytest.mark.parametrize(
    ("status", "text", "error"),
    [
        (400, "Falscher Name oder falsches Kennwort", LoginFailed),
        (200, "Falscher Name oder falsches Kennwort", LoginFailed),
        (500, "Benutzer / Kennwort ung\u00fcltig", LoginFailed),
        (200, "Benutzer / Kennwort ung\ufffdltig", LoginFailed),
        (401, "", LoginFailed),
        (403, "Diese AppID ist nicht freigeschaltet", BadConfiguration),
    ],
)
async def test_refused_login_is_not_hammered(
    client: AdvowareClient, office: Office, clock: ManualClock, status: int, text: str, error: type[Exception]
) -> None:
    office.token.respond(status, text=text)
    for _ in range(20):
        with pytest.raises(error) as failure:
            await client.read_beteiligter(1)
        assert isinstance(failure.value, ForeignSystemError)
        assert not failure.value.retryable and failure.value.concerns_all
    assert office.token.call_count == 1
    clock.advance(timedelta(minutes=5, seconds=1))
    with pytest.raises(error):
        await client.read_beteiligter(1)
    assert office.token.call_count == 2


async def test_login_works_again_after_the_pause(client: AdvowareClient, office: Office, clock: ManualClock) -> None:
    office.token.respond(401)
    with pytest.raises(LoginFailed):
        await client.read_beteiligter(1)
    office.token.mock(side_effect=office.issue)
    office.on("GET", "Beteiligte/1").respond(json={"betNr": 1})
    clock.advance(timedelta(minutes=6))
    assert await client.read_beteiligter(1) is not None


async def test_tokens_refused_again_and_again_end_in_a_pause(client: AdvowareClient, office: Office) -> None:
    office.on("GET", "Beteiligte/").respond(401)
    for number in range(1, 20):
        with pytest.raises(LoginFailed):
            await client.read_beteiligter(number)
    assert office.issued <= 4


async def test_bad_login_in_a_401_asks_for_no_new_token(client: AdvowareClient, office: Office) -> None:
    office.on("GET", "Beteiligte/1").respond(401, text="Falscher Name oder falsches Kennwort")
    with pytest.raises(LoginFailed):
        await client.read_beteiligter(1)
    assert office.issued == 1


async def test_unknown_kanzlei(tokens: TokenSource, office: Office) -> None:
    office.discovery.respond(500, text="Die Kanzlei ist nicht registriert")
    with pytest.raises(ConnectorOffline):
        await tokens.current()


@pytest.mark.parametrize("answer", [{}, {"relayUrl": "https://r/"}, {"relayUrl": 1, "securityGateway": "https://s/"}])
async def test_discovery_without_addresses(tokens: TokenSource, office: Office, answer: Any) -> None:
    office.discovery.respond(json=answer)
    with pytest.raises(UnexpectedAnswer) as failure:
        await tokens.current()
    assert failure.value.problems


@pytest.mark.parametrize("answer", [{"access_token": None}, [], {"access_token": "t"}])
async def test_token_answer_that_is_none(tokens: TokenSource, office: Office, answer: Any) -> None:
    office.token.respond(json=answer)
    with pytest.raises(UnexpectedAnswer):
        await tokens.current()


async def test_token_service_down_is_transient_and_asked_once_per_attempt(
    client: AdvowareClient, office: Office, waits: Waits
) -> None:
    office.token.respond(503)
    with pytest.raises(Transient):
        await client.read_beteiligter(1)
    assert office.token.call_count == 4
    assert len(waits.seconds) == 3


async def test_failed_token_request_is_shared_by_its_callers(tokens: TokenSource, office: Office) -> None:
    office.token.respond(503)
    failures = await asyncio.gather(*(tokens.current() for _ in range(10)), return_exceptions=True)
    assert {type(failure) for failure in failures} == {Transient}
    assert office.token.call_count == 1


def test_stored_token_hides_its_secret_and_round_trips() -> None:
    token = StoredToken("geheim", datetime(2026, 3, 1, tzinfo=UTC), "https://a/", "https://s/")
    assert "geheim" not in repr(token)
    assert "geheim" not in str(token)
    assert StoredToken.from_json(token.to_json()) == token


async def test_nothing_secret_in_logs_and_errors(
    client: AdvowareClient, office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    office.on("GET", "Beteiligte").respond(401)
    with pytest.raises(LoginFailed) as failure:
        await client.search_beteiligte("Vertraulicher Name")
    told = caplog.text + str(failure.value) + repr(failure.value)
    for secret in ("token-1", "token-2", "geheim-passwort", "Vertraulicher", KEY):
        assert secret not in told


async def test_an_api_that_refuses_every_new_token_is_left_alone_for_longer_each_time_until_it_accepts_one(
    client: AdvowareClient, office: Office, clock: ManualClock
) -> None:
    read = office.on("GET", "Mitarbeiter")
    read.respond(401)

    async def refused() -> float:
        with pytest.raises(LoginFailed) as failed:
            await client.list_mitarbeiter()
        return float(failed.value.retry_after or 0)

    async def pause() -> float:
        # A call gives up after one new token; what was tried in vain before counts on.
        for _ in range(10):
            seconds = await refused()
            if seconds:
                clock.advance(timedelta(seconds=seconds + 1))
                return seconds
        raise AssertionError("it is asked again and again")

    assert [await pause() for _ in range(3)] == [60, 120, 300]
    read.respond(200, json=[])
    await client.list_mitarbeiter()
    read.respond(401)
    assert await pause() == 60, "a token that was accepted ends the row"


@pytest.mark.parametrize("answer", [{"status_code": 503}, {"status_code": 200, "json": {}}])
async def test_while_discovery_is_down_the_last_known_addresses_are_used(
    tokens: TokenSource, office: Office, clock: ManualClock, answer: Any
) -> None:
    first = await tokens.current()
    clock.advance(timedelta(hours=2))
    office.discovery.respond(**answer)
    second = await tokens.current()
    assert second.access_token != first.access_token
    assert (second.api_base, second.security_gateway) == (first.api_base, first.security_gateway)
    assert office.discovery.call_count == 2, "asked each time, so that a move is noticed"
