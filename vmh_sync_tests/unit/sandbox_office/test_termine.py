"""Termine and Mitarbeiter of the simulated Advoware (specification, advoware-wire.md 3; kalender.md 2)."""

from typing import Any

import pytest

from vmh_sync_tests.unit.sandbox_office.conftest import OfficeClient

BASE = {"text": "Verhandlung", "uhrzeitVon": "10:30:00", "uhrzeitBis": "11:30:00"}


@pytest.fixture
async def calendar(office: OfficeClient) -> OfficeClient:
    await office.control(
        "seed",
        {
            "termine": [
                {"frNr": 1, **BASE, "datum": "2026-03-02", "sb": "AB"},
                {"frNr": 2, **BASE, "datum": "2026-03-02", "datumBis": "2026-06-29", "anwalt": "AB", "dauertermin": 1},
                {"frNr": 3, **BASE, "datum": "2026-05-01", "sb": "CD"},
                {"frNr": 4, **BASE, "datum": "2026-05-01", "sb": "ALLE"},
                {"frNr": -5, "text": "Urlaub", "datum": "2026-07-06", "datumBis": "2026-07-10", "sb": "AB"},
            ],
            "mitarbeiter": [
                {"kuerzel": "AB", "name": "B", "vorname": "A", "email": "ab@kanzlei.example"},
                {"kuerzel": "CD", "aktiv": False},
            ],
        },
    )
    return office


async def numbers(office: OfficeClient, **params: Any) -> list[int]:
    return [termin["frNr"] for termin in (await office.call("GET", "Termine", params=params)).json()]


async def test_list_by_employee_and_window(calendar: OfficeClient) -> None:
    year = {"from": "2026-01-01T00:00:00", "to": "2026-12-31T00:00:00"}
    assert await numbers(calendar, kuerzel="AB", **year) == [1, 2, 4, -5]
    assert await numbers(calendar, kuerzel="CD", **year) == [3, 4]
    # The series touches a window in which no occurrence starts; the leave touches one that begins inside it.
    may = {"from": "2026-05-02T00:00:00", "to": "2026-05-03T00:00:00"}
    assert await numbers(calendar, kuerzel="AB", **may) == [2]
    assert await numbers(calendar, kuerzel="AB", **{"from": "2026-07-08T00:00:00", "to": "2026-12-31T00:00:00"}) == [-5]


async def test_one_termin(calendar: OfficeClient) -> None:
    assert (await calendar.call("GET", "Termine", params={"frnr": 3})).json()["frNr"] == 3
    assert (await calendar.call("GET", "Termine", params={"frnr": 99})).status_code == 404
    # The wrong spelling is no filter at all.
    assert await numbers(calendar, frNr=3) == [1, 2, 3, 4, -5]


async def test_write(calendar: OfficeClient) -> None:
    made = (await calendar.call("POST", "Termine", json={**BASE, "datum": "2026-04-01", "sb": "AB"})).json()
    assert made["zuletztGeaendertAm"] == "2026-03-01T10:15:00"
    body = {"text": "Neu", "datum": "2026-04-02", "privat": 1}
    await calendar.call("PUT", "Termine", params={"frnr": made["frNr"]}, json=body)
    after = (await calendar.call("GET", "Termine", params={"frnr": made["frNr"]})).json()
    assert (after["text"], after["privat"], after["sb"], after["uhrzeitVon"]) == ("Neu", 1, "", None)
    assert (await calendar.call("DELETE", "Termine", params={"frnr": made["frNr"]})).status_code == 204
    assert (await calendar.call("GET", "Termine", params={"frnr": made["frNr"]})).status_code == 404
    assert (await calendar.call("POST", "Termine", json=BASE)).status_code == 400
    assert (await calendar.call("PUT", "Termine", params={"frNr": 1}, json=body)).status_code == 400


async def test_made_up_entries_are_read_only(calendar: OfficeClient) -> None:
    assert (await calendar.call("DELETE", "Termine", params={"frnr": -5})).status_code == 403
    assert (await calendar.call("PUT", "Termine", params={"frnr": -5}, json=BASE)).status_code == 403
    await calendar.control("edit", {"entity": "Termine", "frNr": -5, "values": {"text": "Kur"}})
    assert (await calendar.call("GET", "Termine", params={"frnr": -5})).json()["text"] == "Kur"


async def test_employees(calendar: OfficeClient) -> None:
    rows = (await calendar.call("GET", "Mitarbeiter", params={"aktiv": "true"})).json()
    assert rows == [{"kuerzel": "AB", "vorname": "A", "name": "B", "email": "ab@kanzlei.example", "aktiv": True}]
    assert len((await calendar.call("GET", "Mitarbeiter")).json()) == 2
    await calendar.control("edit", {"entity": "Mitarbeiter", "id": "AB", "values": {"aktiv": False}})
    assert (await calendar.call("GET", "Mitarbeiter", params={"aktiv": "true"})).json() == []
