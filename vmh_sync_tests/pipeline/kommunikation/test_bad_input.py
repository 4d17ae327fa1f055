"""What one side cannot take stays where it is, is told once, and everything else goes on (issue 3, bad input)."""

import pytest

from vmh_sync.sync.reporting.outcome import Result
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.kommunikation import sides
from vmh_sync_tests.pipeline.kommunikation.sides import NOTHING, mail, phone

REFUSED = {"X-Status-Reason": "Field validation failure; entityType: CBeteiligte, field: phoneNumber, type: valid"}


@pytest.mark.parametrize(
    ("tlf", "kind", "says"),
    [
        ("jürgen@müller.example", 4, "Umlaute"),
        ("kein at", 4, "E-Mail-Adresse"),
        ("0511 123456 App. 12", 1, "Durchwahl"),
        ("App. Müller", 1, "Text"),
        ("1234567", 1, "Vorwahl"),
        ("0511 123456 / 0511 654321", 1, "mehrere Nummern"),
    ],
)
def test_a_value_espocrm_would_refuse_stays_in_advoware(firm: Firm, tlf: str, kind: int, says: str) -> None:
    espo_id, betnr = firm.linked_party()
    number = sides.office_add(firm, betnr, tlf, kind)
    sides.office_add(firm, betnr, "gut@huber.example", 4)
    (outcome,) = firm.outcomes(espo_id)
    assert outcome.result is Result.SYNCED
    assert sides.addresses(firm, espo_id) == ["gut@huber.example"]
    assert sides.numbers(firm, espo_id) == []
    assert sides.entries(firm, betnr)[number]["tlf"] == tlf
    (task,) = firm.tasks()
    assert says in task["description"]
    assert tlf in task["description"]
    assert [finding for finding in outcome.findings if says in finding.message]
    assert firm.crm_record(espo_id)["syncStatus"] == "conflict"
    with firm.store.reading() as tx:
        refused = [one.new for one in tx.audit.for_record(espo_id) if one.kind == "refused"]
    assert refused == [tlf]
    assert sides.writes(firm, espo_id) == NOTHING
    assert firm.sync(espo_id).results[Result.UNCHANGED] == 1


def test_the_task_closes_itself_once_the_value_is_mended(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party()
    number = sides.office_add(firm, betnr, "jürgen@müller.example", 4)
    firm.sync(espo_id)
    assert len(firm.tasks()) == 1
    sides.office_change(firm, number, tlf="juergen@mueller.example")
    firm.until_quiet()
    assert firm.tasks() == []
    assert sides.addresses(firm, espo_id) == ["juergen@mueller.example"]


def test_two_spellings_in_advoware_are_one_item(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party()
    sides.office_add(firm, betnr, "Info@Huber.example", 4)
    sides.office_add(firm, betnr, "info@huber.example", 8)
    firm.until_quiet()
    assert len(sides.mails(firm, espo_id)) == 1
    assert len(sides.entries(firm, betnr)) == 2


def test_foreign_numbers_and_empty_strings(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party()
    for tlf in ("+43 1 234567", "0043 1 765432", "", "   "):
        sides.office_add(firm, betnr, tlf, 1)
    firm.until_quiet()
    assert sides.numbers(firm, espo_id) == ["+431234567", "+431765432"]
    assert len(sides.entries(firm, betnr)) == 4


def test_a_long_remark_is_kept_byte_for_byte(firm: Firm) -> None:
    espo_id, betnr = sides.party(firm, mails=[mail("a@huber.example", primary=True)])
    remark = "ä\r\n" + "x" * 1990 + "  \t"
    number = sides.entry(firm, betnr, "a@huber.example")["id"]
    sides.office_change(firm, number, bemerkung=remark)
    firm.crm_edit(espo_id, emailAddressData=[mail("b@huber.example", primary=True)])
    firm.sync(espo_id)
    entry = sides.entries(firm, betnr)[number]
    assert (entry["tlf"], entry["bemerkung"]) == ("b@huber.example", remark)


def test_the_eleventh_entry_is_told_and_nothing_is_lost(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party()
    for place in range(11):
        sides.office_add(firm, betnr, f"m{place:02}@huber.example", 4)
    (outcome,) = firm.outcomes(espo_id)
    assert len(sides.mails(firm, espo_id)) == 10
    assert [one for one in outcome.findings if "höchstens 10" in one.message]
    (task,) = firm.tasks()
    assert "m10@huber.example" in task["description"]
    assert sides.writes(firm, espo_id) == NOTHING
    sides.office_delete(firm, sides.entry(firm, betnr, "m03@huber.example")["id"])
    firm.until_quiet()
    assert "m10@huber.example" in sides.addresses(firm, espo_id)
    assert firm.tasks() == []


def test_a_list_espocrm_refuses_on_the_wire_is_told_and_the_rest_goes_on(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party()
    number = sides.office_add(firm, betnr, "0511 987654", 1)
    sides.office_add(firm, betnr, "gut@huber.example", 4)
    firm.crm.fault("CBeteiligte/", "status", method="PUT", status=400, headers=REFUSED, times=1)
    firm.sync(espo_id)
    assert sides.addresses(firm, espo_id) == ["gut@huber.example"]
    assert sides.numbers(firm, espo_id) == []
    (task,) = firm.tasks()
    assert "0511 987654" in task["description"]
    assert sides.writes(firm, espo_id) == NOTHING
    sides.office_change(firm, number, tlf="0511 987655")
    firm.until_quiet()
    assert sides.numbers(firm, espo_id) == ["+49511987655"]
    assert firm.tasks() == []


def test_a_value_advoware_refuses_stays_in_espocrm(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party()
    firm.office.fault("Kommunikationen", "status", method="POST", status=422, times=1)
    firm.crm_edit(
        espo_id,
        emailAddressData=[mail("a@huber.example", primary=True)],
        phoneNumberData=[phone("+49511123456", primary=True)],
    )
    firm.sync(espo_id)
    assert len(sides.values(firm, betnr)) == 1
    assert (len(sides.mails(firm, espo_id)), len(sides.phones(firm, espo_id))) == (1, 1)
    (task,) = firm.tasks()
    assert "Advoware nimmt den Wert" in task["description"]
    assert sides.writes(firm, espo_id) == NOTHING
    firm.crm_edit(espo_id, emailAddressData=[mail("b@huber.example", primary=True)])
    firm.until_quiet()
    assert sides.values(firm, betnr) == ["+49511123456", "b@huber.example"]
    assert firm.tasks() == []


def test_a_corrected_value_that_advoware_refuses_again_keeps_its_task_open(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party()
    sides.office_add(firm, betnr, "a@huber.example", 4)
    firm.sync(espo_id)
    firm.office.fault("Kommunikationen/", "status", method="PUT", status=422, times=2)
    for value in ("b@huber.example", "c@huber.example"):
        firm.crm_edit(espo_id, emailAddressData=[mail(value, primary=True)])
        firm.sync(espo_id)
        (task,) = firm.tasks()
        assert value in task["description"]
    assert sides.writes(firm, espo_id) == NOTHING
    assert len(firm.tasks()) == 1


def test_a_value_that_advoware_drops_without_a_word_is_told_and_written_once(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party()
    sides.office_add(firm, betnr, "a@huber.example", 4)
    firm.sync(espo_id)
    firm.office.fault("Kommunikationen/", "empty", method="PUT", times=1)
    firm.crm_edit(espo_id, emailAddressData=[mail("b@huber.example", primary=True)])
    firm.sync(espo_id)
    (task,) = firm.tasks()
    assert "b@huber.example" in task["description"]
    assert sides.writes(firm, espo_id) == NOTHING
    assert firm.crm_record(espo_id)["syncStatus"] == "conflict"


def test_one_bad_value_in_a_refused_list_does_not_hold_back_the_good_ones(firm: Firm) -> None:
    espo_id, betnr = sides.party(firm, phones=[phone("+49511123456", primary=True, optOut=True)])
    for tlf in ("0511 700001", "0511 700002", "0511 700003"):
        sides.office_add(firm, betnr, tlf, 1)
    # All three together, then the first one alone, are refused; the others are taken.
    firm.crm.fault(f"CBeteiligte/{espo_id}", "status", method="PUT", status=400, headers=REFUSED, times=1)
    firm.crm.fault(f"CBeteiligte/{espo_id}", "status", method="PUT", status=400, headers=REFUSED, times=1, skip=1)
    firm.until_quiet()
    assert sides.numbers(firm, espo_id) == ["+49511123456", "+49511700002", "+49511700003"]
    assert [one["optOut"] for one in sides.phones(firm, espo_id)] == [True, False, False]
    assert len(sides.values(firm, betnr)) == 4
    (task,) = firm.tasks()
    assert "0511 700001" in task["description"]
    assert firm.crm_record(espo_id)["syncStatus"] == "conflict"
