"""What is stored and shown of bases, plans and passes."""

import json

import pytest

from vmh_sync.commands.screens.output import print_plan
from vmh_sync.sync.base import Base, Side
from vmh_sync.sync.deciding.field_plan import FieldPlan, obstacle_text, plan_fields
from vmh_sync.sync.fields import FieldRule, FieldTable
from vmh_sync.sync.merge import Decision, Verdict
from vmh_sync.sync.planning.plan import Action, FieldChange, Finding, Operation, RecordPlan, TaskKind, TaskWanted
from vmh_sync.sync.reporting.outcome import PassSummary, RecordOutcome, Result

CHANGE = FieldChange("titel", None, "Dr.")
TASK = TaskWanted(TaskKind.GENERAL, ("titel",))
OPERATION = Operation(Side.ESPOCRM, Action.UPDATE, "CBeteiligte", "1")


def test_each_side_is_the_others_other() -> None:
    assert (Side.ESPOCRM.other, Side.ADVOWARE.other) == (Side.ADVOWARE, Side.ESPOCRM)


def test_a_base_survives_being_stored() -> None:
    base = Base({"titel": "Dr.", "aktiv": True, "rang": 7}, {"titel": None})
    assert Base.from_json(json.loads(json.dumps(base.to_json()))) == base
    assert Base.from_json({}) == Base({}, {})
    assert base.of(Side.ESPOCRM) == {"titel": "Dr.", "aktiv": True, "rang": 7}
    assert base.of(Side.ADVOWARE) == {"titel": None}


@pytest.mark.parametrize(
    "work",
    [
        {"operations": (OPERATION,)},
        {"tasks": (TASK,)},
        {"close_tasks": (1,)},
        {"base_moves": True},
    ],
)
def test_a_plan_with_any_work_is_not_empty(work: dict[str, object]) -> None:
    assert RecordPlan("CBeteiligte", "1", 1).is_empty
    assert not RecordPlan("CBeteiligte", "1", 1, **work).is_empty  # type: ignore[arg-type]


def test_a_field_plan_with_any_work_is_not_empty() -> None:
    assert FieldPlan().is_empty
    assert not FieldPlan(to_espocrm=[CHANGE]).is_empty
    assert not FieldPlan(to_advoware=[CHANGE]).is_empty
    assert not FieldPlan(tasks=[TASK]).is_empty
    assert not FieldPlan(base_moves=True).is_empty


def test_the_reason_for_a_value_that_stays_is_said_in_german() -> None:
    assert obstacle_text(TaskKind.READONLY_FIELD, "Titel", Side.ADVOWARE) == (
        "Titel: Advoware nimmt dieses Feld über die Schnittstelle nicht an."
    )
    assert obstacle_text(TaskKind.VALUE_REFUSED, "Titel", Side.ESPOCRM) == (
        "Titel: EspoCRM kennt diesen Wert nicht; er bleibt auf seiner Seite stehen."
    )


def test_a_pass_counts_its_records_and_names_its_failures() -> None:
    outcomes = [
        RecordOutcome("a", Result.SYNCED, advoware_writes=2, espocrm_writes=3, google_writes=4, conflicts=5),
        RecordOutcome("b", Result.SYNCED, advoware_writes=10, espocrm_writes=20, google_writes=30, conflicts=40),
        RecordOutcome("c", Result.FAILED, error="Kein Strom."),
        RecordOutcome("d", Result.FAILED),
        RecordOutcome("e", Result.UNCHANGED, error="not a failure"),
    ]
    told = PassSummary().add(outcomes[:2]).add(outcomes[2:]).to_json()
    expected = {
        "records": 5,
        "synced": 2,
        "unchanged": 1,
        "skipped": 0,
        "failed": 2,
        "writes": {"advoware": 12, "espocrm": 23, "google": 34},
        "conflicts": 45,
        "failures": [{"id": "c", "error": "Kein Strom."}, {"id": "d", "error": "unbekannter Fehler"}],
    }
    assert {name: told[name] for name in expected} == expected


def test_a_pass_without_records_says_zero_everywhere() -> None:
    told = PassSummary().to_json()
    assert (told["records"], told["synced"], told["conflicts"]) == (0, 0, 0)
    assert told["writes"] == {"advoware": 0, "espocrm": 0, "google": 0}
    assert told["failures"] == []


def test_a_value_that_stays_is_told_in_the_words_of_the_field() -> None:
    table = FieldTable((FieldRule("titel", "titel", "titel", "Grad", on_update=False),))
    plan = plan_fields([Decision("titel", Verdict.COPY, Side.ESPOCRM, "Dr.", None)], table, base=None)
    message = "Grad: Advoware nimmt dieses Feld über die Schnittstelle nicht an."
    assert plan.findings == [Finding("titel", Side.ADVOWARE, message)]


def test_a_dry_run_claims_nothing_of_what_could_not_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    equal = RecordOutcome("one", Result.UNCHANGED)
    print_plan([equal], show_values=False)
    assert "Beide Seiten stimmen überein" in capsys.readouterr().out
    print_plan([equal, RecordOutcome("two", Result.FAILED)], show_values=False)
    assert "Was gelesen werden konnte, stimmt überein" in capsys.readouterr().out
