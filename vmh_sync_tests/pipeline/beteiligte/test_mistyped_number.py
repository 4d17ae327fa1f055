"""A number in ``betnr`` that Advoware does not have: nothing is linked before the first successful read."""

import pytest

from vmh_sync_tests.fixtures.firm import Firm

NOBODY = 7777777


@pytest.fixture
def mistyped(firm: Firm) -> str:
    espo_id = firm.crm_party(lastName="Vertippt", betnr=NOBODY)
    (outcome,) = firm.outcomes(espo_id)
    assert f"Die Nummer {NOBODY} gibt es in Advoware nicht" in str(outcome.error)
    with firm.store.reading() as tx:
        assert tx.links.get_by_espo("beteiligte", espo_id) is None
    return espo_id


def test_a_corrected_number_is_linked(firm: Firm, mistyped: str) -> None:
    betnr = firm.office_party(name="Vertippt")
    firm.crm_edit(mistyped, betnr=betnr)
    firm.sync(mistyped)
    assert firm.crm_record(mistyped)["betnr"] == betnr
    assert firm.crm_record(mistyped)["syncStatus"] == "clean"


def test_an_emptied_number_lets_the_party_be_created(firm: Firm, mistyped: str) -> None:
    firm.crm_edit(mistyped, betnr=None)
    firm.sync(mistyped)
    (made,) = firm.office_records()
    assert firm.crm_record(mistyped)["betnr"] == made["betNr"] != NOBODY


def test_the_guard_counts_a_record_once_however_often_it_loses_a_value(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VMH_MASS_CHANGE_RECORDS", "5")
    parties = [firm.linked_party(titel="Dr.", zusatz="c/o", firstName="Max")[0] for _ in range(4)]
    for field in ("titel", "zusatz", "firstName"):
        for espo_id in parties:
            firm.crm_edit(espo_id, **{field: None})
        assert firm.sync(*parties).failures == []


@pytest.mark.parametrize("noticed", [False, True])
def test_a_record_whose_party_is_gone_in_advoware_takes_the_number_of_the_one_that_is_left(
    firm: Firm, noticed: bool
) -> None:
    """The office joined two parties into one: the number in EspoCRM is corrected, and nobody asks for the old one."""
    espo_id, gone = firm.linked_party(lastName="Huber", titel="Dr.")
    left = firm.office_party(name="Huber", zusatz="c/o Beispiel")
    firm.office.edit("Beteiligte", "delete", betNr=gone)
    if noticed:
        firm.sync(espo_id)
    firm.crm_edit(espo_id, betnr=left)
    firm.until_quiet()
    record, party = firm.crm_record(espo_id), firm.office_record(left)
    assert (record["betnr"], record["syncStatus"], record["zusatz"]) == (left, "clean", "c/o Beispiel")
    assert (party["titel"], len(firm.office_records()), firm.tasks()) == ("Dr.", 1, [])
