"""Which answer means which error, and what may be repeated (advoware-wire.md 4)."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from vmh_sync.clock import ManualClock
from vmh_sync.systems.advoware import errors
from vmh_sync.systems.advoware.client import AdvowareClient
from vmh_sync.systems.advoware.errors import (
    AdvowareError,
    BadConfiguration,
    ConnectorOffline,
    LoginFailed,
    NotFound,
    NotOffered,
    OutcomeUnknown,
    Rejected,
    Transient,
    UnexpectedAnswer,
)
from vmh_sync.systems.advoware.records import Beteiligter
from vmh_sync_tests.unit.advoware.conftest import Calls, Office, Waits

PARTY = Beteiligter.model_validate({"betNr": 7, "name": "Alt"})


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_reads_are_repeated_with_growing_waits(
    client: AdvowareClient, office: Office, waits: Waits, calls: Calls, status: int
) -> None:
    route = office.on("GET", "Beteiligte/7")
    route.side_effect = [httpx.Response(status), httpx.Response(status), httpx.Response(200, json={"betNr": 7})]
    party = await client.read_beteiligter(7)
    assert party is not None and party.bet_nr == 7
    assert len(waits.seconds) == 2
    assert 0.5 <= waits.seconds[0] <= 1.0
    assert 1.0 <= waits.seconds[1] <= 1.5
    assert [call["retry"] for call in calls.to("Beteiligte/{betnr}")] == [False, True, True]


async def test_reads_give_up(client: AdvowareClient, office: Office) -> None:
    route = office.on("GET", "Beteiligte/7").respond(503)
    with pytest.raises(Transient) as failure:
        await client.read_beteiligter(7)
    assert failure.value.status == 503
    assert failure.value.retryable
    assert route.call_count == 4


async def test_retry_after_is_honoured(client: AdvowareClient, office: Office, waits: Waits) -> None:
    route = office.on("GET", "Beteiligte/7")
    route.side_effect = [
        httpx.Response(429, headers={"Retry-After": "9"}),
        httpx.Response(503, headers={"Retry-After": "Sun, 01 Mar 2026 09:15:11 GMT"}),
        httpx.Response(200, json={"betNr": 7}),
    ]
    await client.read_beteiligter(7)
    assert 9.0 <= waits.seconds[0] <= 9.5
    assert 11.0 <= waits.seconds[1] <= 11.5


async def test_too_long_a_retry_after_is_handed_to_the_caller(
    client: AdvowareClient, office: Office, waits: Waits
) -> None:
    office.on("GET", "Beteiligte/7").respond(503, headers={"Retry-After": "120"})
    with pytest.raises(Transient) as failure:
        await client.read_beteiligter(7)
    assert failure.value.retry_after == 120
    assert waits.seconds == []


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.ReadError])
async def test_reads_survive_broken_connections(client: AdvowareClient, office: Office, error: Any) -> None:
    route = office.on("GET", "Beteiligte/7")
    route.side_effect = [error("x"), httpx.Response(200, json={"betNr": 7})]
    party = await client.read_beteiligter(7)
    assert party is not None and party.bet_nr == 7


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
async def test_a_write_is_never_repeated_when_it_may_have_been_done(
    client: AdvowareClient, office: Office, status: int
) -> None:
    route = office.on("POST", "Beteiligte").respond(status, headers={"Retry-After": "1"})
    with pytest.raises(OutcomeUnknown) as failure:
        await client.create_beteiligter({"name": "Neu"})
    assert failure.value.retryable
    assert route.call_count == 1


@pytest.mark.parametrize(
    "error", [httpx.ReadTimeout, httpx.WriteTimeout, httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError]
)
async def test_a_write_whose_connection_broke_is_not_repeated(
    client: AdvowareClient, office: Office, error: Any
) -> None:
    route = office.on("PUT", "Beteiligte/7").mock(side_effect=error("x"))
    with pytest.raises(OutcomeUnknown):
        await client.replace_beteiligter(PARTY, {"name": "Neu"})
    assert route.call_count == 1


@pytest.mark.parametrize(
    "refusal", [httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.Response(425), httpx.Response(429)]
)
async def test_a_write_that_was_not_begun_is_repeated(client: AdvowareClient, office: Office, refusal: Any) -> None:
    route = office.on("POST", "Beteiligte")
    route.side_effect = [refusal, httpx.Response(200, json={"betNr": 8})]
    assert (await client.create_beteiligter({"name": "Neu"})).key == 8
    assert route.call_count == 2


async def test_a_write_is_repeated_once_after_a_401(client: AdvowareClient, office: Office) -> None:
    route = office.on("POST", "Beteiligte")
    route.side_effect = [httpx.Response(401), httpx.Response(200, json=8)]
    assert (await client.create_beteiligter({"name": "Neu"})).key == 8
    assert office.issued == 2


@pytest.mark.parametrize(
    ("status", "error"), [(400, Rejected), (422, Rejected), (403, NotOffered), (404, NotFound), (302, UnexpectedAnswer)]
)
async def test_statuses_that_no_retry_mends(
    client: AdvowareClient, office: Office, waits: Waits, status: int, error: Any
) -> None:
    route = office.on("PUT", "Beteiligte/7").respond(status, json={"message": "Vertraulicher Name"})
    with pytest.raises(error) as failure:
        await client.replace_beteiligter(PARTY, {"name": "Neu"})
    assert route.call_count == 1
    assert waits.seconds == []
    assert "Vertraulicher" not in str(failure.value) + failure.value.message_for_people


async def test_an_html_404_says_nothing_about_the_record(client: AdvowareClient, office: Office) -> None:
    office.on("GET", "Beteiligte/7").respond(404, html="<h1>Not Found</h1>")
    with pytest.raises(UnexpectedAnswer):
        await client.read_beteiligter(7)


@pytest.mark.parametrize("status", [200, 400, 404, 500, 503])
async def test_offline_office_opens_the_circuit(
    client: AdvowareClient, office: Office, clock: ManualClock, status: int
) -> None:
    route = office.on("GET", "Beteiligte/").respond(status, text="Der Server ist nicht angemeldet.")
    for number in range(1, 11):
        with pytest.raises(ConnectorOffline) as failure:
            await client.read_beteiligter(number)
        assert failure.value.retry_after
        assert failure.value.retry_after <= 60
    assert route.call_count == 1
    with pytest.raises(ConnectorOffline):
        await client.create_beteiligter({"name": "Neu"})
    route.respond(json={"betNr": 7})
    clock.advance(timedelta(seconds=61))
    party = await client.read_beteiligter(7)
    assert party is not None and party.bet_nr == 7


async def test_an_office_offline_for_years_is_asked_again_after_minutes(
    client: AdvowareClient, office: Office, clock: ManualClock
) -> None:
    route = office.on("GET", "Beteiligte/7")
    route.respond(503, text="Der Server ist nicht angemeldet.", headers={"Retry-After": "99999999999"})
    with pytest.raises(ConnectorOffline) as failure:
        await client.read_beteiligter(7)
    assert failure.value.retry_after == 600
    route.respond(json={"betNr": 7})
    clock.advance(timedelta(seconds=601))
    party = await client.read_beteiligter(7)
    assert party is not None and party.bet_nr == 7


async def test_callers_share_their_patience_with_a_silent_office(
    client: AdvowareClient, office: Office, clock: ManualClock, tokens: Any
) -> None:
    await tokens.current()
    route = office.on("GET", "Beteiligte/").mock(side_effect=httpx.ConnectError("x"))
    failures = await asyncio.gather(
        *(client.read_beteiligter(number) for number in range(1, 101)), return_exceptions=True
    )
    assert {type(failure) for failure in failures} == {Transient}
    assert route.call_count < 100
    route.mock(side_effect=None, return_value=httpx.Response(200, json={"betNr": 7}))
    clock.advance(timedelta(seconds=6))
    party = await client.read_beteiligter(7)
    assert party is not None and party.bet_nr == 7


async def test_silence_about_single_records_holds_nobody_back(client: AdvowareClient, office: Office) -> None:
    office.on("GET", "Beteiligte/1").mock(side_effect=httpx.ReadTimeout("x"))
    office.on("GET", "Beteiligte/2").respond(json={"betNr": 2})
    for _ in range(5):
        with pytest.raises(Transient):
            await client.read_beteiligter(1)
        party = await client.read_beteiligter(2)
    assert party is not None and party.bet_nr == 2


async def test_texts_count_only_in_error_bodies(client: AdvowareClient, office: Office) -> None:
    remark = "Der Mandant ist nicht registriert, Anschluss freigeschaltet"
    office.on("GET", "Beteiligte/7").respond(json={"betNr": 7, "bemerkung": remark})
    party = await client.read_beteiligter(7)
    assert party is not None and party.bemerkung == remark


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("App-ID nicht freigeschaltet", BadConfiguration),
        ("Falscher Name oder falsches Kennwort", LoginFailed),
        ("Benutzer / Kennwort ungültig", LoginFailed),
    ],
)
async def test_texts_decide_before_the_status(client: AdvowareClient, office: Office, text: str, error: Any) -> None:
    office.on("GET", "Beteiligte/7").respond(500, json={"Message": text})
    with pytest.raises(error):
        await client.read_beteiligter(7)


def test_every_error_speaks_german_in_sentences() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, AdvowareError)]
    assert len(kinds) > 10
    for kind in kinds:
        text = kind("detail").message_for_people
        assert text.endswith((".", ")."))
        assert text[0].isupper()
        assert "detail" not in text
