"""The audit log on the command line: showing it, and taking a change back, over real HTTP."""

import json
import re
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from vmh_sync.cli import app
from vmh_sync.store.history.audit import Change
from vmh_sync_tests.fixtures.firm import Firm

Json = dict[str, Any]


def vmh(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def answer(result: Result) -> Json:
    return dict(json.loads(result.stdout.strip().splitlines()[-1]))


def changed(firm: Firm, espo_id: str, field: str) -> Change:
    """The newest written change of a field."""
    with firm.store.reading() as tx:
        return next(c for c in tx.audit.for_record(espo_id) if c.field == field and c.kind == "applied")


def renamed(firm: Firm) -> tuple[str, int, Change]:
    """A party that was renamed in EspoCRM and synced, and the change."""
    espo_id, betnr = firm.linked_party(lastName="Alt", firstName="Erika")
    firm.crm_edit(espo_id, lastName="Neu")
    firm.sync(espo_id)
    return espo_id, betnr, changed(firm, espo_id, "name")


def names(firm: Firm, espo_id: str, betnr: int) -> tuple[str, str]:
    return firm.crm_record(espo_id)["lastName"], firm.office_record(betnr)["name"]


def test_what_somebody_has_only_respelled_since_is_no_longer_that_change(firm: Firm) -> None:
    espo_id, betnr, change = renamed(firm)
    firm.crm_edit(espo_id, lastName="NEU")
    result = vmh("audit", "undo", change.id)
    assert result.exit_code == 1, result.output
    assert names(firm, espo_id, betnr) == ("NEU", "Neu")


def test_what_won_a_conflict_is_taken_back_on_both_sides_though_its_task_is_open(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(lastName="Alt", firstName="Erika")
    firm.crm_edit(espo_id, lastName="Hier")
    firm.office_edit(betnr, name="Dort")
    firm.sync(espo_id)
    assert len(firm.tasks()) == 1
    with firm.store.reading() as tx:
        change = next(c for c in tx.audit.for_record(espo_id) if c.field == "name" and c.new == "Hier")
    result = vmh("audit", "undo", change.id)
    assert result.exit_code == 0, result.output
    assert names(firm, espo_id, betnr) == ("Dort", "Dort")
    assert "ist auf beiden Seiten zurückgesetzt" in result.stdout


def test_show_lists_the_newest_first_and_hides_values(firm: Firm) -> None:
    espo_id, betnr, change = renamed(firm)
    rows = answer(vmh("audit", "show", espo_id, "--json"))["changes"]
    assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)
    assert rows[0]["id"] == change.id
    assert (rows[0]["field"], rows[0]["side_written"], rows[0]["betnr"]) == ("name", "advoware", betnr)
    assert "old" not in rows[0]
    assert not {"Alt", "Neu", "Erika"} & set(vmh("audit", "show", espo_id).stdout.split())
    with_values = answer(vmh("audit", "show", betnr, "--values", "--json"))["changes"]
    assert (with_values[0]["old"], with_values[0]["new"]) == ("Alt", "Neu")
    assert len(answer(vmh("audit", "show", espo_id, "--limit", 1, "--json"))["changes"]) == 1


def test_show_tells_each_change_in_german_in_a_line_of_its_own(firm: Firm) -> None:
    espo_id, betnr, change = renamed(firm)
    vmh("audit", "undo", change.id)
    firm.office_edit(betnr, titel="Dr.")
    firm.sync(espo_id)

    lines = vmh("audit", "show", espo_id, "--values").stdout.splitlines()

    told = next(line for line in lines if line.split()[0] == str(change.id))
    assert re.fullmatch(
        r" +\d+  \d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d  beteiligte name: übernommen in Advoware \(in EspoCRM geändert\); "
        r"zurückgenommen mit Nr\. \d+",
        told,
    )
    assert [line.strip() for line in lines[lines.index(told) + 1 :][:2]] == ["alt: Alt", "neu: Neu"]
    assert any(line.endswith(f"beteiligte name: zurückgenommen in EspoCRM (von Nr. {change.id})") for line in lines)
    assert lines[0].endswith("beteiligte titel: übernommen in EspoCRM (in Advoware geändert)")
    assert [line.strip() for line in lines[1:3]] == ["alt: (leer)", "neu: Dr."]


def test_show_of_an_unknown_record_says_so_and_ends_as_record_does(firm: Firm) -> None:
    espo_id, _ = firm.linked_party(lastName="Muster")
    for words in ("nobody",), ("nobody", "--json"), ("4711", "--since", "1h"):
        shown = vmh("audit", "show", *words)
        assert (shown.exit_code, "nichts im Protokoll" in shown.stderr) == (1, True)
    nothing = vmh("audit", "show", espo_id, "--field", "titel")
    assert (nothing.exit_code, "nichts im Protokoll" in nothing.stdout) == (0, True), "known, and never changed so"


def test_a_value_that_looks_like_markup_is_shown_as_it_is(firm: Firm) -> None:
    espo_id, _ = firm.linked_party(lastName="Alt")
    firm.crm_edit(espo_id, lastName="[/b]")
    firm.sync(espo_id)
    shown = vmh("audit", "show", espo_id, "--values")
    assert shown.exit_code == 0
    assert "[/b]" in shown.stdout.replace("\n", "")


def test_undo_brings_the_old_value_back_on_both_sides_and_is_remembered(firm: Firm) -> None:
    espo_id, betnr, change = renamed(firm)
    result = vmh("audit", "undo", change.id, "--json")
    assert result.exit_code == 0, result.output
    assert answer(result)["sync"]["failed"] == 0
    assert "old" not in answer(result)
    assert names(firm, espo_id, betnr) == ("Alt", "Alt")
    assert firm.crm_record(espo_id)["firstName"] == "Erika"
    assert firm.crm_record(espo_id)["syncStatus"] == "clean"
    with firm.store.reading() as tx:
        undone = tx.audit.get(change.id or 0)
        row = tx.audit.get(undone.undone_by or 0) if undone else None
    assert row is not None
    assert (row.kind, row.undo_of, row.field, row.old, row.new) == ("undo", change.id, "name", "Neu", "Alt")
    assert not any(firm.sync().writes.values())


def test_undo_of_a_change_typed_in_advoware(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(lastName="Alt")
    firm.office_edit(betnr, name="Neu")
    firm.sync(espo_id)
    change = changed(firm, espo_id, "name")
    assert change.side_written == "espocrm"
    assert vmh("audit", "undo", change.id).exit_code == 0
    assert names(firm, espo_id, betnr) == ("Alt", "Alt")


def test_undo_of_a_company_name_mends_both_attributes(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(lastName="Alt Bau", firmenname="Alt Bau", rechtsform="GmbH")
    firm.crm_edit(espo_id, firmenname="Neu Bau")
    firm.sync(espo_id)
    assert vmh("audit", "undo", changed(firm, espo_id, "name").id).exit_code == 0
    assert firm.crm_record(espo_id)["firmenname"] == "Alt Bau"
    assert names(firm, espo_id, betnr) == ("Alt Bau", "Alt Bau")


def test_a_dry_run_writes_nothing(firm: Firm) -> None:
    espo_id, betnr, change = renamed(firm)
    firm.crm.clear_calls()
    result = vmh("audit", "undo", change.id, "--dry-run", "--values")
    assert result.exit_code == 0
    assert "'Neu' → 'Alt'" in result.stdout
    assert firm.crm.calls()["writes"] == 0
    assert names(firm, espo_id, betnr) == ("Neu", "Neu")
    assert changed(firm, espo_id, "name").undone_by is None


@pytest.mark.parametrize("side", ["EspoCRM", "Advoware"])
def test_a_field_that_has_moved_since_is_left_alone(firm: Firm, side: str) -> None:
    espo_id, betnr, change = renamed(firm)
    if side == "EspoCRM":
        firm.crm_edit(espo_id, lastName="Neuer")
    else:
        firm.office_edit(betnr, name="Neuer")
    before = names(firm, espo_id, betnr)
    result = vmh("audit", "undo", change.id)
    assert result.exit_code == 1
    assert f"in {side} seitdem geändert" in result.stderr
    assert "Neuer" not in result.output
    assert names(firm, espo_id, betnr) == before


def test_an_edit_of_another_field_does_not_stop_an_undo(firm: Firm) -> None:
    espo_id, betnr, change = renamed(firm)
    firm.office_edit(betnr, zusatz="c/o Kanzlei")
    assert vmh("audit", "undo", change.id).exit_code == 0
    assert names(firm, espo_id, betnr) == ("Alt", "Alt")
    assert firm.crm_record(espo_id)["zusatz"] == "c/o Kanzlei"


def test_nothing_is_undone_twice(firm: Firm) -> None:
    espo_id, betnr, change = renamed(firm)
    vmh("audit", "undo", change.id)
    firm.crm_edit(espo_id, lastName="Neu")
    firm.sync(espo_id)
    again = vmh("audit", "undo", change.id, "--json")
    assert again.exit_code == 1
    assert "schon rückgängig gemacht" in answer(again)["error"]
    assert names(firm, espo_id, betnr) == ("Neu", "Neu")


def test_what_is_no_written_change_is_refused(firm: Firm) -> None:
    espo_id, _, _ = renamed(firm)
    row: dict[str, Any] = {"espo_id": espo_id, "reason": "x", "old": "a", "new": "b"}
    changes = [
        Change(entity="beteiligte", kind="conflict", field="name", side_written="advoware", **row),
        Change(entity="beteiligte", kind="applied", field="name", **row),
        Change(entity="adressen", kind="applied", field="ort", side_written="advoware", **row),
        Change(entity="beteiligte", kind="applied", field="email", side_written="advoware", **row),
        Change(entity="beteiligte", kind="applied", field="registergericht", side_written="espocrm", **row),
    ]
    with firm.store.transaction() as tx:
        ids = tx.audit.append_numbered(changes)
    refusals = [vmh("audit", "undo", change_id) for change_id in [*ids, 10**9]]
    assert [result.exit_code for result in refusals] == [1] * 6
    for result, words in zip(
        refusals,
        (
            "keine geschriebene",
            "keine geschriebene",
            "gehört zu niemandem",
            "Nur Änderungen",
            "beiden Seiten",
            "gibt es nicht",
        ),
        strict=True,
    ):
        assert words in result.stderr


def test_a_party_that_is_gone_is_refused(firm: Firm) -> None:
    espo_id, _, change = renamed(firm)
    firm.crm.edit("CBeteiligte", "delete", id=espo_id)
    result = vmh("audit", "undo", change.id)
    assert result.exit_code == 1
    assert "EspoCRM nicht mehr" in result.stderr


def test_an_unanswered_write_is_looked_up(firm: Firm) -> None:
    espo_id, betnr, change = renamed(firm)
    firm.crm.fault("/CBeteiligte/", "drop_after", method="PUT", times=1)
    assert vmh("audit", "undo", change.id).exit_code == 0
    assert names(firm, espo_id, betnr) == ("Alt", "Alt")
    assert changed(firm, espo_id, "name").id != change.id


def test_a_write_that_did_not_happen_is_not_remembered_as_undone(firm: Firm) -> None:
    espo_id, betnr, change = renamed(firm)
    firm.crm.fault("/CBeteiligte/", "status", status=500, method="PUT", times=1)
    assert vmh("audit", "undo", change.id).exit_code == 1
    assert names(firm, espo_id, betnr) == ("Neu", "Neu")
    assert vmh("audit", "undo", change.id).exit_code == 0
    assert names(firm, espo_id, betnr) == ("Alt", "Alt")


def test_what_was_changed_at_another_party_of_advoware_is_not_taken_back_at_this_one(firm: Firm) -> None:
    espo_id, _, change = renamed(firm)
    gone, other = firm.linked_party(lastName="Neu", firstName="Erika")
    firm.crm_edit(espo_id, betnr=other)
    firm.crm.edit("CBeteiligte", "delete", id=gone)
    firm.until_quiet()
    assert firm.crm_record(espo_id)["betnr"] == other
    result = vmh("audit", "undo", change.id)
    assert result.exit_code == 1, result.output
    assert "mit einer anderen Nummer" in result.stderr
    assert names(firm, espo_id, other) == ("Neu", "Neu")
