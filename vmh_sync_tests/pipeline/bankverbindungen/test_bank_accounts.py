"""Bank accounts, both ways, as a part of the party pass, against the sandbox over real HTTP."""

from typing import Any

import pytest

from vmh_sync.bankverbindungen.part import BankAccounts
from vmh_sync.sync.reporting.outcome import Result
from vmh_sync_tests.fixtures.firm import Firm

IBAN = "DE89370400440532013000"
OTHER_IBAN = "DE02120300000000202051"


def account(firm: Firm, party: str, **values: Any) -> str:
    """A person creates an account in EspoCRM; returns its id."""
    filled = {"name": "Konto", "beteiligteId": party, "iban": IBAN, "bankname": "Commerzbank", **values}
    return str(firm.crm.edit("CBankverbindungen", "create", values=filled)["id"])


def edit(firm: Firm, record: str, **values: Any) -> None:
    firm.crm.edit("CBankverbindungen", "update", id=record, values=values)


def here(firm: Firm, record: str) -> dict[str, Any]:
    return firm.crm_record(record, "CBankverbindungen")


def there(firm: Firm, betnr: int) -> list[dict[str, Any]]:
    accounts: list[dict[str, Any]] = firm.office_record(betnr)["bankverbindungen"]
    return accounts


def linked(firm: Firm, **values: Any) -> tuple[str, int, str]:
    """A party with a synced account: party id, number, account id."""
    party, betnr = firm.linked_party()
    record = account(firm, party, **values)
    firm.sync(party)
    return party, betnr, record


def test_a_new_account_is_created_once(firm: Firm) -> None:
    _, betnr, record = linked(firm, iban="de89 3704 0044 0532 0130 00")
    (made,) = there(firm, betnr)
    assert (made["iban"], made["bank"]) == (IBAN, "Commerzbank")
    assert (here(firm, record)["syncStatus"], here(firm, record)["advowareKontoId"]) == ("clean", made["id"])
    assert not any(firm.sync().writes.values())
    with firm.store.reading() as tx:
        assert "created" in {change.kind for change in tx.audit.for_record(record)}


def test_party_and_account_are_new_together(firm: Firm) -> None:
    party = firm.crm_party()
    account(firm, party)
    firm.sync(party)
    assert len(there(firm, firm.crm_record(party)["betnr"])) == 1
    assert not any(firm.sync().writes.values())


def test_the_same_iban_over_there_is_linked_not_created(firm: Firm) -> None:
    party, betnr = firm.linked_party()
    firm.office.edit("Bankverbindungen", "create", betNr=betnr, values={"iban": "DE89 3704 0044 0532 0130 00"})
    record = account(firm, party, bankname=None)
    firm.until_quiet()
    assert len(there(firm, betnr)) == 1
    assert len(firm.crm_records("CBankverbindungen")) == 1
    assert here(firm, record)["syncStatus"] == "clean"


@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
def test_an_unanswered_create_makes_no_duplicate(firm: Firm, fault: str) -> None:
    party, betnr = firm.linked_party()
    account(firm, party)
    firm.office.fault("Bankverbindungen", fault, method="POST", times=1)
    firm.sync(party)
    firm.sync(party)
    assert len(there(firm, betnr)) == 1
    assert not any(firm.sync().writes.values())


def test_an_account_typed_in_advoware_is_imported_once(firm: Firm) -> None:
    party, betnr = firm.linked_party()
    values = {"iban": IBAN, "bank": "Commerzbank", "kontoinhaber": "Erika Muster"}
    made = firm.office.edit("Bankverbindungen", "create", betNr=betnr, values=values)
    firm.crm.fault("CBankverbindungen", "drop_after", method="POST", times=1)
    firm.sync(party)
    firm.sync(party)
    (record,) = firm.crm_records("CBankverbindungen")
    assert (record["iban"], record["bankname"], record["kontoinhaber"]) == (IBAN, "Commerzbank", "Erika Muster")
    assert (record["beteiligteId"], record["advowareKontoId"]) == (party, made["id"])
    assert not any(firm.sync().writes.values())


def test_import_can_be_switched_off(firm: Firm, firm_environment: pytest.MonkeyPatch) -> None:
    firm_environment.setenv("VMH_IMPORT_BANK_ACCOUNTS", "false")
    party, betnr = firm.linked_party()
    firm.office.edit("Bankverbindungen", "create", betNr=betnr, values={"iban": IBAN})
    firm.sync(party)
    assert firm.crm_records("CBankverbindungen") == []


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"iban": "DE88370400440532013000"}, "Prüfziffer"),
        ({"iban": None}, "fehlt"),
        ({"iban": "DE8937040044053201300"}, "kurz"),
        ({"bic": "NONSENSE1234"[:11]}, "BIC"),
    ],
)
def test_a_bad_account_is_told_on_the_record_and_not_written(firm: Firm, values: dict[str, Any], word: str) -> None:
    party, betnr = firm.linked_party()
    record = account(firm, party, **values)
    summary = firm.sync(party)
    assert summary.writes["advoware"] == 0
    assert there(firm, betnr) == []
    assert here(firm, record)["syncStatus"] == "failed"
    assert word in here(firm, record)["syncErrorMessage"]
    assert not any(firm.sync().writes.values())
    edit(firm, record, iban=IBAN, bic="COBADEFFXXX")
    firm.sync(party)
    assert len(there(firm, betnr)) == 1
    assert (here(firm, record)["syncStatus"], here(firm, record)["syncErrorMessage"]) == ("clean", None)


def test_a_change_becomes_a_task_that_closes_itself(firm: Firm) -> None:
    party, betnr, record = linked(firm)
    edit(firm, record, bankname="Sparkasse", kontoinhaber="Max Neu")
    firm.sync(party)
    (task,) = firm.tasks()
    for word in ("Commerzbank", "Sparkasse", "Max Neu", str(betnr)):
        assert word in task["description"]
    assert here(firm, record)["syncStatus"] == "unclean"
    assert not any(firm.sync().writes.values())
    assert len(firm.tasks()) == 1
    values = {"bank": "Sparkasse", "kontoinhaber": "Max Neu"}
    firm.office.edit("Bankverbindungen", "update", id=there(firm, betnr)[0]["id"], values=values)
    firm.sync(party)
    assert firm.tasks() == []
    assert here(firm, record)["syncStatus"] == "clean"
    assert not any(firm.sync().writes.values())


def test_a_second_edit_renews_the_task(firm: Firm) -> None:
    party, _, record = linked(firm)
    edit(firm, record, bankname="Sparkasse")
    firm.sync(party)
    edit(firm, record, bankname="Volksbank")
    firm.sync(party)
    (task,) = firm.tasks()
    assert "Volksbank" in task["description"]


def test_an_iban_edited_to_a_bad_one_opens_no_task(firm: Firm) -> None:
    party, betnr, record = linked(firm)
    edit(firm, record, iban="DE88370400440532013000")
    firm.sync(party)
    assert firm.tasks() == []
    assert here(firm, record)["syncStatus"] == "failed"
    assert there(firm, betnr)[0]["iban"] == IBAN
    assert not any(firm.sync().writes.values())
    edit(firm, record, iban=OTHER_IBAN)
    firm.sync(party)
    (task,) = firm.tasks()
    assert OTHER_IBAN in task["description"]


def test_drift_typed_in_advoware_flows_to_espocrm(firm: Firm) -> None:
    party, betnr, record = linked(firm)
    firm.office.edit("Bankverbindungen", "update", id=there(firm, betnr)[0]["id"], values={"bank": "GLS Bank"})
    firm.sync(party)
    assert here(firm, record)["bankname"] == "GLS Bank"
    assert firm.tasks() == []
    assert not any(firm.sync().writes.values())


def test_an_account_switched_off_is_kept_over_there_and_nobody_is_asked_to_delete_it(firm: Firm) -> None:
    """Inactive means kept, not used."""
    party, betnr, record = linked(firm)
    edit(firm, record, istAktiv=False)
    firm.sync(party)
    assert firm.tasks() == []
    assert here(firm, record)["syncStatus"] == "clean"
    edit(firm, record, bankname="Neue Bank")
    firm.sync(party)
    assert [(task["parentId"], "Neue Bank" in task["description"]) for task in firm.tasks()] == [(party, True)]
    assert len(there(firm, betnr)) == len(firm.crm_records("CBankverbindungen")) == 1
    assert not any(firm.sync().writes.values())


def test_a_task_from_before_that_asks_to_delete_a_switched_off_account_is_closed(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    party, _, record = linked(firm)
    edit(firm, record, istAktiv=False)
    with monkeypatch.context() as before:
        before.setattr(BankAccounts, "inactive_asks_for_deletion", True)
        firm.sync(party)
    assert len(firm.tasks()) == 1
    firm.sync(party)
    assert firm.tasks() == []
    assert here(firm, record)["syncStatus"] == "clean"
    assert not any(firm.sync().writes.values())


def test_deleted_in_espocrm_becomes_a_task_and_is_not_imported_again(firm: Firm) -> None:
    party, betnr, record = linked(firm)
    firm.crm.edit("CBankverbindungen", "delete", id=record)
    firm.sync(party)
    (task,) = firm.tasks()
    assert IBAN in task["description"]
    assert task["parentId"] == party
    assert firm.crm_records("CBankverbindungen") == []
    assert not any(firm.sync().writes.values())
    assert len(firm.tasks()) == 1
    firm.office.edit("Bankverbindungen", "delete", id=there(firm, betnr)[0]["id"])
    firm.sync(party)
    assert firm.tasks() == []
    assert not any(firm.sync().writes.values())


def test_gone_in_advoware_only_deactivates_here(firm: Firm) -> None:
    party, betnr, record = linked(firm)
    firm.office.edit("Bankverbindungen", "delete", id=there(firm, betnr)[0]["id"])
    firm.sync(party)
    assert here(firm, record)["istAktiv"] is False
    assert not here(firm, record).get("deleted")
    assert not any(firm.sync().writes.values())
    edit(firm, record, istAktiv=True)
    firm.sync(party)
    assert len(there(firm, betnr)) == 1
    assert not any(firm.sync().writes.values())


def test_the_same_iban_twice_in_espocrm_is_refused(firm: Firm) -> None:
    party, betnr, _ = linked(firm)
    double = account(firm, party)
    firm.sync(party)
    assert len(there(firm, betnr)) == 1
    assert "schon" in here(firm, double)["syncErrorMessage"]


def test_an_installation_that_embeds_no_accounts(firm: Firm) -> None:
    firm.office.do("switches", embedded=False)
    try:
        _, betnr, record = linked(firm)
        assert len(there(firm, betnr)) == 1
        assert here(firm, record)["syncStatus"] == "clean"
    finally:
        firm.office.do("switches", embedded=True)


def test_unchanged_parties_cost_one_read_each_and_one_list_per_kind(firm: Firm) -> None:
    for _ in range(3):
        linked(firm)
    firm.until_quiet()
    firm.office.clear_calls()
    firm.crm.clear_calls()
    summary = firm.sync()
    assert summary.results[Result.UNCHANGED] == 3
    assert not any(summary.writes.values())
    log = firm.office.calls()["log"]
    assert len([entry for entry in log if "Beteiligte/" in str(entry)]) == 3
    lists = [entry for entry in firm.crm.calls()["log"] if "CBankverbindungen" in str(entry)]
    assert len(lists) == 1


@pytest.mark.parametrize("known", [True, False])
def test_a_value_that_espocrm_refuses_stays_behind_alone(firm: Firm, known: bool) -> None:
    party, betnr = firm.linked_party()
    values = {"iban": IBAN, "kontoinhaber": "Kurz" if known else "x" * 200}
    made = firm.office.edit("Bankverbindungen", "create", betNr=betnr, values=values)
    firm.sync(party)
    if known:
        values = {"kontoinhaber": "x" * 200, "bank": "GLS Bank"}
        firm.office.edit("Bankverbindungen", "update", id=made["id"], values=values)
        firm.sync(party)
    (record,) = firm.crm_records("CBankverbindungen")
    assert (record["iban"], record["kontoinhaber"]) == (IBAN, "Kurz" if known else None)
    assert record["bankname"] == ("GLS Bank" if known else None)
    (task,) = firm.tasks()
    assert "nicht übertragbar" in task["name"]
    assert not any(firm.sync().writes.values())
    firm.office.edit("Bankverbindungen", "update", id=made["id"], values={"kontoinhaber": "y" * 50})
    firm.sync(party)
    assert firm.crm_records("CBankverbindungen")[0]["kontoinhaber"] == "y" * 50
    assert firm.tasks() == []
    assert not any(firm.sync().writes.values())


def test_a_second_value_that_espocrm_refuses_keeps_the_task_open(firm: Firm) -> None:
    party, betnr = firm.linked_party()
    values = {"iban": IBAN, "kontoinhaber": "x" * 200}
    made = firm.office.edit("Bankverbindungen", "create", betNr=betnr, values=values)
    firm.sync(party)
    firm.office.edit("Bankverbindungen", "update", id=made["id"], values={"kontoinhaber": "y" * 200})
    firm.sync(party)
    (task,) = firm.tasks()
    assert "y" * 200 in task["description"]
    assert not any(firm.sync().writes.values())


def test_a_reactivated_account_that_was_typed_anew_is_not_doubled(firm: Firm) -> None:
    party, betnr, record = linked(firm)
    firm.office.edit("Bankverbindungen", "delete", id=there(firm, betnr)[0]["id"])
    firm.sync(party)
    firm.office.edit("Bankverbindungen", "create", betNr=betnr, values={"iban": IBAN})
    edit(firm, record, istAktiv=True)
    firm.sync(party)
    firm.sync(party)
    assert len(there(firm, betnr)) == 1
    assert "gibt es bei diesem Beteiligten schon" in here(firm, record)["syncErrorMessage"]
    assert not any(firm.sync().writes.values())


def test_an_iban_edited_while_a_create_is_unanswered_makes_no_duplicate(firm: Firm) -> None:
    party, betnr = firm.linked_party()
    record = account(firm, party, iban=OTHER_IBAN)
    # A run died right after its POST, which said another IBAN.
    firm.office.edit("Bankverbindungen", "create", betNr=betnr, values={"iban": IBAN, "bank": "Commerzbank"})
    with firm.store.transaction() as tx:
        sent = tx.intents.start(
            system="advoware",
            entity="bankverbindungen",
            espo_id=record,
            natural_key={"key": [IBAN]},
            payload_hash="",
            betnr=betnr,
            claim="",
        )
        tx.intents.claim(sent)
    firm.sync(party)
    assert [one["iban"] for one in there(firm, betnr)] == [IBAN]
    (only,) = firm.crm_records("CBankverbindungen")
    assert (only["id"], only["iban"]) == (record, OTHER_IBAN)
    (task,) = firm.tasks()
    assert OTHER_IBAN in task["description"]
    assert not any(firm.sync().writes.values())
