"""The judge of drawn firms says doubled only of what is the same."""

from vmh_sync_tests.pipeline.installations.comparison import Json, Sides, doubled


def at_one_party(*addresses: tuple[str, str, str]) -> Sides:
    rows = [{"strasse": street, "plz": code, "ort": town} for street, code, town in addresses]
    party: Json = {"betNr": 7, "kommunikation": [], "adressen": rows, "bankverbindungen": []}
    record = {"id": "e1", "betnr": 7, "deleted": False}
    return Sides({"beteiligte": [party]}, {"records": {"CBeteiligte": [record], "Task": []}})


def test_the_same_street_in_two_towns_is_two_addresses_and_the_same_address_twice_is_doubled() -> None:
    here, there = ("Hauptstraße 21", "20095", "Hamburg"), ("Hauptstraße 21", "38100", "Braunschweig")
    assert doubled(at_one_party(here, there)) == []
    assert doubled(at_one_party(here, there, here)) == ["adressen of 7: twice"]
