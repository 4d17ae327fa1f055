"""The made-up firm: valid values, stable shares, both sides say the same where they should."""

import json
from collections import Counter
from datetime import UTC, datetime

import phonenumbers
import pytest
import schwifty

from vmh_sync.sandbox.made_up.population import Population, populate
from vmh_sync.sandbox.made_up.values import german_iban

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def firm() -> Population:
    return populate(5, 400, now=NOW)


def test_the_same_seed_makes_the_same_firm(firm: Population) -> None:
    again = populate(5, 400, now=NOW)
    assert json.dumps([again.office, again.crm]) == json.dumps([firm.office, firm.crm])
    assert populate(6, 400, now=NOW).crm != firm.crm


def test_shares(firm: Population) -> None:
    assert firm.shares == {"linked": 240, "crm_only": 100, "dirty": 60}
    states = Counter(row["syncStatus"] for row in firm.crm["records"]["CBeteiligte"])
    assert states == {"clean": 240, "pending_sync": 100, "dirty": 60}
    linked = [row["betnr"] for row in firm.crm["records"]["CBeteiligte"] if row.get("betnr")]
    assert linked == [row["betNr"] for row in firm.office["beteiligte"]]


def test_iban_vector() -> None:
    assert german_iban("37040044", "0532013000") == "DE89370400440532013000"


def test_values_are_valid_and_unique(firm: Population) -> None:
    parties = firm.crm["records"]["CBeteiligte"]
    numbers = [item["phoneNumber"] for row in parties for item in row["phoneNumberData"]]
    mails = [item["emailAddress"] for row in parties for item in row["emailAddressData"]]
    assert len(numbers) == len(set(numbers)) > 100
    assert len(mails) == len(set(mails)) > 100
    assert all(mail.isascii() and mail.endswith(".example") for mail in mails)
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in numbers)
    for account in firm.crm["records"]["CBankverbindungen"]:
        assert schwifty.IBAN(account["iban"]) and schwifty.BIC(account["bic"])


def test_office_spellings_mean_the_numbers_of_the_crm(firm: Population) -> None:
    by_betnr = {row["betnr"]: row for row in firm.crm["records"]["CBeteiligte"] if row.get("betnr")}
    spellings = set()
    for row in firm.office["beteiligte"]:
        phones = [entry for entry in row["kommunikation"] if entry["kommKz"] != 4]
        known = {item["phoneNumber"] for item in by_betnr[row["betNr"]]["phoneNumberData"]}
        for entry in phones:
            parsed = phonenumbers.parse(entry["tlf"], "DE")
            assert phonenumbers.is_valid_number(parsed)
            assert phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) in known
            spellings.add("".join(c for c in entry["tlf"] if not c.isdigit()))
    assert len(spellings) >= 5


def test_children_belong_to_their_parties(firm: Population) -> None:
    ids = {row["id"] for row in firm.crm["records"]["CBeteiligte"]}
    for kind in ("CAdressen", "CBankverbindungen"):
        assert firm.crm["records"][kind]
        assert {row["beteiligteId"] for row in firm.crm["records"][kind]} <= ids


def test_appointments_cover_the_situations(firm: Population) -> None:
    rows = firm.office["termine"]
    assert {row.get("turnusArt") for row in rows} >= {1, 2, 3, 4}
    assert any(row.get("frNr", 0) < 0 for row in rows)
    assert any(row.get("sb") == "ALLE" for row in rows)
    assert {row["sb"] for row in rows} - {"ALLE"} == {
        row["kuerzel"] for row in firm.office["mitarbeiter"] if row["aktiv"]
    }
