"""A system leaves out a whole list in one well-formed answer: nothing is doubled and nothing is lost by it.

Whichever of a pass's reads it is: an empty list from which something would follow is read a second time, and only what
both say is believed (sync-semantics.md 2).
"""

from typing import Any

import pytest

from vmh_sync_tests.fixtures.firm import Firm

READS = range(4)
SOME = {("[]", 0), ("[]", 2), ("null", 1), ("null", 3)}
"""Of the reads that an empty answer may fall on: each once in the normal run, all of them in the proof."""
EMPTY = [
    pytest.param(body, skip, marks=() if (body, skip) in SOME else pytest.mark.proof)
    for body in ("[]", "null")
    for skip in READS
]
LISTS = {"kommunikation": "Kommunikation", "adressen": "Adressen", "bankverbindungen": "Bankverbindungen"}
IBAN = "DE89370400440532013000"
ADDRESS = {"strasse": "Weg 1", "plz": "70173", "ort": "Stuttgart"}


def office_party_with_one_of_each(firm: Firm) -> int:
    betnr = firm.office_party(name="Neu")
    firm.office.edit("Kommunikation", "create", betNr=betnr, values={"tlf": "+49 711 654321", "kommKz": 1})
    firm.office.edit("Adressen", "create", betNr=betnr, values=ADDRESS)
    firm.office.edit("Bankverbindungen", "create", betNr=betnr, values={"iban": IBAN})
    return betnr


def crm_children(firm: Firm, espo_id: str) -> None:
    """The same address and account, typed into EspoCRM."""
    address = {"adresseStreet": "Weg 1", "adressePostalCode": "70173", "adresseCity": "Stuttgart"}
    firm.crm.edit("CAdressen", "create", values={"name": "A", "beteiligteId": espo_id, **address})
    firm.crm.edit("CBankverbindungen", "create", values={"name": "K", "beteiligteId": espo_id, "iban": IBAN})


def one_answer_without(firm: Firm, betnr: int, name: str, body: str, skip: int) -> None:
    """The list is empty in the answer after ``skip`` others, embedded or listed."""
    where: dict[str, Any] = {"betNr": betnr}
    path = f"Beteiligte/{betnr}$"
    firm.office.fault(path, "tamper", method="GET", where=where, field=name, body=body, times=1, skip=skip)
    firm.office.fault(f"Beteiligte/{betnr}/{LISTS[name]}", "empty", method="GET", body="[]", times=1, skip=skip)


def counts(firm: Firm, betnr: int) -> list[int]:
    party = firm.office_record(betnr)
    return [len([one for one in party[name] if one.get("tlf", "x")]) for name in LISTS]


def values_here(firm: Firm, espo_id: str) -> list[Any]:
    children = [len(firm.crm_records(entity)) for entity in ("CAdressen", "CBankverbindungen")]
    return [[one["phoneNumber"] for one in firm.crm_record(espo_id)["phoneNumberData"]], *children]


@pytest.mark.parametrize(("body", "skip"), EMPTY)
@pytest.mark.parametrize("name", LISTS)
def test_at_first_contact_nothing_is_created_twice(firm: Firm, name: str, body: str, skip: int) -> None:
    betnr = office_party_with_one_of_each(firm)
    espo_id = firm.crm_party(lastName="Neu", betnr=betnr, phoneNumber="+49 711 654321")
    crm_children(firm, espo_id)
    one_answer_without(firm, betnr, name, body, skip)
    firm.sync(espo_id)
    firm.office.clear_faults()
    firm.until_quiet()
    assert counts(firm, betnr) == [1, 1, 1]
    assert values_here(firm, espo_id)[1:] == [1, 1]


@pytest.mark.parametrize(("body", "skip"), EMPTY)
@pytest.mark.parametrize("name", LISTS)
def test_later_nothing_is_lost_or_created_twice(firm: Firm, name: str, body: str, skip: int) -> None:
    betnr = office_party_with_one_of_each(firm)
    espo_id = firm.crm_party(lastName="Neu", betnr=betnr)
    firm.until_quiet()
    before = values_here(firm, espo_id)
    firm.crm_edit(espo_id, titel="Dr.")
    one_answer_without(firm, betnr, name, body, skip)
    firm.sync(espo_id)
    assert values_here(firm, espo_id) == before
    firm.office.clear_faults()
    firm.until_quiet()
    assert values_here(firm, espo_id) == before
    assert len(before[0]) == 1
    assert counts(firm, betnr) == [1, 1, 1]
    assert firm.tasks() == []


@pytest.mark.parametrize("skip", range(3))
@pytest.mark.parametrize("body", ["[]", "null"])
def test_a_list_that_espocrm_leaves_out_once_empties_nothing_in_advoware(firm: Firm, body: str, skip: int) -> None:
    espo_id, betnr = firm.linked_party(phoneNumber="+49 711 654321")
    firm.until_quiet()
    firm.crm_edit(espo_id, titel="Dr.")
    where, path = {"id": espo_id}, f"CBeteiligte/{espo_id}$"
    firm.crm.fault(path, "tamper", method="GET", where=where, field="phoneNumberData", body=body, times=1, skip=skip)
    firm.sync(espo_id)
    assert counts(firm, betnr)[0] == 1
    firm.crm.clear_faults()
    firm.until_quiet()
    assert counts(firm, betnr)[0] == 1
    assert len(values_here(firm, espo_id)[0]) == 1


def test_an_entry_that_is_really_gone_leaves_the_other_side_too(firm: Firm) -> None:
    """Two equal answers are believed at once."""
    espo_id, betnr = firm.linked_party(phoneNumber="+49 711 654321")
    firm.until_quiet()
    firm.crm_edit(espo_id, phoneNumberData=[], phoneNumber=None)
    firm.until_quiet()
    assert counts(firm, betnr)[0] == 0
