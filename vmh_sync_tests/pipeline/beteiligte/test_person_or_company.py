"""A company that people make a person, on either side: all that they typed with it is carried over (entities.md 1)."""

from vmh_sync_tests.fixtures.firm import Firm

COMPANY = {"lastName": "Huber Bau", "firmenname": "Huber Bau", "rechtsform": "GmbH"}
PERSON = ("Huber", "Erika", "1890-01-02", "")
"""Name, first name, birth date, company's name."""


def in_espocrm(firm: Firm, espo_id: str) -> tuple[str, ...]:
    record = firm.crm_record(espo_id)
    assert record["rechtsform"] in ("", None, "Einzelperson")
    return tuple(record[name] or "" for name in ("lastName", "firstName", "dateOfBirth", "firmenname"))


def in_advoware(firm: Firm, betnr: int) -> tuple[str, ...]:
    party = firm.office_record(betnr)
    assert party["rechtsform"] in ("", "Einzelperson")
    return party["name"], party["vorname"], str(party["geburtsdatum"]).removesuffix("T00:00:00"), ""


def test_a_company_made_a_person_in_espocrm_is_one_in_advoware(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(**COMPANY)
    firm.crm_edit(espo_id, firmenname="", rechtsform="", lastName="Huber", firstName="Erika", dateOfBirth="1890-01-02")
    firm.sync(espo_id)
    assert in_espocrm(firm, espo_id) == in_advoware(firm, betnr) == PERSON
    assert not any(firm.sync(espo_id).writes.values())


def test_a_company_made_a_person_in_advoware_is_one_in_espocrm_and_may_be_a_company_again(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(**COMPANY)
    person = {"name": "Huber", "vorname": "Erika", "geburtsdatum": "1890-01-02T00:00:00"}
    firm.office_edit(betnr, rechtsform="Einzelperson", **person)
    firm.sync(espo_id)
    assert in_espocrm(firm, espo_id) == in_advoware(firm, betnr) == PERSON
    assert not any(firm.sync(espo_id).writes.values())
    firm.crm_edit(espo_id, firmenname="Huber Bau", rechtsform="GmbH")
    firm.until_quiet()
    assert firm.office_record(betnr)["name"] == firm.crm_record(espo_id)["lastName"] == "Huber Bau"


def test_a_company_whose_legal_form_alone_changes_in_advoware_keeps_its_name(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(**COMPANY)
    firm.office_edit(betnr, rechtsform="Einzelperson")
    firm.until_quiet()
    assert firm.crm_record(espo_id)["firmenname"] == "Huber Bau"


def test_a_legal_form_that_we_do_not_know_makes_no_company_a_person(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(lastName="Huber Partner", firmenname="Huber Partner", rechtsform="GbR")
    firm.office_edit(betnr, vorname="RA Erika Huber")
    firm.until_quiet()
    firm.office_edit(betnr, rechtsform="PartG mbB")
    firm.until_quiet()
    record = firm.crm_record(espo_id)
    assert (record["firmenname"], record["lastName"]) == ("Huber Partner", "Huber Partner")
