"""Master data of parties, both ways, against the sandbox over real HTTP."""

from vmh_sync.sync.reporting.outcome import Result
from vmh_sync_tests.fixtures.firm import Firm


def test_a_new_party_is_created_once_and_gets_its_number(firm: Firm) -> None:
    espo_id = firm.crm_party(firstName="Erika", lastName="Beispiel", salutationName="Ms.", dateOfBirth="1980-05-17")
    summary = firm.sync()
    record = firm.crm_record(espo_id)
    party = firm.office_record(record["betnr"])
    assert summary.results[Result.SYNCED] == 1
    assert (party["name"], party["vorname"], party["anrede"]) == ("Beispiel", "Erika", "Frau")
    assert party["geburtsdatum"] == "1980-05-17T00:00:00"
    assert record["syncStatus"] == "clean"
    assert len(firm.office_records()) == 1
    assert not any(firm.sync().writes.values())


def test_an_edit_in_espocrm_reaches_advoware_and_leaves_unknown_fields_alone(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(firstName="Max", lastName="Alt", titel="Dr.")
    firm.office_edit(betnr, kurzname="ALT", familienstand="ledig")
    firm.crm_edit(espo_id, lastName="Neu")
    firm.sync(espo_id)
    party = firm.office_record(betnr)
    assert (party["name"], party["vorname"], party["titel"]) == ("Neu", "Max", "Dr.")
    assert (party["kurzname"], party["familienstand"]) == ("ALT", "ledig")
    assert firm.crm_record(espo_id)["syncStatus"] == "clean"


def test_an_edit_in_advoware_reaches_espocrm(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(firstName="Max", lastName="Alt")
    firm.office_edit(betnr, name="Neu", anrede="Herr")
    firm.sync(espo_id)
    record = firm.crm_record(espo_id)
    assert (record["lastName"], record["salutationName"]) == ("Neu", "Mr.")


def test_edits_of_different_fields_on_both_sides_both_survive(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(firstName="Max", lastName="Alt")
    firm.crm_edit(espo_id, firstName="Moritz")
    firm.office_edit(betnr, zusatz="c/o Kanzlei")
    firm.sync(espo_id)
    record, party = firm.crm_record(espo_id), firm.office_record(betnr)
    assert (record["firstName"], record["zusatz"]) == ("Moritz", "c/o Kanzlei")
    assert (party["vorname"], party["zusatz"]) == ("Moritz", "c/o Kanzlei")


def test_a_conflict_is_decided_kept_in_the_audit_and_told_to_a_person(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(lastName="Alt")
    firm.crm_edit(espo_id, lastName="AusEspo")
    firm.office_edit(betnr, name="AusAdvoware")
    (outcome,) = firm.outcomes(espo_id)
    assert outcome.conflicts == 1
    assert firm.office_record(betnr)["name"] == "AusEspo"
    with firm.store.reading() as tx:
        conflict = next(change for change in tx.audit.for_record(espo_id) if change.kind == "conflict")
    assert (conflict.field, conflict.new, conflict.losing_value) == ("name", "AusEspo", "AusAdvoware")
    (task,) = firm.tasks()
    assert "AusAdvoware" in task["description"]
    assert "AusEspo" in task["description"]
    assert task["parentId"] == espo_id
    assert not any(firm.sync().writes.values())
    assert len(firm.tasks()) == 1, "a conflict task stays open until a person closes it"


def test_a_conflict_that_was_met_before_is_kept_again(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(lastName="Alt")
    for _ in range(2):
        firm.crm_edit(espo_id, lastName="AusEspo")
        firm.office_edit(betnr, name="AusAdvoware")
        firm.sync(espo_id)
        firm.crm_edit(espo_id, lastName="Alt")
        firm.sync(espo_id)
    with firm.store.reading() as tx:
        lost = [one for one in tx.audit.for_record(espo_id) if one.kind == "conflict"]
    assert [one.losing_value for one in lost] == ["AusAdvoware", "AusAdvoware"]
    assert len({one.run_id for one in lost}) == 2, "each pass tells what it overwrites, so that it can be taken back"


def test_a_field_that_advoware_ignores_becomes_a_task_that_closes_itself(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(lastName="Huber Bau", firmenname="Huber Bau", rechtsform="GmbH")
    firm.crm_edit(espo_id, handelsregisterNummer="HRB 4711")
    firm.sync(espo_id)
    (task,) = firm.tasks()
    assert "HRB 4711" in task["description"]
    assert not any(firm.sync().writes.values()), "what Advoware ignores is not written again and again"
    firm.office_edit(betnr, handelsRegisterNummer="HRB 4711")
    firm.sync()
    assert firm.tasks() == []
    assert firm.crm_record(espo_id)["handelsregisterNummer"] == "HRB 4711"


def test_an_unknown_choice_stays_on_its_side_and_is_reported(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(lastName="Alt", salutationName="Mr.")
    firm.office_edit(betnr, anrede="Eheleute", titel="Prof.")
    (outcome,) = firm.outcomes(espo_id)
    record = firm.crm_record(espo_id)
    assert (record["salutationName"], record["titel"]) == ("Mr.", "Prof.")
    assert firm.office_record(betnr)["anrede"] == "Eheleute"
    assert [finding.field for finding in outcome.findings] or firm.tasks()
    assert not any(firm.sync().writes.values())


def test_our_own_write_comes_back_as_no_change(firm: Firm) -> None:
    espo_id, _ = firm.linked_party(lastName="Alt")
    firm.crm_edit(espo_id, lastName="Neu")
    firm.sync(espo_id)
    again = firm.sync(espo_id)
    assert again.results[Result.UNCHANGED] == 1
    assert not any(again.writes.values())


def test_first_contact_fills_what_one_side_lacks_and_keeps_the_loser(firm: Firm) -> None:
    betnr = firm.office_party(name="Muster", vorname="Max", titel="Dr.")
    espo_id = firm.crm_party(lastName="Muster", firstName="Maximilian", zusatz="Hinterhaus", betnr=betnr)
    firm.sync()
    record, party = firm.crm_record(espo_id), firm.office_record(betnr)
    assert record["titel"] == "Dr."
    assert party["zusatz"] == "Hinterhaus"
    assert record["firstName"] == party["vorname"]
    with firm.store.reading() as tx:
        losers = {change.losing_value for change in tx.audit.for_record(espo_id) if change.kind == "first_contact"}
    assert losers == {"Max", "Maximilian"} - {record["firstName"]}
    assert firm.tasks() == [], "a first load must not bury people in tasks"


def test_of_two_names_that_a_person_gives_a_company_in_one_save_the_lost_one_is_told(firm: Firm) -> None:
    """firmenname says a company's name (entities.md 1); nothing vanishes untold (design.md 3)."""
    espo_id, betnr = firm.linked_party(lastName="Alt GmbH", firmenname="Alt GmbH", rechtsform="GmbH")
    firm.crm_edit(espo_id, firmenname="Neu GmbH", lastName="Frau Ansprech")
    firm.sync(espo_id)
    record = firm.crm_record(espo_id)
    assert (record["firmenname"], record["lastName"]) == ("Neu GmbH", "Neu GmbH")
    assert firm.office_record(betnr)["name"] == "Neu GmbH"
    with firm.store.reading() as tx:
        (lost,) = [change for change in tx.audit.for_record(espo_id) if change.kind == "conflict"]
    assert (lost.losing_value, lost.new, lost.losing_side) == ("Frau Ansprech", "Neu GmbH", "espocrm")
    (task,) = firm.tasks()
    assert "verworfen wurde „Frau Ansprech“" in task["description"]
    assert "auf beiden Seiten" not in task["description"]
    assert not any(firm.sync().writes.values())
    assert len(firm.tasks()) == 1, "it stays open until a person closes it"


def test_a_companys_name_stands_in_both_fields_of_espocrm(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(lastName="Alt GmbH", firmenname="Alt GmbH", rechtsform="GmbH")
    firm.office_edit(betnr, name="Neu GmbH")
    firm.sync(espo_id)
    record = firm.crm_record(espo_id)
    assert (record["firmenname"], record["lastName"]) == ("Neu GmbH", "Neu GmbH")
    firm.crm_edit(espo_id, firmenname="Neuer GmbH")
    firm.until_quiet()
    assert firm.office_record(betnr)["name"] == "Neuer GmbH"
    firm.crm_edit(espo_id, lastName="Neueste GmbH")
    firm.until_quiet()
    assert firm.office_record(betnr)["name"] == "Neueste GmbH"
