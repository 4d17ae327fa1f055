"""Taking back all of a record, a run or a time span, with entries and accounts, on the command line over real HTTP."""

import pytest
from typer.testing import Result

from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.audit.test_show_and_undo import answer, names, vmh
from vmh_sync_tests.pipeline.kommunikation.sides import addresses, mail, numbers, phone, values

ALT, ZWEI = "alt@kanzlei.example", "zwei@kanzlei.example"


def undone(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [one["field"] for one in answer(result)["undone"]]


def test_a_run_is_taken_back_on_all_records_it_changed(firm: Firm) -> None:
    parties = [firm.linked_party(lastName=f"Alt {number}") for number in range(3)]
    for espo_id, _ in parties:
        firm.crm_edit(espo_id, lastName="Neu", zusatz="c/o")
    firm.sync()
    run = f"test-{firm.runs}"
    firm.crm_edit(parties[2][0], lastName="Neuer")  # a person was quicker

    shown = vmh("audit", "undo", "--run", run, "--dry-run", "--json")
    assert (len(answer(shown)["undone"]), len(answer(shown)["refused"]), shown.exit_code) == (5, 1, 3)
    assert names(firm, *parties[0]) == ("Neu", "Neu")

    result = vmh("audit", "undo", "--run", run, "--json")
    assert result.exit_code == 3
    (refusal,) = answer(result)["refused"]
    assert (refusal["id"], refusal["field"]) == (parties[2][0], "name")
    assert "in EspoCRM seitdem geändert" in refusal["why"]
    assert [names(firm, *one) for one in parties] == [("Alt 0", "Alt 0"), ("Alt 1", "Alt 1"), ("Neuer", "Neuer")]
    assert not any(firm.crm_record(espo_id)["zusatz"] for espo_id, _ in parties)
    again = vmh("audit", "undo", "--run", run)
    assert "bleibt:" in again.stdout
    assert "zurückgesetzt" not in again.stdout


def test_changes_of_one_field_are_taken_back_in_one_go_to_what_stood_before_all(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(lastName="Eins")
    before = firm.clock.now()
    for number, name in enumerate(("Zwei", "Drei", "Vier")):
        if number % 2:
            firm.office_edit(betnr, name=name)
        else:
            firm.crm_edit(espo_id, lastName=name)
        firm.sync(espo_id)

    result = vmh("audit", "undo", "--record", espo_id, "--since", before.isoformat(), "--json")

    assert undone(result) == ["name"]
    assert names(firm, espo_id, betnr) == ("Eins", "Eins")
    with firm.store.reading() as tx:
        rows = [c for c in tx.audit.for_record(espo_id) if c.kind == "applied" and c.undo_of is None]
    assert len([row for row in rows if row.undone_by is not None]) == 3
    assert not any(firm.sync().writes.values())


def test_an_entry_that_was_removed_comes_back_and_one_that_was_added_goes(firm: Firm) -> None:
    party, betnr = firm.linked_party(
        emailAddressData=[mail(ALT, primary=True), mail(ZWEI)], phoneNumberData=[phone("+4951112345", primary=True)]
    )
    before = firm.clock.now()
    firm.crm_edit(
        party,
        emailAddressData=[mail(ALT, primary=True)],
        phoneNumberData=[phone("+4951112345", primary=True), phone("+4951199999")],
    )
    firm.sync(party)
    assert (values(firm, betnr), addresses(firm, party)) != ([ALT, ZWEI], [ALT, ZWEI])

    of_all = ("--record", betnr, "--since", before.isoformat())
    told = vmh("audit", "undo", *of_all, "--dry-run").stdout
    assert f"„Telefon“ des Beteiligten {party}: würde entfernt" in told
    assert f"„E-Mail“ des Beteiligten {party}: würde wieder eingetragen" in told
    result = vmh("audit", "undo", *of_all, "--json")

    assert len(undone(result)) == 2
    assert addresses(firm, party) == [ALT, ZWEI]
    assert numbers(firm, party) == ["+4951112345"]
    firm.until_quiet()
    office = [value.replace(" ", "") for value in values(firm, betnr)]
    assert ZWEI in office
    assert not [value for value in office if value.endswith("99999")]
    again = vmh("audit", "undo", *of_all)
    assert "nichts zurückzunehmen" in again.stdout, "a time span is not taken back in turns"


@pytest.mark.parametrize("side", ["EspoCRM", "Advoware"])
def test_an_added_entry_that_is_gone_on_a_side_is_left_alone(firm: Firm, side: str) -> None:
    party, betnr = firm.linked_party(phoneNumberData=[phone("+4951112345", primary=True)])
    firm.crm_edit(party, phoneNumberData=[phone("+4951112345", primary=True), phone("+4951199999")])
    firm.sync(party)
    if side == "EspoCRM":
        firm.crm_edit(party, phoneNumberData=[phone("+4951112345", primary=True)])
    else:
        from vmh_sync_tests.pipeline.kommunikation.sides import entry, office_change

        added = next(value for value in values(firm, betnr) if value.replace(" ", "").endswith("99999"))
        office_change(firm, entry(firm, betnr, added)["id"], tlf="0511 77777")
    result = vmh("audit", "undo", "--run", f"test-{firm.runs}", "--json")
    assert result.exit_code == 3
    assert f"in {side} seitdem geändert" in answer(result)["refused"][0]["why"]


def test_what_is_an_anlage_stays_and_is_told_once_per_record(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(lastName="Alt", firstName="Erika")
    result = vmh("audit", "undo", "--run", "test-1")
    assert result.exit_code == 3
    assert result.stdout.count("vmh_sync löscht nichts") == 1
    assert names(firm, espo_id, betnr) == ("Alt", "Alt")


def test_the_beginning_of_several_runs_takes_back_none_of_them(firm: Firm) -> None:
    """``audit show --run 1`` may show many; to take them all back nobody has asked."""
    espo_id, betnr = firm.linked_party(lastName="Alt", firstName="Erika")
    firm.crm_edit(espo_id, lastName="Neu")
    firm.sync(espo_id)
    before = names(firm, espo_id, betnr)
    result = vmh("audit", "undo", "--run", "test-")
    assert (result.exit_code, names(firm, espo_id, betnr)) == (1, before)
    assert "„test-“ ist der Anfang von 2 Läufen" in result.stderr
    assert vmh("audit", "undo", "--run", f"test-{firm.runs}").exit_code == 0
    assert names(firm, espo_id, betnr) == ("Alt", "Alt")


def test_a_name_of_several_takes_back_none_of_them(firm: Firm) -> None:
    parties = [firm.linked_party(lastName="Zwilling", zusatz="alt") for _ in range(2)]
    for espo_id, _ in parties:
        firm.crm_edit(espo_id, zusatz="neu")
    firm.sync()
    result = vmh("audit", "undo", "--record", "Zwilling")
    assert result.exit_code == 1
    assert "„Zwilling“ passt auf mehrere" in result.stderr and all(one in result.stderr for one, _ in parties)
    assert [firm.crm_record(espo_id)["zusatz"] for espo_id, _ in parties] == ["neu", "neu"]


def test_what_the_log_does_not_know_and_no_choice_are_told(firm: Firm) -> None:
    unknown = vmh("audit", "undo", "--run", "nobody")
    assert (unknown.exit_code, "„nobody“ steht nicht im Protokoll" in unknown.stderr) == (1, True)
    assert "nichts zurückzunehmen" in vmh("audit", "undo", "--since", "1h").stdout
    for record in ("nobody", "99999999"):
        unknown = vmh("audit", "undo", "--record", record)
        assert (unknown.exit_code, unknown.stderr) == (1, f"Zu „{record}“ steht nichts im Protokoll.\n")
    assert vmh("audit", "undo").exit_code == 2
    assert vmh("audit", "undo", 1, "--run", "x").exit_code == 2
