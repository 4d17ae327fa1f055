"""What loses in a calendar is told to the employee by a task, once, whatever fails (sync-semantics.md 8)."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from vmh_sync.cli import app
from vmh_sync_tests.fixtures.chancery import Chancery, tasks


def user_named(chancery: Chancery, name: str) -> str:
    return next(str(user["id"]) for user in chancery.sandbox.crm.state()["users"] if user["userName"] == name)


def contested(chancery: Chancery, text: str = "Aus Google", kuerzel: str = "SB") -> int:
    """An appointment whose title was changed on both sides."""
    fr_nr = chancery.termin(kuerzel)
    chancery.sync()
    chancery.edit_termin(fr_nr, text="Aus Advoware")
    chancery.edit_event(kuerzel, chancery.event_of(fr_nr, kuerzel)["id"], summary=text)
    return fr_nr


def test_a_conflict_becomes_one_task_with_both_values_for_the_employees_user(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user is found by name whatever its case, or is the one that the settings name."""
    monkeypatch.setenv("CALENDAR_SYNC_ESPOCRM_USERS", '{"SB": "sekretariat"}')
    for kuerzel, name in (("ANWALT", "anwalt"), ("SB", "sekretariat")):
        chancery.employee(kuerzel)
        fr_nr = contested(chancery, kuerzel=kuerzel)
        chancery.sync()
        (task,) = [task for task in tasks(chancery) if f"frNr {fr_nr}" in task["description"]]
        assert task["assignedUserId"] == user_named(chancery, name)
        assert "Aus Google" in task["description"] and "Aus Advoware" in task["description"]
        assert task["priority"] == "High"
    chancery.sync()
    assert len(tasks(chancery)) == 2, "told once"


def test_a_crm_that_takes_no_task_delays_it_and_nothing_else(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr = contested(chancery)
    chancery.sandbox.crm.fault("/api/v1/Task", "status", status=400, method="POST", times=20)
    assert not chancery.sync().failures
    assert chancery.event_of(fr_nr)["summary"] == "Aus Advoware" and not tasks(chancery)
    chancery.sandbox.crm.clear_faults()
    chancery.sync()
    assert len(tasks(chancery)) == 1


def test_a_task_whose_creation_got_no_answer_is_not_doubled(chancery: Chancery) -> None:
    chancery.employee()
    contested(chancery)
    chancery.sandbox.crm.fault("/api/v1/Task", "drop_after", method="POST", times=1)
    for _ in range(2):
        chancery.sync()
    assert len(tasks(chancery)) == 1


def test_the_same_field_lost_again_is_added_to_the_open_task_and_a_settled_one_gets_a_successor(
    chancery: Chancery,
) -> None:
    chancery.employee()
    fr_nr = contested(chancery, "Erster Wunsch")
    chancery.sync()
    for wish in ("Zweiter Wunsch", "Dritter Wunsch"):
        chancery.edit_termin(fr_nr, text=f"Advoware gegen {wish}")
        chancery.edit_event("SB", chancery.event_of(fr_nr)["id"], summary=wish)
        chancery.sync()
    (task,) = tasks(chancery)
    assert all(wish in task["description"] for wish in ("Erster Wunsch", "Zweiter Wunsch", "Dritter Wunsch"))
    chancery.sandbox.crm.edit("Task", "update", id=task["id"], values={"status": "Completed"})
    chancery.edit_termin(fr_nr, text="Advoware zum vierten Mal")
    chancery.edit_event("SB", chancery.event_of(fr_nr)["id"], summary="Vierter Wunsch")
    chancery.sync()
    assert len(tasks(chancery)) == 2


@pytest.mark.parametrize("protected", [True, False])
def test_an_edit_in_google_that_does_not_hold_is_told(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch, protected: bool
) -> None:
    """Put back under write protection, or lost against a deletion in Advoware."""
    chancery.employee()
    chancery.termin(text="Bleibt")
    fr_nr = chancery.termin()
    chancery.sync()
    chancery.edit_event("SB", chancery.event_of(fr_nr)["id"], summary="Mein Wunsch")
    if protected:
        monkeypatch.setenv("ADVOWARE_WRITE_PROTECTION", "true")
    else:
        chancery.drop_termin(fr_nr)
    chancery.sync()
    assert ["Mein Wunsch" in task["description"] for task in tasks(chancery)] == [True]


def told(*arguments: str) -> dict[str, Any]:
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_the_command_line_names_each_loser_in_its_json_without_values(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr = contested(chancery)
    event_id = chancery.event_of(fr_nr)["id"]
    answer = told("sync", "kalender", "--all")
    (loser,) = answer["lost"]
    assert loser["kuerzel"] == "SB" and loser["frNr"] == fr_nr and loser["event"] == event_id
    assert loser["kind"] == "conflict" and loser["fields"] == ["text"] and loser["audit"] == f"SB/{fr_nr}"
    assert answer["tasks"] == {"written": 1, "waiting": 0}
    assert "Aus Google" not in json.dumps(answer)


def test_the_audit_log_is_found_by_what_a_person_knows(chancery: Chancery) -> None:
    """Kürzel, frNr, event id, title (also the losing one), and the name that run and command line give."""
    chancery.employee()
    chancery.employee("AH")
    chancery.termin("AH", "Ganz anders")
    fr_nr = contested(chancery)
    event_id = chancery.event_of(fr_nr)["id"]
    chancery.sync()
    for known in ("sb", str(fr_nr), event_id, "aus advoware", "Aus Google", f"SB/{fr_nr}"):
        changes = told("audit", "show", known)["changes"]
        assert {row["espo_id"] for row in changes} == {f"SB/{fr_nr}"}, known
        assert "conflict" in {row["kind"] for row in changes}, known
    (lost,) = [row for row in told("audit", "show", f"SB/{fr_nr}", "--values")["changes"] if row["kind"] == "conflict"]
    assert (lost["old"], lost["new"], lost["losing_value"]) == ("Aus Google", "Aus Advoware", "Aus Google")
    assert CliRunner().invoke(app, ["audit", "show", "nie gehört"]).exit_code == 1
