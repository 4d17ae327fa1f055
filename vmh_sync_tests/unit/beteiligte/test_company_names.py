"""A company's name has two homes in EspoCRM, and a person may edit either (specification, entities.md 1)."""

from typing import Any

import pytest

from vmh_sync.beteiligte.fields import FIELDS
from vmh_sync.beteiligte.model import (
    COMPANY,
    FIRM,
    MIRROR,
    PERSON,
    espo_payload,
    espo_rechtsform,
    homes_of,
    is_company,
    read_advoware,
    read_espo,
)
from vmh_sync.sync.fields import FieldTable, Unrepresentable
from vmh_sync.sync.values import Value

NO_RECHTSFORM = FieldTable(tuple(rule for rule in FIELDS.rules if rule.name != "rechtsform"))


@pytest.mark.parametrize(
    ("espo", "advoware", "company"),
    [
        ({"firmenname": "Huber"}, None, True),
        ({"firmenname": " ", "rechtsform": "Einzelperson"}, None, False),
        ({"rechtsform": "GmbH"}, None, True),
        ({"rechtsform": "Verein"}, None, True),
        ({"rechtsform": "Herr"}, None, False),
        ({}, "GmbH", True),
        ({"rechtsform": ""}, "GmbH", True),
        ({}, None, False),
        ({"rechtsform": "Nur hier"}, None, False),
        ({}, "?advoware:Nur dort", False),
    ],
)
def test_either_side_may_say_that_a_party_is_a_company(espo: dict[str, Any], advoware: Value, company: bool) -> None:
    assert is_company(espo, advoware, FIELDS) is company


def test_an_installation_without_the_field_tells_companies_by_their_name() -> None:
    assert espo_rechtsform({"rechtsform": "GmbH"}, NO_RECHTSFORM) is None
    assert espo_rechtsform({"rechtsform": "Verein"}, FIELDS) == "e.V."
    assert not is_company({"rechtsform": "GmbH"}, None, NO_RECHTSFORM)
    assert is_company({"firmenname": "Huber"}, None, NO_RECHTSFORM)


def name(firm: str | None, last: str | None, base: dict[str, Value]) -> Value:
    return read_espo({"firmenname": firm, "lastName": last}, FIELDS, COMPANY, base=base)["name"]


def base(firm: str | None, last: str | None, agreed: str | None = None) -> dict[str, Value]:
    return {"name": agreed or firm, FIRM: firm, MIRROR: last}


@pytest.mark.parametrize(
    ("firm", "last", "before", "expected"),
    [
        ("Huber", "Huber", {}, "Huber"),
        ("Huber", "Maier", {}, "Huber"),  # first contact: firmenname is the name
        (None, "Maier", {}, "Maier"),
        (" ", "Maier", base("Huber", "Huber"), "Maier"),
        ("Huber", "Huber", base("Huber", "Huber"), "Huber"),
        ("Huber neu", "Huber", base("Huber", "Huber"), "Huber neu"),
        ("Huber", "Huber neu", base("Huber", "Huber"), "Huber neu"),
        ("Huber eins", "Huber zwei", base("Huber", "Huber"), "Huber eins"),
        ("Huber", "", base("Huber", "Huber"), "Huber"),  # an emptied second home is filled again
        ("alt", "Huber", base("alt", "Huber", agreed="Huber"), "Huber"),  # firmenname refused the name
        ("Huber", "alt", base("Huber", "alt", agreed="Huber"), "Huber"),  # lastName refused it
        ("Huber", "Huber", {"name": "Huber", MIRROR: "Huber"}, "Huber"),  # a base from before both were remembered
        ("Huber", "neu", {"name": "Huber", MIRROR: "Huber"}, "neu"),
        ("neu", "Huber", {"name": "Huber", MIRROR: "Huber"}, "neu"),
    ],
)
def test_the_home_that_moved_says_the_name(
    firm: str | None, last: str | None, before: dict[str, Value], expected: str
) -> None:
    assert name(firm, last, before) == expected


def test_an_old_base_without_the_first_home_says_what_stands() -> None:
    assert name("huber", "Huber", {"name": "huber", MIRROR: "Huber"}) == "huber"
    assert name("Mu\u0308ller", "Müller", {"name": "Müller", MIRROR: "Müller"}) == "Müller"


def test_a_person_has_one_name_and_a_company_no_first_name() -> None:
    espo = {"firstName": "Eva", "lastName": "Huber", "firmenname": "Bau"}
    assert read_espo(espo, FIELDS, PERSON, base={}) == {"name": "Huber", "vorname": "Eva"}
    assert read_espo(espo, FIELDS, COMPANY, base={}) == {"name": "Bau"}
    assert read_espo({"lastName": "Huber"}, FIELDS, COMPANY, base={}) == {"name": "Huber"}


def test_what_advoware_leaves_out_is_empty_and_a_company_has_no_first_name_there() -> None:
    person = read_advoware({"name": "Huber", "vorname": "Eva"}, FIELDS, PERSON)
    assert person == {**dict.fromkeys((rule.name for rule in FIELDS.rules), None), "name": "Huber", "vorname": "Eva"}
    company = read_advoware({"name": "Huber", "vorname": "Eva"}, FIELDS, COMPANY)
    assert "vorname" not in company
    assert company["name"] == "Huber"


def test_a_companys_name_is_written_into_both_homes_and_nothing_else_is() -> None:
    both = {"firmenname": "alt", "lastName": "alt"}
    assert espo_payload("name", "neu", FIELDS, COMPANY, both) == {"lastName": "neu", "firmenname": "neu"}
    assert espo_payload("name", "neu", FIELDS, COMPANY, {"lastName": "alt"}) == {"lastName": "neu"}
    assert espo_payload("name", "neu", FIELDS, PERSON, both) == {"lastName": "neu"}
    assert espo_payload("titel", "Dr.", FIELDS, COMPANY, both) == {"titel": "Dr."}
    with pytest.raises(Unrepresentable):
        espo_payload("rechtsform", "SE", FIELDS, COMPANY, both)


def test_both_homes_are_remembered_where_the_installation_has_them() -> None:
    assert homes_of({"firmenname": " Bau ", "lastName": "Huber"}) == {MIRROR: "Huber", FIRM: "Bau"}
    assert homes_of({"lastName": ""}) == {MIRROR: None}
