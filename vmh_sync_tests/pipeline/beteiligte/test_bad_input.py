"""Missing, doubled, deleted and unreadable records: each has a defined outcome, and nothing is lost."""

import pytest

from vmh_sync.sync.planning.guards import GuardTripped
from vmh_sync.sync.reporting.outcome import Result
from vmh_sync_tests.fixtures.firm import Firm


def test_an_unknown_id_fails_alone(firm: Firm) -> None:
    espo_id = firm.crm_party(lastName="Da")
    good, bad = firm.outcomes(espo_id, "0123456789abcdef0")
    assert good.result is Result.SYNCED
    assert (bad.result, bad.error_class) == (Result.FAILED, "UnknownId")


def test_more_than_200_ids_are_all_synced(firm: Firm) -> None:
    ids = [firm.crm_party(lastName=f"Nr {number}") for number in range(205)]
    summary = firm.sync(*ids)
    assert summary.results[Result.SYNCED] == 205
    assert len(firm.office_records()) == 205


def test_two_records_with_one_number_are_both_refused_until_a_person_decides(firm: Firm) -> None:
    betnr = firm.office_party(name="Einzig")
    first = firm.crm_party(lastName="Einzig", betnr=betnr)
    second = firm.crm_party(lastName="Doppelt", betnr=betnr)
    outcomes = firm.outcomes(first, second)
    assert {outcome.result for outcome in outcomes} == {Result.FAILED}
    assert firm.office_record(betnr)["name"] == "Einzig"
    assert str(betnr) in firm.crm_record(first)["syncErrorMessage"]
    assert firm.crm_record(second)["syncStatus"] == "permanently_failed"
    firm.crm_edit(second, betnr=None)
    assert firm.sync(first).results[Result.SYNCED] == 1


def test_a_number_that_is_linked_already_is_refused_for_another_record(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(lastName="Erst")
    second = firm.crm_party(lastName="Zweit", betnr=betnr)
    (outcome,) = firm.outcomes(second)
    assert outcome.result is Result.FAILED
    assert espo_id in (outcome.error or "")
    assert firm.office_record(betnr)["name"] == "Erst"


def test_a_party_deleted_in_advoware_is_marked_and_nothing_is_deleted_here(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(lastName="Weg")
    firm.office.edit("Beteiligte", "delete", betNr=betnr)
    firm.sync()
    record = firm.crm_record(espo_id)
    assert record["syncStatus"] == "deleted_in_advoware"
    assert record["advowareDeletedAt"]
    assert record["lastName"] == "Weg"
    (task,) = firm.tasks()
    assert task["parentId"] == espo_id
    assert not any(firm.sync().writes.values())
    assert len(firm.office_records()) == 0, "nothing is created anew"


def test_a_party_deleted_in_espocrm_becomes_a_task(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(lastName="Weg")
    firm.crm_party(lastName="Bleibt")
    firm.crm.edit("CBeteiligte", "delete", id=espo_id)
    firm.sync()
    assert firm.office_record(betnr)["name"] == "Weg"
    (task,) = firm.tasks()
    assert str(betnr) in task["name"]
    assert not any(firm.sync().writes.values())


@pytest.mark.parametrize("action", ["malformed", "empty"])
def test_an_unreadable_answer_of_advoware_changes_nothing(firm: Firm, action: str) -> None:
    espo_id, betnr = firm.linked_party(lastName="Alt", titel="Dr.")
    firm.crm_edit(espo_id, lastName="Neu")
    before = firm.office_record(betnr)
    firm.office.fault(f"Beteiligte/{betnr}$", action, method="GET")
    (outcome,) = firm.outcomes(espo_id)
    assert outcome.result is Result.FAILED
    said = firm.crm_record(espo_id)["syncErrorMessage"]
    assert outcome.error_class == "UnexpectedAnswer" and "Advoware hat unlesbar geantwortet" in said
    assert "[" not in said and "UnexpectedAnswer" not in said, "people read words, developers the class"
    assert firm.office_record(betnr) == before
    assert firm.crm_record(espo_id)["syncStatus"] == "failed"
    firm.office.clear_faults()
    firm.until_quiet()
    assert firm.office_record(betnr)["name"] == "Neu"
    assert firm.office_record(betnr)["titel"] == "Dr."


def test_an_empty_list_of_espocrm_is_a_fault_and_never_a_deletion(firm: Firm) -> None:
    firm.linked_party(lastName="Da")
    firm.crm.fault(r"/CBeteiligte\b", "empty", method="GET", body='{"total":-2,"list":[]}')
    with pytest.raises(GuardTripped):
        firm.sync()
    firm.crm.clear_faults()
    assert firm.tasks() == []


def test_many_blanked_fields_at_once_stop_for_a_person(firm: Firm) -> None:
    ids = [firm.crm_party(lastName=f"Nr {number}", titel="Dr.") for number in range(60)]
    firm.sync()
    numbers = [firm.crm_record(espo_id)["betnr"] for espo_id in ids]
    for betnr in numbers:
        firm.office_edit(betnr, titel="")
    with pytest.raises(GuardTripped):
        firm.sync()
    assert all(firm.crm_record(espo_id)["titel"] == "Dr." for espo_id in ids[:5])
    firm.sync(allow_mass_change=True)
    assert firm.crm_record(ids[0])["titel"] is None


def test_a_value_that_espocrm_refuses_stays_behind_alone(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(firstName="Max", lastName="Alt")
    firm.office_edit(betnr, vorname="x" * 200, titel="Dr.")
    firm.sync(espo_id)
    record = firm.crm_record(espo_id)
    assert (record["firstName"], record["titel"]) == ("Max", "Dr.")
    (task,) = firm.tasks()
    assert "Vorname" in task["name"]
    assert not any(firm.sync().writes.values())
    firm.office_edit(betnr, vorname="Moritz")
    firm.sync(espo_id)
    assert firm.crm_record(espo_id)["firstName"] == "Moritz"
    assert firm.tasks() == []
