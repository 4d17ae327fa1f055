"""What commands print is German: no code without a word, and a dry run that says what it is."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

import vmh_sync
from vmh_sync.commands.screens.output import print_dry_summary, print_summary
from vmh_sync.kalender.decision.operations import FindingKind, Operation
from vmh_sync.kommunikation.notation import Refusal
from vmh_sync.store.calendars.calendar import PairStatus
from vmh_sync.store.history.audit import ChangeKind, Side
from vmh_sync.sync.planning.plan import Action, TaskKind
from vmh_sync.sync.reporting.outcome import PassSummary, RecordOutcome, Result
from vmh_sync.sync.reporting.words_de import (
    ACTIONS,
    CALENDAR_ACTIONS,
    CALENDAR_FINDINGS,
    CHANGES,
    PAIR_STATES,
    REASONS,
    SIDES,
    TASKS,
    reason_in_words,
)

ROOMS = ("adressen", "bankverbindungen", "beteiligte", "children", "engine", "first_contact", "kommunikation", "sync")
POSITIONS = {"Operation": 6, "FieldChange": 3}
GERMAN = {"Kommunikation"}


def test_every_code_has_a_word() -> None:
    calendar = {re.sub(r"(?<!^)([A-Z])", r"_\1", kind.__name__).lower() for kind in get_args(Operation)}
    assert set(SIDES) == set(get_args(Side))
    assert set(CHANGES) == set(get_args(ChangeKind))
    assert set(ACTIONS) == set(Action)
    assert set(TASKS) == set(TaskKind)
    assert set(CALENDAR_ACTIONS) == calendar
    assert set(PAIR_STATES) == set(get_args(PairStatus))
    assert set(CALENDAR_FINDINGS) == {f"finding:{kind}" for kind in FindingKind}


def reasons(path: Path) -> Iterator[str]:
    """The reasons that a module writes down; what is filled in stands as 1."""
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(call, ast.Call):
            continue
        name = getattr(call.func, "id", "")
        found = [keyword.value for keyword in call.keywords if keyword.arg == "reason"] + (
            call.args[POSITIONS[name] :] if name in POSITIONS else []
        )
        for one in found:
            if isinstance(one, ast.Constant):
                yield str(one.value)
            elif isinstance(one, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "1" for part in one.values)


def test_every_reason_that_stands_in_the_audit_log_or_a_plan_is_told_in_german() -> None:
    home = Path(vmh_sync.__file__).parent
    files = [path for room in ROOMS for path in (home / room).rglob("*.py")]
    found = {reason for path in [*files, home / "kalender" / "undo.py"] for reason in reasons(path)}
    assert "undo of change 1" in found and "edited in EspoCRM" in found, "this test reads what it means"
    english = {reason for reason in found - GERMAN if reason_in_words(reason) == reason}
    assert english == set()
    assert {str(refusal) for refusal in Refusal} <= set(REASONS)


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("undo of change 17", "nimmt Nr. 17 zurück"),
        ("moved from 64f1a, which was deleted in EspoCRM", "von 64f1a übernommen, in EspoCRM gelöscht"),
        ("plan ab12: Erika Muster", "Plan ab12: Erika Muster"),
        ("InsertGoogle: Neu in Advoware", "angelegt: Neu in Advoware"),
        ("UpdateAdvoware: undo of change 17", "geändert: nimmt Nr. 17 zurück"),
        ("conflict: espocrm wins", "beide Seiten geändert: EspoCRM gilt"),
        ("value_refused: zu lang", "Wert berichtigen: zu lang"),
        ("Umzug der Kanzlei", "Umzug der Kanzlei"),
        (None, ""),
    ],
)
def test_a_reason_is_told_with_what_it_names(reason: str | None, told: str) -> None:
    assert reason_in_words(reason) == told


def test_a_dry_run_does_not_say_that_records_were_skipped(capsys: pytest.CaptureFixture[str]) -> None:
    summary = PassSummary().add([RecordOutcome("a", Result.SKIPPED), RecordOutcome("b", Result.FAILED, error="Grund")])
    print_dry_summary("beteiligte", summary, planned=1)
    assert capsys.readouterr().out.splitlines() == [
        "Probelauf beteiligte: 2 Datensätze angesehen, 1 zu ändern, 1 fehlerhaft. Es wurde nichts geschrieben.",
        "  b: Grund",
    ]


def test_one_record_is_called_one_record(capsys: pytest.CaptureFixture[str]) -> None:
    print_summary("adressen", PassSummary().add([RecordOutcome("a", Result.UNCHANGED)]))
    assert "Abgleich adressen: 1 Datensatz: 0 abgeglichen, 1 unverändert" in capsys.readouterr().out
