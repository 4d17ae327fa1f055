"""Flags and phone types: kept through our writes, never a reason for one (specification, espocrm.md B5)."""

from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.kommunikation import sides
from vmh_sync_tests.pipeline.kommunikation.sides import NOTHING, mail, phone


def test_optout_invalid_and_type_survive_a_write_of_the_list(firm: Firm) -> None:
    espo_id, betnr = sides.party(
        firm,
        mails=[mail("a@huber.example", primary=True, optOut=True), mail("b@huber.example", invalid=True)],
        phones=[phone("+49511123456", "Home", primary=True, invalid=True), phone("+49511999", "Other", optOut=True)],
    )
    sides.office_add(firm, betnr, "c@huber.example", 4)
    sides.office_add(firm, betnr, "0171 2345678", 3)
    firm.until_quiet()
    flags = {one["emailAddress"]: (one["optOut"], one["invalid"]) for one in sides.mails(firm, espo_id)}
    assert flags == {
        "a@huber.example": (True, False),
        "b@huber.example": (False, True),
        "c@huber.example": (False, False),
    }
    told = {one["phoneNumber"]: (one["type"], one["optOut"], one["invalid"]) for one in sides.phones(firm, espo_id)}
    assert told == {
        "+49511123456": ("Home", False, True),
        "+49511999": ("Other", True, False),
        "+491712345678": ("Mobile", False, False),
    }


def test_a_type_changed_through_another_record_causes_no_write(firm: Firm) -> None:
    espo_id, betnr = sides.party(firm, phones=[phone("+49511123456", "Office", primary=True)])
    firm.crm_party(phoneNumberData=[phone("+49511123456", "Fax", primary=True)])
    assert sides.phones(firm, espo_id)[0]["type"] == "Fax"
    assert sides.writes(firm, espo_id) == NOTHING
    firm.crm_edit(espo_id, titel="Dr.")
    firm.sync(espo_id)
    assert [one["kommKz"] for one in sides.entries(firm, betnr).values()] == [1]


def test_a_value_that_others_have_keeps_their_flags(firm: Firm) -> None:
    other = firm.crm_party(
        lastName="Andere",
        emailAddressData=[mail("gemeinsam@huber.example", primary=True, optOut=True)],
        phoneNumberData=[phone("+49511123456", "Fax", primary=True, invalid=True)],
    )
    espo_id, betnr = firm.linked_party()
    sides.office_add(firm, betnr, "gemeinsam@huber.example", 4)
    sides.office_add(firm, betnr, "0511 123456", 3)
    firm.sync(espo_id)
    (address,), (number,) = sides.mails(firm, other), sides.phones(firm, other)
    assert address["optOut"]
    assert (number["type"], number["invalid"]) == ("Fax", True)
    assert sides.addresses(firm, espo_id) == ["gemeinsam@huber.example"]
