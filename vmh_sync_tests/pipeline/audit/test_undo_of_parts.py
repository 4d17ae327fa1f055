"""Taking back changes of a party's phones, e-mails and addresses on the command line, over real HTTP."""

from typing import Any

import pytest

from vmh_sync.store.history.audit import Change
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.adressen.test_addresses import edit, here, linked, office_edit, there
from vmh_sync_tests.pipeline.audit.test_show_and_undo import answer, vmh
from vmh_sync_tests.pipeline.bankverbindungen.test_bank_accounts import here as account_here
from vmh_sync_tests.pipeline.bankverbindungen.test_bank_accounts import linked as linked_account
from vmh_sync_tests.pipeline.bankverbindungen.test_bank_accounts import there as accounts_there
from vmh_sync_tests.pipeline.kommunikation.sides import addresses, entry, mail, mails, numbers, office_change, phone
from vmh_sync_tests.pipeline.kommunikation.sides import values as office_values

ALT, NEU = "alt@kanzlei.example", "neu@kanzlei.example"


def newest(firm: Firm, record: str, field: str, entity: str) -> Change:
    """The newest written change of a field."""
    with firm.store.reading() as tx:
        rows = tx.audit.for_record(record)
    return next(c for c in rows if (c.entity, c.kind) == (entity, "applied") and str(c.field).startswith(field))


def moved_away(firm: Firm) -> tuple[int, str, int, Change]:
    """A party whose address was edited in EspoCRM and synced: its number, the address here and there, the change."""
    party, betnr, record, key = linked(firm, adresseStreet="Weg 1")
    edit(firm, record, adresseStreet="Weg 2")
    firm.sync(party)
    assert there(firm, betnr)[0]["strasse"] == "Weg 2"
    return betnr, record, key, newest(firm, record, "strasse", "adressen")


def test_an_address_is_what_it_was_on_both_sides_and_in_print(firm: Firm) -> None:
    betnr, record, _, change = moved_away(firm)
    result = vmh("audit", "undo", change.id)
    assert result.exit_code == 0, result.output
    assert f"„Straße“ (Adresse {record}) ist auf beiden Seiten zurückgesetzt." in result.stdout
    (address,) = there(firm, betnr)
    assert (address["strasse"], here(firm, record)["adresseStreet"]) == ("Weg 1", "Weg 1")
    assert "Weg 1\r\n" in address["anschrift"]
    assert here(firm, record)["syncStatus"] == "clean"
    with firm.store.reading() as tx:
        undone = tx.audit.get(change.id or 0)
        row = tx.audit.get(undone.undone_by or 0) if undone else None
    assert row is not None
    assert (row.entity, row.kind, row.espo_id, row.old, row.new) == ("adressen", "undo", record, "Weg 2", "Weg 1")
    assert not any(firm.sync().writes.values())


@pytest.mark.parametrize("side", ["EspoCRM", "Advoware"])
def test_an_address_that_was_edited_since_is_left_alone(firm: Firm, side: str) -> None:
    betnr, record, key, change = moved_away(firm)
    if side == "EspoCRM":
        edit(firm, record, adresseStreet="Weg 3")
    else:
        office_edit(firm, key, strasse="Weg 3")
    before = here(firm, record)["adresseStreet"], there(firm, betnr)[0]["strasse"]
    result = vmh("audit", "undo", change.id)
    assert result.exit_code == 1
    assert f"in {side} seitdem geändert" in result.stderr
    assert (here(firm, record)["adresseStreet"], there(firm, betnr)[0]["strasse"]) == before


def test_a_dry_run_of_an_address_writes_nothing(firm: Firm) -> None:
    betnr, _, _, change = moved_away(firm)
    firm.crm.clear_calls()
    assert vmh("audit", "undo", change.id, "--dry-run").exit_code == 0
    assert firm.crm.calls()["writes"] == 0
    assert there(firm, betnr)[0]["strasse"] == "Weg 2"


def test_what_follows_from_other_fields_or_advoware_does_not_take_is_refused(firm: Firm) -> None:
    betnr, record, _, _ = moved_away(firm)
    block = newest(firm, record, "anschrift", "adressen")
    row: dict[str, Any] = {"entity": "adressen", "kind": "applied", "espo_id": record, "betnr": betnr, "reason": "r"}
    with firm.store.transaction() as tx:
        country, active, created = tx.audit.append_numbered(
            [
                Change(**{**row, "field": "land", "side_written": "espocrm", "old": "a", "new": "b"}),
                Change(**{**row, "field": "aktiv", "side_written": "espocrm", "old": True, "new": False}),
                Change(**{**row, "kind": "created", "field": "ort", "side_written": "advoware"}),
            ]
        )
    for change_id, words in (
        (block.id, "Straße, PLZ und Ort neu gebildet"),
        (country, "nicht auf beiden Seiten geschrieben"),
        (active, "nicht automatisch"),
        (created, "vmh_sync löscht nichts"),
    ):
        result = vmh("audit", "undo", change_id, "--json")
        assert result.exit_code == 1
        assert words in answer(result)["error"]


def corrected(firm: Firm) -> tuple[str, int, Change]:
    """A party with two e-mails of which one was corrected in EspoCRM and synced, and the change."""
    listed = [mail(ALT, primary=True, optOut=True), mail("zwei@kanzlei.example")]
    party, betnr = firm.linked_party(emailAddressData=listed)
    listed[0]["emailAddress"] = NEU
    firm.crm_edit(party, emailAddressData=listed)
    firm.sync(party)
    assert office_values(firm, betnr) == [NEU, "zwei@kanzlei.example"]
    return party, betnr, newest(firm, party, "email/", "kommunikation")


def test_a_corrected_mail_is_what_it_was_with_its_flags_and_its_neighbours(firm: Firm) -> None:
    party, betnr, change = corrected(firm)
    number = entry(firm, betnr, NEU)["id"]
    result = vmh("audit", "undo", change.id)
    assert result.exit_code == 0, result.output
    assert f"„E-Mail“ des Beteiligten {party}" in result.stdout
    assert addresses(firm, party) == office_values(firm, betnr) == [ALT, "zwei@kanzlei.example"]
    assert entry(firm, betnr, ALT)["id"] == number
    (back,) = [one for one in mails(firm, party) if one["emailAddress"] == ALT]
    assert (back["primary"], back["optOut"]) == (True, True)
    assert not any(firm.sync().writes.values())
    assert "schon rückgängig" in vmh("audit", "undo", change.id).stderr


@pytest.mark.parametrize("side", ["EspoCRM", "Advoware"])
def test_a_mail_that_was_edited_since_is_left_alone(firm: Firm, side: str) -> None:
    party, betnr, change = corrected(firm)
    if side == "EspoCRM":
        firm.crm_edit(party, emailAddressData=[mail("dritte@kanzlei.example", primary=True)])
    else:
        office_change(firm, entry(firm, betnr, NEU)["id"], tlf="dritte@kanzlei.example")
    before = addresses(firm, party), office_values(firm, betnr)
    result = vmh("audit", "undo", change.id)
    assert result.exit_code == 1
    assert f"in {side} seitdem geändert" in result.stderr
    assert (addresses(firm, party), office_values(firm, betnr)) == before


def test_a_number_corrected_in_advoware_is_taken_back(firm: Firm) -> None:
    party, betnr = firm.linked_party(phoneNumberData=[phone("+4951112345", primary=True)])
    office_change(firm, entry(firm, betnr, office_values(firm, betnr)[0])["id"], tlf="0511 98765")
    firm.sync(party)
    assert numbers(firm, party) == ["+4951198765"]
    assert vmh("audit", "undo", newest(firm, party, "phone/", "kommunikation").id).exit_code == 0
    assert numbers(firm, party) == ["+4951112345"]
    assert [value.replace(" ", "")[-5:] for value in office_values(firm, betnr)] == ["12345"]
    assert not any(firm.sync().writes.values())


def test_an_unanswered_write_of_a_list_is_looked_up(firm: Firm) -> None:
    party, betnr, change = corrected(firm)
    firm.crm.fault("/CBeteiligte/", "drop_after", method="PUT", times=1)
    result = vmh("audit", "undo", change.id)
    assert result.exit_code == 0, result.output
    assert addresses(firm, party) == office_values(firm, betnr) == [ALT, "zwei@kanzlei.example"]


def test_an_account_is_what_it_was_in_espocrm_and_a_task_tells_what_to_change_in_advoware(firm: Firm) -> None:
    party, betnr, record = linked_account(firm, bankname="Alte Bank")
    (account,) = accounts_there(firm, betnr)
    firm.office.edit("Bankverbindungen", "update", id=account["id"], values={"bank": "Neue Bank"})
    firm.sync(party)
    assert account_here(firm, record)["bankname"] == "Neue Bank"

    result = vmh("audit", "undo", newest(firm, record, "bank", "bankverbindungen").id)

    assert result.exit_code == 0, result.output
    assert account_here(firm, record)["bankname"] == "Alte Bank"
    assert "ist in EspoCRM zurückgesetzt; die andere Seite" in result.stdout and "beiden" not in result.stdout
    (task,) = firm.tasks()
    assert "Bankverbindung in Advoware ändern" in task["name"]
    assert "bisher „Neue Bank“, gewünscht „Alte Bank“" in task["description"]
