"""Text where a day belongs: nothing is made of it, a person is told, and everything else is carried over."""

from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.adressen import test_addresses as addresses

OTHER_STREET = {"strasse": "Seeweg 9", "plz": "78462", "ort": "Konstanz"}


def told(firm: Firm) -> list[str]:
    return [f"{task['name']}\n{task['description']}" for task in firm.tasks()]


def test_a_birth_date_in_advoware_that_is_none_stays_there(firm: Firm) -> None:
    party, betnr = firm.linked_party(lastName="Huber", dateOfBirth="1970-03-01")
    firm.office_edit(betnr, titel="Prof.")
    firm.office.fault(".", "tamper", where={"betNr": betnr}, field="geburtsdatum", body='"Dr."')
    firm.until_quiet()
    record = firm.crm_record(party)
    assert (record["titel"], record["dateOfBirth"], record["syncStatus"]) == ("Prof.", "1970-03-01", "conflict")
    (task,) = told(firm)
    assert "Geburtsdatum" in task and "kein Datum" in task and "Dr." in task
    firm.office.clear_faults()
    firm.until_quiet()
    assert (firm.crm_record(party)["dateOfBirth"], firm.tasks()) == ("1970-03-01", [])


def test_a_birth_date_in_espocrm_that_is_none_stays_there(firm: Firm) -> None:
    party, betnr = firm.linked_party(lastName="Huber", dateOfBirth="1970-03-01")
    firm.crm_edit(party, titel="Prof.")
    firm.crm.fault("/CBeteiligte", "tamper", where={"id": party}, field="dateOfBirth", body='"Dr."')
    firm.until_quiet()
    there = firm.office_record(betnr)
    assert (there["titel"], there["geburtsdatum"]) == ("Prof.", "1970-03-01T00:00:00")
    (task,) = told(firm)
    assert "Geburtsdatum" in task and "kein Datum" in task


def test_an_address_is_taken_over_from_either_side_without_its_bad_day(firm: Firm) -> None:
    party, betnr = firm.linked_party(lastName="Huber")
    firm.office.edit("Adressen", "create", betNr=betnr, values={**OTHER_STREET, "gueltigBis": "2027-01-01"})
    firm.office.fault(".", "tamper", where={"strasse": "Seeweg 9"}, field="gueltigBis", body='"bald"')
    here = addresses.address(firm, party, gueltigVon="2025-01-01")
    firm.crm.fault("/CAdressen", "tamper", where={"id": here}, field="gueltigVon", body='"bald"')
    firm.until_quiet()
    imported = next(row for row in firm.crm_records("CAdressen") if row["id"] != here)
    made = next(one for one in addresses.there(firm, betnr) if one["strasse"] == "Marktstraße 5")
    assert (imported["adresseCity"], imported["gueltigBis"]) == ("Konstanz", None)
    assert (made["ort"], made["gueltigVon"]) == ("Hannover", None)
    assert sorted("Gültig bis" in task for task in told(firm)) == [False, True]
    assert all("kein Datum" in task for task in told(firm))
