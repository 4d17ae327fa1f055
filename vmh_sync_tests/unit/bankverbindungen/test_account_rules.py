"""What makes a good account: IBAN and BIC, row by row (specification, entities.md 4)."""

import pytest

from vmh_sync.bankverbindungen import model
from vmh_sync.bankverbindungen.fields import FIELDS
from vmh_sync.bankverbindungen.part import KIND
from vmh_sync.sync.values import same


@pytest.mark.parametrize(
    "value",
    ["DE89370400440532013000", "DE89 3704 0044 0532 0130 00", " de89370400440532013000 ", "AT611904300234573201"],
)
def test_a_good_iban_in_any_spelling(value: str) -> None:
    assert model.iban_problem(value) is None


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, model.IBAN_MISSING),
        ("   ", model.IBAN_MISSING),
        ("DE88370400440532013000", model.IBAN_CHECKSUM),
        ("DE8937040044053201300", model.IBAN_LENGTH),
        ("ZZ89370400440532013000", model.IBAN_COUNTRY),
    ],
)
def test_a_bad_iban_has_a_german_sentence(value: str | None, problem: str) -> None:
    assert model.iban_problem(value) == problem


@pytest.mark.parametrize("value", ["???", "DE89 370A 0044 0532 0130 00", "Konto 12345"])
def test_nonsense_is_refused_without_repeating_it(value: str) -> None:
    problem = model.iban_problem(value)
    assert problem
    assert value not in problem


@pytest.mark.parametrize("value", [None, "", "COBADEFFXXX", "cobadeff"])
def test_a_good_bic(value: str | None) -> None:
    assert model.bic_problem(value) is None


@pytest.mark.parametrize("value", ["COBA", "COBAZZFF", "12345678901234"])
def test_a_bad_bic(value: str) -> None:
    assert model.bic_problem(value) == model.BIC_WRONG


def test_accounts_are_the_same_by_iban_whatever_the_spelling() -> None:
    assert model.natural_key({"iban": "de89 3704"}) == model.natural_key({"iban": "DE893704"})
    assert model.natural_key({"iban": " "}) is None


def test_both_systems_get_the_iban_without_blanks() -> None:
    assert KIND.create_values("x", {"iban": "de89 37", "bank": "A B"}, {}, "") == {"iban": "DE8937", "bank": "A B"}
    assert KIND.espo_values({"iban": "de89 37", "bankname": "A B"}) == {"iban": "DE8937", "bankname": "A B"}


def test_a_name_that_espocrm_takes() -> None:
    assert model.espo_name({"bank": "<b>Bank</b>"}) == "\u2039b\u203aBank\u2039/b\u203a"
    assert len(model.espo_name({"bank": "x" * 300})) == model.NAME_LIMIT
    assert model.espo_name({}) == "Bankverbindung"


def test_the_head_office_may_be_named_in_a_bic_or_not() -> None:
    assert same(FIELDS["bic"].kind, "COBADEFF", "coba de ff xxx")
    assert not same(FIELDS["bic"].kind, "COBADEFF", "COBADEFF060")
    assert not same(FIELDS["iban"].kind, "COBADEFF", "COBADEFFXXX")
