"""What commands print is German: no code without a word, and a dry run that says what it is."""

import re
from typing import get_args

import pytest

from vmh_sync.commands.output import print_dry_summary, print_summary
from vmh_sync.kalender.operations import FindingKind, Operation
from vmh_sync.store.audit import ChangeKind, Side
from vmh_sync.sync.outcome import PassSummary, RecordOutcome, Result
from vmh_sync.sync.plan import Action, TaskKind
from vmh_sync.sync.words_de import ACTIONS, CALENDAR_ACTIONS, CALENDAR_FINDINGS, CHANGES, SIDES, TASKS


def test_every_code_has_a_word() -> None:
    calendar = {re.sub(r"(?<!^)([A-Z])", r"_\1", kind.__name__).lower() for kind in get_args(Operation)}
    assert set(SIDES) == set(get_args(Side))
    assert set(CHANGES) == set(get_args(ChangeKind))
    assert set(ACTIONS) == set(Action)
    assert set(TASKS) == set(TaskKind)
    assert set(CALENDAR_ACTIONS) == calendar
    assert set(CALENDAR_FINDINGS) == {f"finding:{kind}" for kind in FindingKind}


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
