"""Addresses and bank accounts of the independent comparison."""

from datetime import date
from typing import Any

import pytest

from vmh_sync.reconcile.children import ADRESSEN, KONTEN, ChildTable, compare_children
from vmh_sync.reconcile.difference import Clue, Difference

TODAY = date(2026, 3, 1)
PARTY = {"id": "p1", "betnr": 7}
ADDRESS_HERE: dict[str, Any] = {
    "id": "a1",
    "advowareId": 11,
    "istAktiv": True,
    "adresseStreet": "Weg 1",
    "adressePostalCode": "70173",
    "adresseCity": "Stuttgart",
    "adresseCountry": None,
    "postfach": "12",
    "postfachPlz": "70001",
    "istStandard": True,
    "gueltigVon": "2020-01-01",
    "gueltigBis": None,
}
ADDRESS_THERE: dict[str, Any] = {
    "id": 11,
    "strasse": "Weg 1",
    "plz": "70173",
    "ort": "Stuttgart",
    "land": "",
    "postfach": "12",
    "postfachPLZ": "70001",
    "standardAnschrift": True,
    "gueltigVon": "2020-01-01T00:00:00",
}
ACCOUNT_HERE: dict[str, Any] = {"id": "k1", "iban": "DE1 2", "bic": "X", "bankname": "B", "kontoinhaber": "M"}
ACCOUNT_THERE: dict[str, Any] = {"id": 5, "iban": "DE12", "bic": "x", "bank": "B", "kontoinhaber": "M"}


def compare(table: ChildTable, here: list[dict[str, Any]], there: list[dict[str, Any]], **how: Any) -> list[Difference]:
    return compare_children(table, PARTY, here, there, today=TODAY, **how)


def fields(found: list[Difference]) -> list[str]:
    return [item.field for item in found]


def test_equal_children_in_both_notations_do_not_differ() -> None:
    assert compare(ADRESSEN, [ADDRESS_HERE], [ADDRESS_THERE]) == []
    assert compare(KONTEN, [ACCOUNT_HERE], [ACCOUNT_THERE]) == []


@pytest.mark.parametrize("land", ["D", "de", "DEUTSCHLAND", "Germany"])
def test_a_country_is_compared_by_what_it_means(land: str) -> None:
    assert (
        compare(ADRESSEN, [{**ADDRESS_HERE, "adresseCountry": "Deutschland"}], [{**ADDRESS_THERE, "land": land}]) == []
    )


@pytest.mark.parametrize(
    ("name", "value", "ours"),
    [
        ("strasse", "Weg 2", "strasse"),
        ("land", "Österreich", "land"),
        ("postfach", "13", "postfach"),
        ("postfachPLZ", "70002", "postfach_plz"),
        ("standardAnschrift", False, "standard"),
        ("gueltigVon", "2020-01-02T00:00:00", "gueltig_von"),
        ("gueltigBis", "2030-01-01T00:00:00", "gueltig_bis"),
    ],
)
def test_every_field_of_an_address_is_compared(name: str, value: object, ours: str) -> None:
    (found,) = compare(ADRESSEN, [ADDRESS_HERE], [{**ADDRESS_THERE, name: value}])
    assert (found.field, found.told_by) == (f"adressen.{ours}", frozenset({Clue("adressen", "a1", ours)}))


@pytest.mark.parametrize(("name", "ours"), [("bic", "bic"), ("bank", "bank"), ("kontoinhaber", "kontoinhaber")])
def test_every_field_of_an_account_is_compared(name: str, ours: str) -> None:
    (found,) = compare(KONTEN, [ACCOUNT_HERE], [{**ACCOUNT_THERE, name: "anders"}])
    assert (found.field, found.told_by) == (
        f"bankverbindungen.{ours}",
        frozenset({Clue("bankverbindungen", "k1", ours)}),
    )


def test_what_one_side_does_not_know_is_no_difference() -> None:
    here = {name: value for name, value in ADDRESS_HERE.items() if name != "postfach"}
    assert compare(ADRESSEN, [here], [{**ADDRESS_THERE, "postfach": "99"}]) == []
    assert compare(ADRESSEN, [{**ADDRESS_HERE, "istStandard": None}], [ADDRESS_THERE]) == []


@pytest.mark.parametrize("copies_here", [1, 2])
def test_doubles_are_counted(copies_here: int) -> None:
    here = [{**ACCOUNT_HERE, "id": f"k{number}"} for number in range(copies_here)]
    there = [{**ACCOUNT_THERE, "id": number} for number in range(3 - copies_here)]
    (found,) = compare(KONTEN, here, there)
    assert found.field == "bankverbindungen"
    assert ("EspoCRM" in found.why) == (copies_here == 2)


def test_a_child_switched_off_in_espocrm_is_told_by_its_own_task_only() -> None:
    (found,) = compare(ADRESSEN, [{**ADDRESS_HERE, "istAktiv": False}], [ADDRESS_THERE])
    assert found.told_by == {Clue("adressen", "a1"), Clue("adressen", "11", in_advoware=True)}


def test_an_address_that_ended_does_not_count() -> None:
    assert compare(ADRESSEN, [], [{**ADDRESS_THERE, "gueltigBis": "2026-02-28T00:00:00"}]) == []
    assert fields(compare(ADRESSEN, [], [{**ADDRESS_THERE, "gueltigBis": "2026-03-01T00:00:00"}])) == ["adressen"]


def test_accounts_that_are_not_imported_may_be_in_advoware_alone() -> None:
    assert compare(KONTEN, [], [ACCOUNT_THERE], imports=False) == []
    assert fields(compare(KONTEN, [], [ACCOUNT_THERE])) == ["bankverbindungen"]


def test_an_account_switched_off_here_is_kept_over_there_and_is_no_difference() -> None:
    idle = {**ACCOUNT_HERE, "istAktiv": False, "advowareKontoId": 5}
    assert compare(KONTEN, [idle], [ACCOUNT_THERE]) == []
    (found,) = compare(ADRESSEN, [{**ADDRESS_HERE, "istAktiv": False}], [ADDRESS_THERE])
    assert "nur in Advoware" in found.why
