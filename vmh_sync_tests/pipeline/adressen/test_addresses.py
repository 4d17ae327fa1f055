"""Addresses, both ways, as a part of the party pass, against the sandbox over real HTTP."""

from typing import Any

import pytest

from vmh_sync.sync.reporting.outcome import Result
from vmh_sync_tests.fixtures.firm import Firm

STREET = {"adresseStreet": "Marktstraße 5", "adressePostalCode": "30159", "adresseCity": "Hannover"}


def address(firm: Firm, party: str, **values: Any) -> str:
    """A person creates an address in EspoCRM; returns its id."""
    filled = {"name": "Adresse", "beteiligteId": party, **STREET, **values}
    return str(firm.crm.edit("CAdressen", "create", values=filled)["id"])


def edit(firm: Firm, record: str, **values: Any) -> None:
    firm.crm.edit("CAdressen", "update", id=record, values=values)


def office_edit(firm: Firm, key: int, **values: Any) -> None:
    firm.office.edit("Adressen", "update", id=key, values=values)


def here(firm: Firm, record: str) -> dict[str, Any]:
    return firm.crm_record(record, "CAdressen")


def there(firm: Firm, betnr: int) -> list[dict[str, Any]]:
    addresses: list[dict[str, Any]] = firm.office_record(betnr)["adressen"]
    return addresses


def linked(firm: Firm, **values: Any) -> tuple[str, int, str, int]:
    """A party with a synced address: party id, number, address id here and there."""
    party, betnr = firm.linked_party(firstName="Erika", lastName="Muster")
    record = address(firm, party, **values)
    firm.sync(party)
    return party, betnr, record, there(firm, betnr)[0]["id"]


def test_a_new_address_is_created_whole_with_mark_and_block(firm: Firm) -> None:
    remark = "Hinterhaus. " + "x" * 2000
    _, betnr, record, key = linked(
        firm, adresseCountry="Deutschland", description=remark, istStandard=True, gueltigVon="2025-01-01"
    )
    (made,) = there(firm, betnr)
    assert made["anschrift"] == "Erika Muster\r\nMarktstraße 5\r\n30159 Hannover\r\nDeutschland"
    assert made["bemerkung"].startswith(f"EspoCRM-ID: {record}")
    assert made["bemerkung"].endswith(remark)
    assert (made["standardAnschrift"], made["gueltigVon"]) == (True, "2025-01-01T00:00:00")
    assert (here(firm, record)["advowareId"], here(firm, record)["syncStatus"]) == (key, "clean")
    assert here(firm, record)["description"] == remark
    assert not any(firm.sync().writes.values())


@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
def test_an_unanswered_create_makes_no_duplicate(firm: Firm, fault: str) -> None:
    party, betnr = firm.linked_party()
    address(firm, party)
    firm.office.fault("Adressen", fault, method="POST", times=1)
    firm.sync(party)
    firm.sync(party)
    assert len(there(firm, betnr)) == 1
    assert not any(firm.sync().writes.values())


def test_a_block_that_espocrm_was_not_told_of_is_carried_on_and_nobody_is_asked_to_empty_it(
    firm: Firm,
) -> None:
    party, betnr = firm.linked_party(firstName="Erika", lastName="Muster")
    record = address(firm, party)
    firm.crm.fault(f"CAdressen/{record}", "status", method="PUT", status=503, times=None)
    firm.sync(party)
    firm.crm.clear_faults()
    assert here(firm, record)["anschrift"] is None, "the pass ended between the create and the word to EspoCRM"
    firm.sync(party)
    assert firm.tasks() == []
    assert here(firm, record)["anschrift"].splitlines() == there(firm, betnr)[0]["anschrift"].splitlines()
    assert "Marktstraße 5" in there(firm, betnr)[0]["anschrift"]
    assert not any(firm.sync().writes.values())


def test_a_block_that_espocrm_refuses_at_the_create_is_no_wish_to_empty_it(firm: Firm) -> None:
    party, betnr = firm.linked_party(firstName="Erika", lastName="Muster")
    record = address(firm, party)
    why = {"X-Status-Reason": "Field validation failure; entityType: CAdressen, field: anschrift, type: valid"}
    firm.crm.fault(f"CAdressen/{record}", "status", method="PUT", status=400, headers=why, times=1)
    firm.sync(party)
    firm.until_quiet()
    assert firm.tasks() == []
    assert here(firm, record)["anschrift"].splitlines() == there(firm, betnr)[0]["anschrift"].splitlines()


def test_the_same_address_over_there_is_linked_not_created(firm: Firm) -> None:
    party, betnr = firm.linked_party()
    values = {"strasse": "Marktstr. 5", "plz": "30159", "ort": "HANNOVER", "anschrift": "Muster\r\nMarktstr. 5"}
    firm.office.edit("Adressen", "create", betNr=betnr, values=values)
    record = address(firm, party)
    firm.until_quiet()
    assert len(there(firm, betnr)) == 1
    assert len(firm.crm_records("CAdressen")) == 1
    assert here(firm, record)["advowareId"] == there(firm, betnr)[0]["id"]


def test_street_code_and_town_are_written_and_the_block_rebuilt(firm: Firm) -> None:
    party, betnr, record, _ = linked(firm)
    edit(firm, record, adresseStreet="Neue Gasse 1", adresseCity="Celle", adressePostalCode="29221")
    firm.sync(party)
    (made,) = there(firm, betnr)
    assert (made["strasse"], made["plz"], made["ort"]) == ("Neue Gasse 1", "29221", "Celle")
    assert made["anschrift"] == "Erika Muster\r\nNeue Gasse 1\r\n29221 Celle"
    assert made["bemerkung"] == f"EspoCRM-ID: {record}"
    assert firm.tasks() == []
    assert not any(firm.sync().writes.values())


def test_edits_of_both_sides_meet(firm: Firm) -> None:
    party, betnr, record, key = linked(firm)
    edit(firm, record, adresseStreet="Neue Gasse 1")
    office_edit(firm, key, ort="Celle", land="Deutschland")
    firm.sync(party)
    (made,) = there(firm, betnr)
    assert (made["strasse"], made["ort"]) == ("Neue Gasse 1", "Celle")
    assert (here(firm, record)["adresseCity"], here(firm, record)["adresseCountry"]) == ("Celle", "Deutschland")
    assert made["anschrift"] == "Erika Muster\r\nNeue Gasse 1\r\n30159 Celle\r\nDeutschland"
    assert not any(firm.sync().writes.values())


def test_a_block_typed_in_advoware_that_gives_way_to_a_new_street_is_kept_and_told(firm: Firm) -> None:
    party, betnr, record, key = linked(firm)
    edit(firm, record, adresseStreet="Neue Gasse 1")
    office_edit(firm, key, anschrift="c/o Huber\r\nMarktstraße 5\r\n30159 Hannover")
    firm.sync(party)
    (made,) = there(firm, betnr)
    assert made["anschrift"] == "Erika Muster\r\nNeue Gasse 1\r\n30159 Hannover"
    (task,) = firm.tasks()
    assert "c/o Huber" in task["description"]
    with firm.store.reading() as tx:
        lost = [c.losing_value for c in tx.audit.for_record(record) if c.kind == "conflict"]
    assert lost == ["c/o Huber\nMarktstraße 5\n30159 Hannover"]
    assert not any(firm.sync().writes.values())


def test_at_first_contact_a_block_that_gives_way_is_kept_and_not_told(firm: Firm) -> None:
    party, betnr = firm.linked_party(firstName="Erika", lastName="Muster")
    values = {"strasse": "Marktstr. 5", "plz": "30159", "ort": "Hannover", "anschrift": "c/o Huber"}
    firm.office.edit("Adressen", "create", betNr=betnr, values=values)
    record = address(firm, party, anschrift="c/o Huber")
    firm.sync(party)
    assert there(firm, betnr)[0]["anschrift"] == "Erika Muster\r\nMarktstraße 5\r\n30159 Hannover"
    with firm.store.reading() as tx:
        lost = [c.losing_value for c in tx.audit.for_record(record) if c.kind == "first_contact"]
    assert "c/o Huber" in lost
    assert firm.tasks() == []


def test_a_conflict_is_decided_kept_and_told(firm: Firm) -> None:
    party, betnr, record, key = linked(firm)
    edit(firm, record, adresseStreet="Aus Espo 1")
    office_edit(firm, key, strasse="Aus Advoware 2")
    firm.sync(party)
    assert there(firm, betnr)[0]["strasse"] == "Aus Espo 1"
    (task,) = firm.tasks()
    assert "Aus Advoware 2" in task["description"]
    with firm.store.reading() as tx:
        assert "Aus Advoware 2" in {c.losing_value for c in tx.audit.for_record(record) if c.kind == "conflict"}
    assert not any(firm.sync().writes.values())


def test_a_conflict_that_was_met_before_is_kept_again(firm: Firm) -> None:
    party, _, record, key = linked(firm)
    for _ in range(2):
        edit(firm, record, adresseStreet="Aus Espo 1")
        office_edit(firm, key, strasse="Aus Advoware 2")
        firm.sync(party)
        edit(firm, record, adresseStreet="Marktstraße 5")
        firm.sync(party)
    with firm.store.reading() as tx:
        lost = [c.losing_value for c in tx.audit.for_record(record) if c.kind == "conflict" and c.field == "strasse"]
    assert lost == ["Aus Advoware 2"] * 2


@pytest.mark.parametrize(
    ("attribute", "value", "field", "shown"),
    [
        ("adresseCountry", "Österreich", "land", "Österreich"),
        ("postfach", "1234", "postfach", "1234"),
        ("postfachPlz", "30001", "postfachPLZ", "30001"),
        ("istStandard", True, "standardAnschrift", True),
        ("gueltigVon", "2025-02-01", "gueltigVon", "2025-02-01T00:00:00"),
        ("gueltigBis", "2099-02-01", "gueltigBis", "2099-02-01T00:00:00"),
    ],
)
def test_a_read_only_field_becomes_a_task_that_closes_itself(
    firm: Firm, attribute: str, value: Any, field: str, shown: Any
) -> None:
    party, _, record, key = linked(firm)
    edit(firm, record, **{attribute: value})
    assert firm.sync(party).writes["advoware"] == 0
    (task,) = firm.tasks()
    assert task["parentId"] == party
    assert not any(firm.sync().writes.values())
    office_edit(firm, key, **{field: shown})
    firm.sync(party)
    assert firm.tasks() == []
    assert not any(firm.sync().writes.values())


def test_the_remark_is_a_read_only_field_too(firm: Firm) -> None:
    party, _, record, key = linked(firm)
    edit(firm, record, description="bitte klingeln")
    firm.sync(party)
    (task,) = firm.tasks()
    assert "bitte klingeln" in task["description"]
    office_edit(firm, key, bemerkung=f"EspoCRM-ID: {record}\r\nbitte klingeln")
    firm.sync(party)
    assert firm.tasks() == []


def test_edits_in_advoware_of_any_field_flow_here(firm: Firm) -> None:
    party, _, record, key = linked(firm)
    values = {"postfach": "99", "gueltigBis": "2099-01-01T00:00:00", "standardAnschrift": True, "bemerkung": "neu"}
    office_edit(firm, key, **values)
    firm.sync(party)
    told = here(firm, record)
    assert (told["postfach"], told["gueltigBis"], told["istStandard"]) == ("99", "2099-01-01", True)
    assert told["description"] == "neu"
    assert firm.tasks() == []
    assert not any(firm.sync().writes.values())


def test_an_address_typed_in_advoware_is_imported_once(firm: Firm) -> None:
    party, betnr = firm.linked_party()
    values = {"strasse": "Alte Allee 3", "plz": "30159", "ort": "Hannover", "anschrift": "Muster\r\nAlte Allee 3"}
    made = firm.office.edit("Adressen", "create", betNr=betnr, values=values)
    firm.crm.fault("CAdressen", "drop_after", method="POST", times=1)
    firm.sync(party)
    firm.sync(party)
    (record,) = firm.crm_records("CAdressen")
    assert (record["adresseStreet"], record["beteiligteId"]) == ("Alte Allee 3", party)
    assert (record["advowareId"], record["syncStatus"]) == (made["id"], "clean")
    assert len(there(firm, betnr)) == 1
    assert not any(firm.sync().writes.values())


@pytest.mark.parametrize("how", ["delete", "deactivate"])
@pytest.mark.parametrize("end", ["delete", "invalid"])
def test_deleted_here_becomes_a_task_and_a_tombstone(firm: Firm, how: str, end: str) -> None:
    party, betnr, record, key = linked(firm)
    if how == "delete":
        firm.crm.edit("CAdressen", "delete", id=record)
    else:
        edit(firm, record, istAktiv=False)
    firm.sync(party)
    (task,) = firm.tasks()
    assert "Marktstraße 5" in task["description"]
    assert len(there(firm, betnr)) == 1
    assert len(firm.crm_records("CAdressen")) == (0 if how == "delete" else 1)
    assert not any(firm.sync().writes.values())
    if end == "delete":
        firm.office.edit("Adressen", "delete", id=key)
    else:
        office_edit(firm, key, gueltigBis="2020-01-01T00:00:00")
    firm.sync(party)
    assert firm.tasks() == []
    assert not any(firm.sync().writes.values())
    assert len(firm.crm_records("CAdressen")) == (0 if how == "delete" else 1)


def test_an_ended_address_that_is_prolonged_is_told_again(firm: Firm) -> None:
    party, _, record, key = linked(firm)
    firm.crm.edit("CAdressen", "delete", id=record)
    firm.sync(party)
    office_edit(firm, key, gueltigBis="2020-01-01T00:00:00")
    firm.sync(party)
    assert firm.tasks() == []
    office_edit(firm, key, gueltigBis="2099-01-01T00:00:00")
    firm.sync(party)
    assert len(firm.tasks()) == 1
    assert not any(firm.sync().writes.values())


def test_reactivated_closes_the_delete_task(firm: Firm) -> None:
    party, _, record, _ = linked(firm)
    edit(firm, record, istAktiv=False)
    firm.sync(party)
    edit(firm, record, istAktiv=True)
    firm.sync(party)
    assert firm.tasks() == []


@pytest.mark.parametrize("setting", ["task", "create"])
def test_reactivated_after_it_ended_in_advoware(firm: Firm, firm_environment: pytest.MonkeyPatch, setting: str) -> None:
    firm_environment.setenv("VMH_REACTIVATE_ADDRESSES", setting)
    party, betnr, record, key = linked(firm)
    firm.office.edit("Adressen", "delete", id=key)
    firm.sync(party)
    assert here(firm, record)["istAktiv"] is False
    edit(firm, record, istAktiv=True)
    firm.sync(party)
    if setting == "task":
        (task,) = firm.tasks()
        assert "aktivieren" in task["name"]
        assert there(firm, betnr) == []
    else:
        assert firm.tasks() == []
        assert len(there(firm, betnr)) == 1
    assert not any(firm.sync().writes.values())


def test_gone_in_advoware_only_deactivates_here(firm: Firm) -> None:
    party, _, record, key = linked(firm)
    firm.office.edit("Adressen", "delete", id=key)
    firm.sync(party)
    assert here(firm, record)["istAktiv"] is False
    assert not here(firm, record).get("deleted")
    assert not any(firm.sync().writes.values())


def test_an_address_without_street_is_fine(firm: Firm) -> None:
    _, betnr, _, _ = linked(firm, adresseStreet=None, postfach="12")
    assert there(firm, betnr)[0]["anschrift"] == "Erika Muster\r\nPostfach 12\r\n30159 Hannover"
    assert not any(firm.sync().writes.values())


def test_a_validity_that_ends_before_it_begins_is_told_and_not_written(firm: Firm) -> None:
    party, betnr = firm.linked_party()
    record = address(firm, party, gueltigVon="2025-05-01", gueltigBis="2025-04-01")
    firm.sync(party)
    assert there(firm, betnr) == []
    assert here(firm, record)["syncStatus"] == "failed"
    assert "Gültig" in here(firm, record)["syncErrorMessage"]
    assert not any(firm.sync().writes.values())
    edit(firm, record, gueltigBis="2099-04-01")
    firm.sync(party)
    assert len(there(firm, betnr)) == 1
    assert here(firm, record)["syncStatus"] == "clean"


def test_unchanged_parties_cost_one_read_each_and_one_list(firm: Firm) -> None:
    for _ in range(3):
        linked(firm)
    firm.until_quiet()
    firm.office.clear_calls()
    firm.crm.clear_calls()
    summary = firm.sync()
    assert summary.results[Result.UNCHANGED] == 3
    assert not any(summary.writes.values())
    assert len([entry for entry in firm.office.calls()["log"] if "Beteiligte/" in str(entry)]) == 3
    assert len([entry for entry in firm.crm.calls()["log"] if "CAdressen" in str(entry)]) == 1
