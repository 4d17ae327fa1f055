"""Duplicates merged in EspoCRM: the survivor takes the number of the deleted record, and the link with it."""

from contextlib import suppress

import pytest

from vmh_sync.sync.reporting.outcome import Result
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.adressen import test_addresses as addresses
from vmh_sync_tests.pipeline.kommunikation import sides


def delete(firm: Firm, espo_id: str) -> None:
    firm.crm.edit("CBeteiligte", "delete", id=espo_id)


def merged(firm: Firm, **survivor: object) -> tuple[str, str, int]:
    """A linked party that was merged into another record; returns the dead id, the living one and the number."""
    dead, betnr = firm.linked_party(lastName="Huber", zusatz="nur hier")
    delete(firm, dead)
    living = firm.crm_party(lastName="Huber", betnr=betnr, **survivor)
    return dead, living, betnr


def link_of(firm: Firm, espo_id: str) -> int | None:
    with firm.store.reading() as tx:
        link = tx.links.get_by_espo("beteiligte", espo_id)
    return link.betnr if link is not None else None


@pytest.mark.parametrize("noticed", [False, True])
def test_the_link_moves_to_the_survivor_and_blanks_nothing(firm: Firm, noticed: bool) -> None:
    dead, betnr = firm.linked_party(lastName="Huber", zusatz="nur hier")
    delete(firm, dead)
    if noticed:
        firm.sync(dead)
        assert len(firm.tasks()) == 1
    living = firm.crm_party(lastName="Huber", betnr=betnr, titel="Dr.")
    (outcome,) = firm.outcomes(living)
    assert (outcome.result, outcome.betnr) == (Result.SYNCED, betnr)
    record, party = firm.crm_record(living), firm.office_record(betnr)
    assert (record["syncStatus"], record["zusatz"], party["zusatz"]) == ("clean", "nur hier", "nur hier")
    assert (record["titel"], party["titel"]) == ("Dr.", "Dr.")
    assert (link_of(firm, living), link_of(firm, dead)) == (betnr, None)
    assert firm.tasks() == []
    firm.until_quiet()
    assert len(firm.office_records()) == 1
    with firm.store.reading() as tx:
        reasons = [change.reason for change in tx.audit.for_record(living) if change.kind == "linked"]
        assert tx.records.get("beteiligte", dead) is None
    assert reasons == [f"moved from {dead}, which was deleted in EspoCRM"]


def test_an_edit_of_the_survivor_counts_from_then_on(firm: Firm) -> None:
    _, living, betnr = merged(firm)
    firm.until_quiet()
    firm.crm_edit(living, zusatz="neu")
    firm.office_edit(betnr, titel="Prof.")
    firm.until_quiet()
    assert firm.office_record(betnr)["zusatz"] == "neu"
    assert firm.crm_record(living)["titel"] == "Prof."


def test_phones_and_addresses_of_the_dead_record_follow(firm: Firm) -> None:
    dead, betnr = firm.linked_party(lastName="Huber")
    firm.crm_edit(dead, emailAddressData=[sides.mail("alt@huber.example", primary=True)])
    child = addresses.address(firm, dead)
    firm.until_quiet()
    delete(firm, dead)
    living = firm.crm_party(
        lastName="Huber", betnr=betnr, emailAddressData=[sides.mail("neu@huber.example", primary=True)]
    )
    firm.crm.edit("CAdressen", "update", id=child, values={"beteiligteId": living})
    firm.until_quiet()
    assert sorted(sides.values(firm, betnr)) == ["alt@huber.example", "neu@huber.example"]
    mails = [row["emailAddress"] for row in firm.crm_record(living)["emailAddressData"]]
    assert sorted(mails) == ["alt@huber.example", "neu@huber.example"]
    assert len(addresses.there(firm, betnr)) == 1
    assert len(firm.crm_records("CAdressen")) == 1
    assert firm.tasks() == []


def test_several_merges_in_one_pass_and_a_chain_of_them(firm: Firm) -> None:
    first, second = merged(firm), merged(firm)
    firm.until_quiet()
    assert [link_of(firm, one[1]) for one in (first, second)] == [first[2], second[2]]
    delete(firm, first[1])
    last = firm.crm_party(lastName="Huber", betnr=first[2])
    firm.until_quiet()
    assert link_of(firm, last) == first[2]
    assert len(firm.office_records()) == 2


def test_two_that_claim_the_number_of_a_deleted_record_are_refused(firm: Firm) -> None:
    _, living, betnr = merged(firm)
    other = firm.crm_party(lastName="Huber", betnr=betnr)
    assert all("bei mehreren Beteiligten" in str(one.error) for one in firm.outcomes(living, other))


def test_a_living_owner_keeps_its_number(firm: Firm) -> None:
    owner, betnr = firm.linked_party(lastName="Huber")
    other = firm.crm_party(lastName="Huber", betnr=betnr)
    (outcome,) = firm.outcomes(other)
    assert f"schon zu einem anderen Beteiligten (ID {owner})" in str(outcome.error)
    assert link_of(firm, owner) == betnr


def test_an_owner_that_cannot_be_read_is_not_gone(firm: Firm) -> None:
    dead, living, _ = merged(firm)
    firm.crm.fault(f"/CBeteiligte/{dead}$", "status", status=400, method="GET", times=20)
    (outcome,) = firm.outcomes(living)
    assert (outcome.result, link_of(firm, living)) == (Result.FAILED, None)
    firm.crm.clear_faults()
    firm.until_quiet()
    assert link_of(firm, living) is not None


def test_a_linked_party_is_refused_the_number_of_a_living_one(firm: Firm) -> None:
    other, betnr = firm.linked_party(lastName="Huber")
    living, own = firm.linked_party(lastName="Hubert")
    firm.crm_edit(living, betnr=betnr)
    (outcome,) = firm.outcomes(living)
    assert f"verknüpft ist die Nummer {own}" in str(outcome.error)
    assert (link_of(firm, living), link_of(firm, other)) == (own, betnr)


def test_a_survivor_without_a_number_is_not_created_beside_the_party_that_the_dead_one_left(firm: Firm) -> None:
    mails = [sides.mail("huber@huber.example", primary=True)]
    dead, betnr = firm.linked_party(lastName="Huber", firstName="Eva", emailAddressData=mails)
    delete(firm, dead)
    living = firm.crm_party(lastName="Huber", firstName="Eva", emailAddressData=mails)
    firm.sync(living)
    assert [one["betNr"] for one in firm.office_records()] == [betnr]
    assert str(betnr) in firm.tasks()[0]["name"]


@pytest.mark.parametrize("step", range(0, 12, 2))
def test_a_pass_that_ends_anywhere_is_taken_up_again(firm: Firm, step: int) -> None:
    dead, betnr = firm.linked_party(lastName="Huber", zusatz="nur hier")
    delete(firm, dead)
    firm.sync(dead)
    living = firm.crm_party(lastName="Huber", betnr=betnr)
    firm.crm.fault("/api/v1/", "status", status=400, skip=step, times=50)
    with suppress(ForeignSystemError):
        firm.sync(living)
    firm.crm.clear_faults()
    firm.until_quiet()
    assert (firm.crm_record(living)["zusatz"], link_of(firm, living)) == ("nur hier", betnr)
    assert (firm.tasks(), len(firm.office_records())) == ([], 1)
