"""Beteiligte and children of the simulated Advoware (specification, advoware-wire.md 3)."""

import re
from typing import Any

import httpx
import pytest

from vmh_sync_tests.unit.sandbox_office.conftest import OfficeClient

OWN = {
    "betNr": 7,
    "name": "Huber",
    "vorname": "Anna",
    "anrede": "Frau",
    "titel": "Dr.",
    "geburtsdatum": "1980-05-17T00:00:00",
    "familienstand": "ledig",
    "kommunikation": [
        {"id": 1, "kommKz": 3, "tlf": "0171 2345678", "online": False},
        {"id": 2, "kommKz": 4, "tlf": "huber@bau.example", "online": True},
    ],
    "adressen": [{"id": 3, "strasse": "Weg 1", "plz": "30159", "ort": "Hannover", "land": "D", "bemerkung": "alt"}],
    "bankverbindungen": [{"id": 4, "iban": "DE02120300000000202051"}],
}
PUT_FIELDS = ("name", "vorname", "rechtsform", "anrede", "titel", "bAnrede", "zusatz", "geburtsdatum")


@pytest.fixture
async def party(office: OfficeClient) -> Any:
    await office.control("seed", {"beteiligte": [OWN]})
    return (await office.call("GET", "Beteiligte/7")).json()


async def read(office: OfficeClient) -> Any:
    return (await office.call("GET", "Beteiligte/7")).json()


async def test_a_party_embeds_its_children_and_copies(office: OfficeClient, party: dict[str, Any]) -> None:
    assert re.fullmatch("[A-Z]{40}", party["rowId"])
    assert party["geaendertAm"] == "2026-03-01T10:15:00"  # Berlin, one hour ahead in winter
    assert (party["mobil"], party["emailGesch"], party["telGesch"]) == ("0171 2345678", "huber@bau.example", "")
    assert [entry["kommKz"] for entry in party["kommunikation"]] == [3, 4]
    assert party["adressen"][0]["land"] == "D"
    assert party["bankverbindungen"][0]["iban"] == "DE02120300000000202051"
    assert (await office.call("GET", "Beteiligte/8")).status_code == 404


async def test_put_honours_eight_fields_and_empties_those_left_out(office: OfficeClient, party: dict[str, Any]) -> None:
    body = {"name": "Hübner", "familienstand": "verheiratet", "betNr": 99, "registergericht": "Hannover"}
    assert (await office.call("PUT", "Beteiligte/7", json=body)).status_code == 200
    after = await read(office)
    assert after["name"] == "Hübner"
    assert {name: after[name] for name in PUT_FIELDS[1:]} == {
        **dict.fromkeys(PUT_FIELDS[1:7], ""),
        "geburtsdatum": None,
    }
    assert (after["familienstand"], after["registergericht"], after["betNr"]) == ("ledig", "", 7)
    assert after["rowId"] != party["rowId"]
    assert [entry["rowId"] for entry in after["kommunikation"]] == [entry["rowId"] for entry in party["kommunikation"]]


async def test_an_equal_put_moves_the_row_id(office: OfficeClient, party: dict[str, Any]) -> None:
    await office.call("PUT", "Beteiligte/7", json=party)
    after = await read(office)
    assert after["rowId"] != party["rowId"]
    assert {name: after[name] for name in PUT_FIELDS} == {name: party[name] for name in PUT_FIELDS}


async def test_post_takes_every_field(office: OfficeClient) -> None:
    answer = await office.call("POST", "Beteiligte", json={"name": "Neu GmbH", "handelsRegisterNummer": "HRB 1"})
    created = answer.json()
    assert (created["betNr"], created["handelsRegisterNummer"]) == (1001, "HRB 1")
    assert (await office.call("GET", "Beteiligte/1001")).json() == created
    assert (await office.call("POST", "Beteiligte", json={"vorname": "x"})).status_code == 400
    assert (await office.call("POST", "Beteiligte", json={"name": "x", "geburtsdatum": "gestern"})).status_code == 400
    assert (await office.call("POST", "Beteiligte", content=b"{")).status_code == 400


@pytest.mark.parametrize(
    "path",
    ["Beteiligte/7", "Beteiligte/7/Kommunikationen/1", "Beteiligte/7/Adressen/3", "Beteiligte/7/Bankverbindungen/4"],
)
async def test_delete_is_refused(office: OfficeClient, party: dict[str, Any], path: str) -> None:
    answer = await office.call("DELETE", path)
    assert (answer.status_code, "freigeschaltet" in answer.text) == (403, False)
    assert await read(office) == party


async def test_bank_accounts_cannot_be_changed(office: OfficeClient, party: dict[str, Any]) -> None:
    assert (await office.call("PUT", "Beteiligte/7/Bankverbindungen/4", json={"iban": "X"})).status_code == 403
    made = await office.call("POST", "Beteiligte/7/Bankverbindungen", json={"iban": "DE1", "kontoinhaber": "A"})
    assert (await read(office))["bankverbindungen"][1] == made.json()


async def test_kommunikation_kind_is_ignored_on_put(office: OfficeClient, party: dict[str, Any]) -> None:
    body = {"tlf": "0171 1", "bemerkung": "neu", "online": True, "kommKz": 1}
    assert (await office.call("PUT", "Beteiligte/7/Kommunikationen/1", json=body)).json()["kommKz"] == 3
    after = await read(office)
    entry = after["kommunikation"][0]
    assert (entry["tlf"], entry["bemerkung"], entry["online"], entry["id"]) == ("0171 1", "neu", True, 1)
    assert after["mobil"] == "0171 1"
    # Only the child's row id moves: the party's own data did not change.
    assert entry["rowId"] != party["kommunikation"][0]["rowId"]
    assert (after["rowId"], after["geaendertAm"]) == (party["rowId"], party["geaendertAm"])
    assert after["kommunikation"][1]["rowId"] == party["kommunikation"][1]["rowId"]


async def test_kommunikation_create(office: OfficeClient, party: dict[str, Any]) -> None:
    made = (await office.call("POST", "Beteiligte/7/Kommunikationen", json={"tlf": "0511 1", "kommKz": 1})).json()
    after = await read(office)
    assert after["kommunikation"][2] == made
    assert (after["telGesch"], after["rowId"]) == ("0511 1", party["rowId"])
    for kind in (0, 13, None):
        bad = await office.call("POST", "Beteiligte/7/Kommunikationen", json={"tlf": "1", "kommKz": kind})
        assert bad.status_code == 400
    assert (await office.call("PUT", "Beteiligte/7/Kommunikationen/99", json={})).status_code == 404


async def test_address_put_honours_four_fields(office: OfficeClient, party: dict[str, Any]) -> None:
    body = {"strasse": "Allee 2", "plz": "1", "ort": "B", "anschrift": "Z", "land": "A", "bemerkung": "neu", "id": 9}
    await office.call("PUT", "Beteiligte/7/Adressen/3", json=body)
    after = (await office.call("GET", "Beteiligte/7/Adressen")).json()[0]
    assert {name: after[name] for name in ("strasse", "plz", "ort", "anschrift")} == {
        "strasse": "Allee 2",
        "plz": "1",
        "ort": "B",
        "anschrift": "Z",
    }
    assert (after["land"], after["bemerkung"], after["id"]) == ("D", "alt", 3)
    made = (await office.call("POST", "Beteiligte/7/Adressen", json={**body, "standardAnschrift": True})).json()
    assert (made["land"], made["standardAnschrift"], made["bemerkung"]) == ("A", True, "neu")


async def test_search(office: OfficeClient, party: dict[str, Any]) -> None:
    await office.control("seed", {"beteiligte": [{"betNr": 8, "name": "Maier", "bemerkung": "EspoCRM-ID: abc"}]})
    found = (await office.call("GET", "Beteiligte", params={"search": "espocrm-id: ABC"})).json()
    assert [entry["betNr"] for entry in found] == [8]
    assert (await office.call("GET", "Beteiligte", params={"search": "ann"})).json() == [party]
    await office.control("do/switches", {"search": False})
    assert (await office.call("GET", "Beteiligte", params={"search": "ann"})).status_code == 404


async def test_forms_of_answers(office: OfficeClient, party: dict[str, Any]) -> None:
    forms: dict[str, httpx.Response] = {}
    for form in ("object", "list", "number", "none"):
        await office.control("do/switches", {"write_answer": form})
        forms[form] = await office.call("PUT", "Beteiligte/7", json=party)
    assert forms["object"].json()["betNr"] == 7
    assert forms["list"].json()[0]["betNr"] == 7
    assert forms["number"].json() == 7
    assert (forms["none"].status_code, forms["none"].content) == (204, b"")
    await office.control("do/switches", {"single_read": "list"})
    assert [entry["betNr"] for entry in await read(office)] == [7]


async def test_kinds_can_be_hidden_and_children_left_out(office: OfficeClient, party: dict[str, Any]) -> None:
    await office.control("do/switches", {"komm_kz_told": False, "embedded": False, "separate_lists": False})
    after = await read(office)
    assert [(entry["kommKz"], entry["kommArt"]) for entry in after["kommunikation"]] == [(0, ""), (0, "")]
    assert after["mobil"] == "0171 2345678"
    assert "adressen" not in after and "bankverbindungen" not in after
    assert (await office.call("GET", "Beteiligte/7/Adressen")).status_code == 404
    assert (await office.state())["beteiligte"][0]["kommunikation"][0]["kommKz"] == 3


async def test_people_may_change_everything(office: OfficeClient, party: dict[str, Any]) -> None:
    edit = {"entity": "Beteiligte", "id": 7, "values": {"familienstand": "verheiratet"}, "at": "2026-07-01T10:00:00Z"}
    await office.control("edit", edit)
    await office.control("edit", {"entity": "Kommunikation", "id": 2, "values": {"kommKz": 8}})
    await office.control("edit", {"entity": "Adressen", "id": 3, "action": "delete"})
    new = {"entity": "Bankverbindungen", "betNr": 7, "action": "create", "values": {"iban": "DE2"}}
    made = await office.control("edit", new)
    after = await read(office)
    assert (after["familienstand"], after["geaendertAm"]) == ("verheiratet", "2026-07-01T12:00:00")
    assert (after["email"], after["emailGesch"], after["adressen"]) == ("huber@bau.example", "", [])
    assert after["bankverbindungen"][1]["id"] == made["id"]
    assert after["rowId"] != party["rowId"]
    await office.control("edit", {"entity": "Beteiligte", "id": 7, "action": "delete"})
    assert (await office.call("GET", "Beteiligte/7")).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"entity": "Akten", "id": 1},
        {"entity": "Beteiligte", "id": 404, "values": {}},
        {"entity": "Beteiligte", "id": 7, "values": {"nachname": "x"}},
        {"entity": "Beteiligte", "id": 7, "action": "merge"},
        {"entity": "Kommunikation", "id": 404, "values": {}},
        {"entity": "Kommunikation", "id": 1, "values": {"online": "ja"}},
    ],
)
async def test_impossible_edits_are_named(office: OfficeClient, party: dict[str, Any], body: Any) -> None:
    answer = await office.http.post("/_sandbox/edit", json=body)
    assert (answer.status_code, bool(answer.json()["error"])) == (400, True)
    assert await read(office) == party


async def test_unknown_paths(office: OfficeClient) -> None:
    assert (await office.call("GET", "Akten/1")).status_code == 404
    assert (await office.call("GET", "Beteiligte/7/Akten")).status_code == 404


async def test_reset_keeps_tokens_if_asked(office: OfficeClient, party: dict[str, Any]) -> None:
    await office.control("do/switches", {"search": False})
    await office.control("reset", {"keep_tokens": True})
    assert (await office.call("GET", "Beteiligte/7")).status_code == 404
    assert (await office.state())["switches"]["search"] is True
    await office.control("reset")
    assert (await office.call("GET", "Beteiligte/7")).status_code == 401
