"""The judge of drawn firms: what is doubled, and what nobody could notice."""

from datetime import UTC, datetime

import pytest

from vmh_sync.sandbox.people.edits import EditRecord
from vmh_sync_tests.chaos.parties import in_known_window
from vmh_sync_tests.pipeline.installations.comparison import Json, Sides, doubled, lost


def at_one_party(*addresses: tuple[str, str, str]) -> Sides:
    rows = [{"strasse": street, "plz": code, "ort": town} for street, code, town in addresses]
    party: Json = {"betNr": 7, "kommunikation": [], "adressen": rows, "bankverbindungen": []}
    record = {"id": "e1", "betnr": 7, "deleted": False}
    return Sides({"beteiligte": [party]}, {"records": {"CBeteiligte": [record], "Task": []}})


def test_the_same_street_in_two_towns_is_two_addresses_and_the_same_address_twice_is_doubled() -> None:
    here, there = ("Hauptstraße 21", "20095", "Hamburg"), ("Hauptstraße 21", "38100", "Braunschweig")
    assert doubled(at_one_party(here, there)) == []
    assert doubled(at_one_party(here, there, here)) == ["adressen of 7: twice"]


def at(second: int) -> datetime:
    return datetime(2026, 11, 27, 12, 0, second, tzinfo=UTC)


def call(method: str, second: int, betnr: int = 7) -> Json:
    return {"method": method, "path": f"/x/Beteiligte/{betnr}", "status": 200, "at": at(second).isoformat()}


@pytest.mark.parametrize(
    ("calls", "unseen"),
    [
        ([call("GET", 10), call("PUT", 30)], True),
        ([call("GET", 10), call("PUT", 19)], False),  # typed after the PUT: the next look sees it
        ([call("GET", 10), call("GET", 25), call("PUT", 30)], False),  # seen
        ([call("GET", 10, 8), call("PUT", 30, 8)], False),
        ([call("PUT", 30)], False),
        ([call("GET", 10)], False),
    ],
)
def test_only_an_edit_between_our_last_look_and_our_put_could_not_be_noticed(calls: list[Json], unseen: bool) -> None:
    edit = EditRecord(
        side="office", kind="field", entity="Beteiligte", id=7, party=7, betnr=7, field="zusatz", old="", new="Büro"
    )
    assert in_known_window(edit, at(20), at(21), calls) is unseen
    assert not in_known_window({**edit, "side": "crm", "entity": "CBeteiligte"}, at(20), at(21), calls)


@pytest.mark.parametrize(
    ("field", "locked", "unseen"),
    [("phoneNumberData", False, True), ("phoneNumberData", True, False), ("zusatz", False, False)],
)
def test_only_lists_of_an_espocrm_without_locking_could_not_be_noticed(field: str, locked: bool, unseen: bool) -> None:
    edit = EditRecord(
        side="crm", kind="phone_new", entity="CBeteiligte", id="e1", party="e1", betnr=7, field=field, old=None, new="1"
    )
    calls = [
        {**call(method, second), "path": "/api/v1/CBeteiligte/e1"} for method, second in (("GET", 10), ("PUT", 30))
    ]
    assert in_known_window(edit, at(20), at(21), calls, locked=locked) is unseen
    again = [*calls, {**calls[1], "at": at(50).isoformat()}]
    assert not in_known_window(edit, at(40), at(41), again, locked=locked), "nobody looked before the second PUT"


def test_a_day_that_lost_in_a_date_time_field_is_found_in_the_audit_log() -> None:
    edit = EditRecord(
        side="crm", kind="field", entity="CBeteiligte", id="e1", party="e1", betnr=7,
        field="dateOfBirth", old="", new="1966-03-18 00:00:00",
    )  # fmt: skip
    sides = Sides({"beteiligte": []}, {"records": {"CBeteiligte": []}})
    assert lost([edit], sides, ["1966-03-18"]) == []
    assert lost([edit], sides, ["1966-03-19"]) == [edit]
