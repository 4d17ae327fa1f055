"""The typed calls: shapes of answers, bodies of writes, keys that do not match (advoware-wire.md 3)."""

import asyncio
import json
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
import respx

from vmh_sync.settings import AdvowareSettings
from vmh_sync.systems.advoware.client import AdvowareClient
from vmh_sync.systems.advoware.errors import (
    CapabilityMissing,
    NotFound,
    OutcomeUnknown,
    UnexpectedAnswer,
    WriteProtected,
)
from vmh_sync.systems.advoware.records import Beteiligter, Kommunikation, Termin
from vmh_sync.systems.advoware.token import TokenSource
from vmh_sync.systems.spoilt_row import SpoiltRow
from vmh_sync_tests.unit.advoware.conftest import Office

PARTY_JSON = {
    "betNr": 7,
    "rowId": "A" * 40,
    "name": "Huber",
    "neuesFeld": {"tief": [1, 2]},
    "kommunikation": [{"id": 1, "tlf": "0511/123", "kommKz": 0}],
    "adressen": [],
    "bankverbindungen": [],
}


def sent(route: respx.Route) -> dict[str, Any]:
    return json.loads(route.calls.last.request.content)


@pytest.mark.parametrize("answer", [PARTY_JSON, [PARTY_JSON]])
async def test_read_accepts_object_and_list_of_one(client: AdvowareClient, office: Office, answer: Any) -> None:
    office.on("GET", "Beteiligte/7").respond(json=answer)
    party = await client.read_beteiligter(7)
    assert party is not None
    assert party.raw == PARTY_JSON
    assert party.kommunikation[0].tlf == "0511/123"


async def test_read_of_a_gone_party_is_none(client: AdvowareClient, office: Office) -> None:
    office.on("GET", "Beteiligte/7").respond(404, text="Beteiligter nicht gefunden")
    assert await client.read_beteiligter(7) is None


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{}", b'"x"', b'{"betNr": 7, "na', b'[{"betNr":7},{"betNr":8}]']
)
async def test_a_broken_or_empty_read_is_never_a_deletion(client: AdvowareClient, office: Office, body: Any) -> None:
    office.on("GET", "Beteiligte/7").respond(200, content=body)
    with pytest.raises(UnexpectedAnswer):
        await client.read_beteiligter(7)


async def test_an_answer_about_another_party_is_refused(client: AdvowareClient, office: Office) -> None:
    office.on("GET", "Beteiligte/7").respond(json={**PARTY_JSON, "betNr": 8})
    with pytest.raises(UnexpectedAnswer):
        await client.read_beteiligter(7)


async def test_unexpected_kinds_name_the_field_and_no_value(client: AdvowareClient, office: Office) -> None:
    broken = {**PARTY_JSON, "name": {"Vertraulich": 1}, "kommunikation": [{"id": "geheime-nummer"}]}
    office.on("GET", "Beteiligte/7").respond(json=broken)
    with pytest.raises(UnexpectedAnswer) as failure:
        await client.read_beteiligter(7)
    assert set(failure.value.problems) == {"name (string_type)"}
    assert "Vertraulich" not in str(failure.value)


async def test_an_entry_of_an_unexpected_kind_spoils_neither_the_party_nor_the_other_entries(
    client: AdvowareClient, office: Office
) -> None:
    entries = [{"id": "geheime-nummer"}, {"id": 3, "tlf": {"x": 1}}, {"id": 4, "tlf": "0511 1"}]
    office.on("GET", "Beteiligte/7").respond(json={**PARTY_JSON, "kommunikation": entries, "adressen": {"x": 1}})
    party = await client.read_beteiligter(7)
    assert party is not None
    assert [entry.id for entry in party.kommunikation] == [4]
    spoilt = party.spoilt["kommunikation"]
    assert [row.number("id") for row in spoilt] == [None, 3]
    assert [row.error.problems for row in spoilt] == [("id (int_parsing)",), ("tlf (string_type)",)]
    assert "geheime-nummer" not in "".join(str(row.error) for row in spoilt)
    assert (party.kommunikation_told, party.adressen) == (True, None)


@pytest.mark.parametrize("status", [404, 405, 400])
async def test_search_that_is_missing(client: AdvowareClient, office: Office, status: int) -> None:
    office.on("GET", "Beteiligte").respond(status)
    with pytest.raises(CapabilityMissing):
        await client.search_beteiligte("Huber")


async def test_search_sends_the_text_and_reads_a_list(client: AdvowareClient, office: Office) -> None:
    route = office.on("GET", "Beteiligte").respond(json=[PARTY_JSON, {"betNr": 8}])
    found = await client.search_beteiligte("Huber & Söhne")
    assert [party.bet_nr for party in found] == [7, 8]
    assert found[1].adressen is None
    assert route.calls.last.request.url.params["search"] == "Huber & Söhne"


@pytest.mark.parametrize("body", [b"", b"null", b'{"list": []}'])
async def test_an_empty_search_answer_is_not_an_empty_list(client: AdvowareClient, office: Office, body: Any) -> None:
    office.on("GET", "Beteiligte").respond(200, content=body)
    with pytest.raises(UnexpectedAnswer):
        await client.search_beteiligte("Huber")


@pytest.mark.parametrize(
    ("answer", "whole"),
    [(PARTY_JSON, True), ([PARTY_JSON], True), ({"betNr": 7}, False), (7, False), ("7", False), ([7], False)],
)
async def test_create_accepts_every_form(client: AdvowareClient, office: Office, answer: Any, whole: bool) -> None:
    route = office.on("POST", "Beteiligte").respond(201, json=answer)
    created = await client.create_beteiligter({"name": "Huber", "b_anrede": "Sehr geehrter", "geburtsdatum": None})
    assert created.key == 7
    assert (created.record is not None) is whole
    assert sent(route) == {"name": "Huber", "bAnrede": "Sehr geehrter", "geburtsdatum": None}


@pytest.mark.parametrize("body", [b"", b"null", b"true", b"0", b"{}", b'{"betNr"', b"gespeichert"])
async def test_a_create_that_tells_no_key_is_an_unknown_outcome(
    client: AdvowareClient, office: Office, body: Any
) -> None:
    route = office.on("POST", "Beteiligte").respond(200, content=body)
    with pytest.raises(OutcomeUnknown):
        await client.create_beteiligter({"name": "Huber"})
    assert route.call_count == 1


async def test_replace_sends_everything_back_but_the_children(client: AdvowareClient, office: Office) -> None:
    route = office.on("PUT", "Beteiligte/7").respond(json=PARTY_JSON)
    current = Beteiligter.model_validate(PARTY_JSON)
    answer = await client.replace_beteiligter(current, {"name": "Maier", "geburtsdatum": date(1980, 5, 17)})
    assert sent(route) == {
        "betNr": 7,
        "rowId": "A" * 40,
        "name": "Maier",
        "neuesFeld": {"tief": [1, 2]},
        "geburtsdatum": "1980-05-17T00:00:00",
    }
    assert current.raw == PARTY_JSON
    assert answer is not None


@pytest.mark.parametrize("body", [b"", b"7", b"{}", b'{"betNr": 7}', b'{"betNr": 8, "rowId": "x"}'])
async def test_replace_without_the_record_in_the_answer_is_none(
    client: AdvowareClient, office: Office, body: Any
) -> None:
    office.on("PUT", "Beteiligte/7").respond(200, content=body)
    assert await client.replace_beteiligter(Beteiligter.model_validate(PARTY_JSON), {"name": "M"}) is None


async def test_an_answer_that_cannot_be_read_leaves_it_open_whether_it_was_written(
    client: AdvowareClient, office: Office
) -> None:
    office.on("PUT", "Beteiligte/7").respond(200, content=b'{"betNr')
    with pytest.raises(OutcomeUnknown):
        await client.replace_beteiligter(Beteiligter.model_validate(PARTY_JSON), {"name": "M"})


async def test_unknown_attribute_is_refused_before_anything_is_sent(client: AdvowareClient, office: Office) -> None:
    route = office.on("PUT", "Beteiligte/7")
    with pytest.raises(ValueError, match="nachnahme"):
        await client.replace_beteiligter(Beteiligter.model_validate(PARTY_JSON), {"nachnahme": "M"})
    assert not route.called


async def test_children_have_paths_of_their_own(client: AdvowareClient, office: Office) -> None:
    post = office.on("POST", "Beteiligte/7/Kommunikationen").respond(json={"id": 5})
    put = office.on("PUT", "Beteiligte/7/Kommunikationen/5").respond(204)
    created = await client.create_kommunikation(7, {"tlf": "0511/1", "komm_kz": 1, "bemerkung": "", "online": False})
    assert created.key == 5
    assert sent(post) == {"tlf": "0511/1", "kommKz": 1, "bemerkung": "", "online": False}
    entry = Kommunikation.model_validate({"id": 5, "tlf": "0511/1", "kommKz": 0, "fremd": "x"})
    assert await client.update_kommunikation(7, entry, {"tlf": "0511/2"}) is None
    assert sent(put) == {"id": 5, "tlf": "0511/2", "kommKz": 0, "fremd": "x"}


async def test_lists_of_children(client: AdvowareClient, office: Office) -> None:
    office.on("GET", "Beteiligte/7/Adressen").respond(json=[{"id": 1, "plz": 30159, "postfachPLZ": None}])
    office.on("GET", "Beteiligte/7/Bankverbindungen").respond(404)
    assert (await client.list_adressen(7))[0].plz == "30159"
    with pytest.raises(NotFound):
        await client.list_bankverbindungen(7)


async def test_termine_window_is_sent_as_local_time(client: AdvowareClient, office: Office) -> None:
    route = office.on("GET", "Termine").respond(json=[{"frNr": -3, "text": None, "privat": 1, "dauertermin": None}])
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
    termine = await client.list_termine("SB", start, end)
    assert dict(route.calls.last.request.url.params) == {
        "kuerzel": "SB",
        "from": "2026-01-01T01:00:00",
        "to": "2026-07-01T02:00:00",
    }
    assert termine[0].fr_nr == -3
    assert termine[0].privat is True


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"frNr": 4711, "text": "da"}, "da"),
        ([{"frNr": 4711, "text": "da"}], "da"),
        ([{"frNr": 1, "text": "fremd"}, {"frNr": 4711, "text": "da"}], "da"),
        ([], None),
    ],
)
async def test_read_termin_picks_its_number(client: AdvowareClient, office: Office, answer: Any, text: str) -> None:
    route = office.on("GET", "Termine").respond(json=answer)
    termin = await client.read_termin(4711)
    assert (termin.text if termin else None) == text
    assert str(route.calls.last.request.url).endswith("?frnr=4711")


async def test_read_termin_with_an_ignored_filter_is_no_deletion(client: AdvowareClient, office: Office) -> None:
    office.on("GET", "Termine").respond(json=[{"frNr": 1}, {"frNr": 2}])
    with pytest.raises(UnexpectedAnswer):
        await client.read_termin(4711)


async def test_termin_writes(client: AdvowareClient, office: Office) -> None:
    put = office.on("PUT", "Termine").respond(204)
    office.on("DELETE", "Termine").mock(side_effect=[httpx.Response(204), httpx.Response(404)])
    current = Termin.model_validate({"frNr": 4711, "text": "alt", "nr": "12/26", "unbekannt": 1})
    assert await client.replace_termin(current, {"text": "neu"}) is None
    assert sent(put) == {"frNr": 4711, "text": "neu", "nr": "12/26", "unbekannt": 1}
    assert await client.delete_termin(4711) is True
    assert await client.delete_termin(4711) is False


async def test_write_protection_stops_calendar_and_proxy_writes_only(
    settings: AdvowareSettings, tokens: TokenSource, http: httpx.AsyncClient, clock: Any, office: Office
) -> None:
    protected = AdvowareClient(
        settings.model_copy(update={"write_protection": True}), tokens=tokens, http=http, clock=clock
    )
    any_call = office.router.route(url__startswith="https://relay.test:90/").respond(json={"betNr": 7, "frNr": 1})
    termin = Termin.model_validate({"frNr": 1})
    for attempt in (
        protected.create_termin({"text": "x"}),
        protected.replace_termin(termin, {"text": "x"}),
        protected.delete_termin(1),
        protected.request("post", "Beteiligte", json={}),
    ):
        with pytest.raises(WriteProtected):
            await attempt
    assert not any_call.called
    assert (await protected.create_beteiligter({"name": "x"})).key == 7
    assert (await protected.request("GET", "Beteiligte/7")).status == 200


async def test_raw_request_passes_any_status_on(client: AdvowareClient, office: Office) -> None:
    office.on("GET", "Akten/1").respond(409, json={"message": "gesperrt"})
    answer = await client.request("GET", "Akten/1", {"a": "1"})
    assert (answer.status, answer.body) == (409, {"message": "gesperrt"})


@pytest.mark.parametrize("path", ["Akten/1", "api/v1/advonet/Akten/1", "/api/v1/advonet/Akten/1"])
async def test_raw_request_with_and_without_prefix(client: AdvowareClient, office: Office, path: str) -> None:
    route = office.on("GET", "Akten/1").respond(text="schlicht")
    assert (await client.request("GET", path)).body == "schlicht"
    assert route.calls.last.request.url.path == "/api/v1/advonet/Akten/1"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "https://evil.test/x",
        "//evil.test/x",
        "../Token",
        "Beteiligte/../../Token",
        "a%2e%2e/b",
        "a%2Fb",
        "a\\b",
        "a?b=1",
        "a#b",
        "a\nb",
    ],
)
async def test_raw_request_never_leaves_the_prefix(client: AdvowareClient, office: Office, path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        await client.request("GET", path)


async def test_raw_reads_are_repeated_and_writes_are_not(client: AdvowareClient, office: Office) -> None:
    read = office.on("GET", "Akten").respond(503)
    write = office.on("POST", "Akten").respond(503)
    assert (await client.request("GET", "Akten")).status == 503
    assert (await client.request("POST", "Akten", json={"a": 1})).status == 503
    assert (read.call_count, write.call_count) == (4, 1)


async def test_concurrency_is_bounded(
    settings: AdvowareSettings, tokens: TokenSource, http: httpx.AsyncClient, clock: Any, office: Office
) -> None:
    client = AdvowareClient(settings.model_copy(update={"concurrency": 3}), tokens=tokens, http=http, clock=clock)
    under_way = most = 0

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return httpx.Response(404)

    office.on("GET", "Beteiligte/").mock(side_effect=answer)
    await asyncio.gather(*(client.read_beteiligter(number) for number in range(1, 20)))
    assert most == 3


async def test_what_an_earlier_search_told_is_not_read_a_second_time(client: AdvowareClient, office: Office) -> None:
    changed = {**PARTY_JSON, "betNr": 8, "name": "Hubert"}
    office.on("GET", "Beteiligte").respond(json=[PARTY_JSON, {**PARTY_JSON, "betNr": 8}])
    known = {party.bet_nr: party for party in await client.search_beteiligte("a")}
    office.on("GET", "Beteiligte").respond(json=[PARTY_JSON, changed, {**PARTY_JSON, "betNr": [7]}])
    spoilt: list[SpoiltRow] = []
    same, other = await client.search_beteiligte("b", spoilt, known)
    assert same is known[7]
    assert (other.bet_nr, other.name) == (8, "Hubert"), "what has changed since is read"
    assert len(spoilt) == 1
