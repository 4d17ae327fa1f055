"""Master data, e-mails, phones and marks of the independent comparison."""

from typing import Any

import pytest

from vmh_sync.reconcile.compare import compare_kommunikation, compare_party, new_entry
from vmh_sync.reconcile.difference import Clue
from vmh_sync.reconcile.marks import doubled, marked, strays

CRM: dict[str, Any] = {"id": "p1", "betnr": 7, "lastName": "Muster", "firstName": "Max", "titel": None}
OFFICE: dict[str, Any] = {"betNr": 7, "name": "Muster", "vorname": "Max", "titel": ""}


def mails(*values: str) -> dict[str, Any]:
    return {**CRM, "emailAddressData": [{"emailAddress": value} for value in values]}


def entries(*rows: tuple[int, str, int | None]) -> dict[str, Any]:
    return {**OFFICE, "kommunikation": [{"id": key, "tlf": value, "kommKz": kind} for key, value, kind in rows]}


def test_empty_and_missing_are_the_same_and_so_are_two_spellings() -> None:
    assert compare_party(CRM, OFFICE) == []
    assert compare_party({**CRM, "titel": "Dr. „h.  c.“"}, {**OFFICE, "name": "MUSTER", "titel": 'DR. "H. C."'}) == []


def test_a_different_field_is_told_by_a_task_about_exactly_this_field() -> None:
    (found,) = compare_party({**CRM, "briefAnrede": "Hallo"}, OFFICE)
    assert (found.field, found.told_by) == ("bAnrede", frozenset({Clue("beteiligte", "p1", "brief_anrede")}))


def test_an_entry_only_in_advoware_is_told_by_its_own_task_only() -> None:
    (found,) = compare_kommunikation(mails("a@x.example"), entries((1, "A@x.example", 4), (2, "b@x.example", 4)))
    assert (found.field, found.why) == ("emailAddressData", "nur in Advoware")
    assert found.told_by == {Clue("beteiligte", "p1", name) for name in ("email/2", "phone/2", "email/list")}


def test_a_number_in_the_entry_of_an_email_is_told_by_the_task_about_that_email() -> None:
    found = compare_kommunikation(
        mails("a@x.example", "b@x.example"), entries((1, "b@x.example", 4), (2, "0511/12", 4))
    )
    assert [item.field for item in found] == ["emailAddressData", "phoneNumberData"]
    assert all(Clue("beteiligte", "p1", "email/2") in item.told_by for item in found)
    assert not any(clue.field.endswith("/1") for item in found for clue in item.told_by), "that entry agrees"


def test_every_value_only_in_espocrm_counts() -> None:
    found = compare_kommunikation(mails("a@x.example", "b@x.example", "c@x.example"), entries((1, "a@x.example", 4)))
    assert [item.why for item in found] == ["nur in EspoCRM"] * 2
    assert Clue("beteiligte", "p1", "email/1") not in found[0].told_by, "that entry agrees"
    for item, value in zip(found, ("b@x.example", "c@x.example"), strict=True):
        new = {clue for clue in item.told_by if "/new" in clue.field}
        assert new == {Clue("beteiligte", "p1", new_entry("email", value))}


def test_kinds_without_a_home_in_espocrm_do_not_count() -> None:
    assert compare_kommunikation(CRM, entries((1, "www.x.example", 5))) == []


def test_a_list_that_espocrm_takes_no_more_explains_what_differs_in_it() -> None:
    found = compare_kommunikation(mails("a@x.example"), entries((1, "b@x.example", 4), (2, "0511 12", 1)))
    assert [Clue("beteiligte", "p1", "email/list") in item.told_by for item in found] == [True, True, False]


def test_an_entry_without_a_number_of_its_own_keeps_no_comparison_back() -> None:
    office = {**OFFICE, "kommunikation": [{"tlf": "b@x.example", "kommKz": 4}]}
    assert [item.why for item in compare_kommunikation(CRM, office)] == ["nur in Advoware"]


@pytest.mark.parametrize("untold", [0, None])
@pytest.mark.parametrize("value", ["www.x.example", "https://x.example/a", "x.example", "DE.BRAK.5dc0-1"])
def test_an_untold_kind_is_told_by_value_and_top_level_copy(value: str, untold: int | None) -> None:
    assert compare_kommunikation(CRM, entries((1, value, untold)) | {"internet": "x.example"}) == []


def test_one_mark_on_two_parties_is_a_double() -> None:
    found = marked([(7, "EspoCRM-ID: p1"), (9, "alt\nEspoCRM-ID: p1"), (8, "EspoCRM-ID: p2"), (3, None)])
    assert found == {"p1": [7, 9], "p2": [8]}
    assert doubled(found) == ["p1 (betnr 7, 9)"]


def test_a_marked_party_nobody_stands_for_is_a_stray() -> None:
    found = {"p1": [7, 9], "p2": [8], "gone": [5], "p3": [6]}
    living = {"p1": 7, "p2": None, "p4": 6}
    assert strays(found, living) == [(5, "gone"), (8, "p2"), (9, "p1")], "6 stands for another record"
