"""The comparison says of each difference with an open task why it stands and what a person does next."""

import pytest

from vmh_sync.commands.looking.reconcile import print_report
from vmh_sync.reconcile.reasons import reason_of
from vmh_sync.sync.planning.plan import TaskKind
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.bankverbindungen.test_bank_accounts import edit, linked
from vmh_sync_tests.pipeline.kommunikation.sides import mail
from vmh_sync_tests.pipeline.reconcile.test_planted_differences import compared


def test_a_difference_with_a_task_says_reason_and_next_step(firm: Firm, capsys: pytest.CaptureFixture[str]) -> None:
    party, betnr, record = linked(firm, kontoinhaber="Muster")
    edit(firm, record, kontoinhaber="Beispiel")
    (before,) = compared(firm).to_json()["differences"]
    assert (before["reason"], before["next_step"]) == (None, None), "no task is about it yet"
    firm.sync(party)

    report = compared(firm)
    (told,) = report.to_json()["differences"]
    assert told["reason"] == "Advoware nimmt diese Änderung einer Bankverbindung nicht von außen an"
    assert told["next_step"] == "die Bankverbindung in Advoware von Hand auf den Stand in EspoCRM bringen"
    print_report(report)
    said = capsys.readouterr().out
    assert (
        f"{party} (betnr {betnr}) verschieden, Aufgabe offen: Bankverbindung: Kontoinhaber – {told['reason']}; "
        f"nächster Schritt: {told['next_step']}." in said
    )
    assert "Beispiel" not in said and "Muster" not in said


def test_a_party_that_one_side_deleted_says_so(firm: Firm, capsys: pytest.CaptureFixture[str]) -> None:
    here, betnr = firm.linked_party()
    firm.office.edit("Beteiligte", "delete", betNr=betnr)
    gone, other = firm.linked_party()
    firm.crm.edit("CBeteiligte", "delete", id=gone)
    firm.sync()

    report = compared(firm)
    print_report(report)
    said = capsys.readouterr().out
    assert f"nur in EspoCRM, Aufgabe offen: {here} – in Advoware gelöscht; nächster Schritt: " in said
    assert f"nur in Advoware, Aufgabe offen: betnr {other} – in EspoCRM gelöscht; nächster Schritt: " in said
    assert [row["id"] for row in report.to_json()["only_espocrm_reasons"]] == [here]
    assert [row["id"] for row in report.to_json()["only_advoware_reasons"]] == [other]


def test_the_words_of_the_side_that_refused_stand_there_unless_they_repeat_the_value() -> None:
    details = {"side": "espocrm", "wanted": "geheim@x.example", "why": "Ungültige E-Mail."}
    assert reason_of("value_refused", details).why == "EspoCRM nimmt den Wert nicht an (Ungültige E-Mail)"
    spoken = {**details, "why": "geheim@x.example ist ungültig"}
    assert reason_of("value_refused", spoken).why == "EspoCRM nimmt den Wert nicht an"


@pytest.mark.parametrize("kind", list(TaskKind))
def test_every_kind_of_task_has_a_reason_and_a_next_step(kind: TaskKind) -> None:
    reason = reason_of(kind, {})
    assert reason.why and reason.next_step


def test_what_a_person_has_to_do_for_an_entity_of_the_firms_own_is_named() -> None:
    assert reason_of("child_update_required", {}).next_step.startswith("in Advoware von Hand")
    assert reason_of("child_delete_required", {}).next_step == "in Advoware löschen"


def test_a_twin_is_told_where_it_stands() -> None:
    double = [{"espo_id": "e2"}]
    assert reason_of("twin_suspected", {"same_side": double}).why.startswith("in EspoCRM")
    assert reason_of("twin_suspected", {"same_side": double, "found": [{"betnr": 7}]}).why.startswith("in Advoware")


def test_a_new_value_that_advoware_refused_is_told_and_another_one_is_not(firm: Firm) -> None:
    espo_id, _ = firm.linked_party()
    firm.office.fault("Kommunikationen", "status", method="POST", status=422, times=1)
    firm.crm_edit(espo_id, emailAddressData=[mail("A@huber.example", primary=True)])
    firm.sync(espo_id)
    (told,) = compared(firm).differences
    assert told.reason is not None
    assert told.reason.why.startswith("Advoware nimmt den Wert nicht an")
    more = [mail("A@huber.example", primary=True), mail("b@huber.example")]
    firm.crm_edit(espo_id, emailAddressData=more)
    assert sorted(item.explained for item in compared(firm).differences) == [False, True]
