"""What stays apart: which values count, which are sent once more, and which tasks say something new."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from vmh_sync.beteiligte.fields import FIELDS
from vmh_sync.sync.base import Base, Side
from vmh_sync.sync.deciding.apart import (
    DROPPED,
    apart_fields,
    different_text,
    news,
    refused_fields,
    refusing_side,
    superseded,
    try_again,
)
from vmh_sync.sync.merge import Decision, Verdict
from vmh_sync.sync.planning.plan import TaskKind, TaskWanted

REFUSED = {"side": "advoware", "wanted": "Dr.", "standing": "Prof.", "why": "zu lang"}
STANDS = {Side.ESPOCRM: {"titel": "Dr."}, Side.ADVOWARE: {"titel": "Prof."}}


@dataclass(frozen=True)
class Open:
    kind: str = TaskKind.VALUE_REFUSED
    fields: tuple[str, ...] = ("titel",)
    details: Mapping[str, Any] = field(default_factory=lambda: REFUSED)


def quiet(espo: str | None = "Dr.", advo: str | None = "Prof.", name: str = "titel") -> Decision:
    return Decision(name, Verdict.QUIET, None, espo, advo)


def test_the_fields_that_differ_in_the_base_are_apart_and_no_other() -> None:
    base = Base(
        {"titel": "Dr.", "zusatz": "a", "vorname": "Eva", "nirgends": "x"},
        {"titel": "Prof.", "zusatz": " a ", "name": "Huber", "nirgends": "y"},
    )
    assert apart_fields(FIELDS, base, ()) == ["titel"]


def test_a_word_that_only_one_side_knows_is_apart_once_a_task_is_about_it() -> None:
    here, there = (
        Base({"anrede": "?espocrm:Prof."}, {"anrede": "Herr"}),
        Base({"anrede": "Herr"}, {"anrede": "?advoware:X"}),
    )
    for base in (here, there):
        assert apart_fields(FIELDS, base, ()) == []
        assert apart_fields(FIELDS, base, {"titel"}) == []
        assert apart_fields(FIELDS, base, {"anrede"}) == ["anrede"]


def test_the_sentence_names_each_field_once_in_order() -> None:
    said = different_text(["Titel", "Name", "Titel"])
    assert said == "Verschieden, Aufgabe offen: Titel, Name. Bitte die Aufgabe dazu erledigen."


@pytest.mark.parametrize("kind", [TaskKind.VALUE_REFUSED, TaskKind.READONLY_FIELD])
@pytest.mark.parametrize(
    ("espo", "advo", "expected"),
    [("Dr.", "Prof.", False), (" Dr. ", "Prof.", False), ("Dr. neu", "Prof.", True), ("Dr.", "Prof. neu", True)],
)
def test_a_task_is_superseded_when_either_side_says_something_else(
    kind: str, espo: str, advo: str, expected: bool
) -> None:
    stands = {Side.ESPOCRM: {"titel": espo}, Side.ADVOWARE: {"titel": advo}}
    assert superseded(Open(kind), FIELDS, stands) is expected
    turned = {Side.ESPOCRM: {"titel": advo}, Side.ADVOWARE: {"titel": espo}}
    assert superseded(Open(kind, details={**REFUSED, "side": "espocrm"}), FIELDS, turned) is expected


@pytest.mark.parametrize(
    "task",
    [
        Open(TaskKind.CONFLICT),
        Open(details={**REFUSED, "side": "nirgends"}),
        Open(details={"wanted": "Dr.", "standing": "Prof."}),
        Open(fields=("nirgends",)),
        Open(fields=("zusatz",)),
        Open(details={"side": "advoware"}),
    ],
)
def test_a_task_about_anything_else_is_not_superseded(task: Open) -> None:
    moved = {Side.ESPOCRM: {"titel": "x", "nirgends": "x"}, Side.ADVOWARE: {"titel": "y", "nirgends": "y"}}
    assert superseded(task, FIELDS, moved) is False


def test_what_a_side_refused_with_a_reason_and_still_refuses_is_known_by_field() -> None:
    tasks = [
        Open(),
        Open(TaskKind.READONLY_FIELD, ("zusatz",)),
        Open(fields=("name", "vorname"), details={**REFUSED, "side": "espocrm"}),
        Open(fields=("brief_anrede",), details={**REFUSED, "why": DROPPED}),
    ]
    assert refused_fields(tasks, FIELDS, STANDS) == {
        "titel": Side.ADVOWARE,
        "name": Side.ESPOCRM,
        "vorname": Side.ESPOCRM,
    }
    since = {Side.ESPOCRM: {"titel": "neu"}, Side.ADVOWARE: {"titel": "Prof."}}
    assert "titel" not in refused_fields(tasks, FIELDS, since)


@pytest.mark.parametrize(
    ("kind", "details", "side"),
    [
        (TaskKind.VALUE_REFUSED, REFUSED, Side.ADVOWARE),
        (TaskKind.VALUE_REFUSED, {"side": "espocrm"}, Side.ESPOCRM),
        (TaskKind.READONLY_FIELD, REFUSED, None),
        (TaskKind.VALUE_REFUSED, {**REFUSED, "why": DROPPED}, None),
        (TaskKind.VALUE_REFUSED, {"side": "nirgends"}, None),
        (TaskKind.VALUE_REFUSED, {}, None),
    ],
)
def test_only_a_refusal_with_a_reason_has_a_refusing_side(kind: str, details: Mapping[str, Any], side: Side) -> None:
    assert refusing_side(kind, details) is side


@pytest.mark.parametrize("side", list(Side))
def test_a_refused_value_goes_to_the_side_that_refused_it_when_it_is_due(side: Side) -> None:
    (again,) = try_again([quiet()], FIELDS, {"titel": side}, due=True)
    value, replaced = ("Dr.", "Prof.") if side is Side.ADVOWARE else ("Prof.", "Dr.")
    assert again == Decision("titel", Verdict.COPY, side.other, value, replaced, retry=True)


@pytest.mark.parametrize(
    ("other", "again"),
    [
        (None, False),
        (quiet(name="zusatz"), False),
        (Decision("zusatz", Verdict.HOLD, None, "a", "b"), False),
        (Decision("zusatz", Verdict.COPY, Side.ESPOCRM, "a", "b"), True),
        (Decision("zusatz", Verdict.AGREED, None, "a", "a"), True),
    ],
)
def test_before_it_is_due_it_goes_along_with_a_change_of_the_record(other: Decision | None, again: bool) -> None:
    decisions = [quiet(), *([other] if other is not None else [])]
    tried = try_again(decisions, FIELDS, {"titel": Side.ADVOWARE}, due=False)
    assert tried[0].retry is again
    assert tried[1:] == decisions[1:]


@pytest.mark.parametrize(
    "decision",
    [
        Decision("titel", Verdict.COPY, Side.ESPOCRM, "Dr.", "Prof."),
        Decision("titel", Verdict.HOLD, None, "Dr.", "Prof."),
        quiet("Dr.", " Dr. "),
        quiet(name="zusatz"),
    ],
)
def test_what_moved_is_held_agrees_or_was_never_refused_is_not_sent_again(decision: Decision) -> None:
    assert try_again([decision], FIELDS, {"titel": Side.ADVOWARE}, due=True) == [decision]


@pytest.mark.parametrize(
    ("kind", "fields", "details", "is_news"),
    [
        (TaskKind.VALUE_REFUSED, ("zusatz", "titel"), REFUSED, False),
        (TaskKind.VALUE_REFUSED, ("zusatz", "titel"), {**REFUSED, "why": "anders"}, False),
        (TaskKind.READONLY_FIELD, ("zusatz", "titel"), REFUSED, True),
        (TaskKind.VALUE_REFUSED, ("titel",), REFUSED, True),
        (TaskKind.VALUE_REFUSED, ("zusatz", "titel"), {**REFUSED, "wanted": "Mag."}, True),
        (TaskKind.VALUE_REFUSED, ("zusatz", "titel"), {**REFUSED, "standing": None}, True),
        (TaskKind.VALUE_REFUSED, ("zusatz", "titel"), {**REFUSED, "side": "espocrm"}, True),
    ],
)
def test_a_task_that_an_open_one_says_already_is_no_news(
    kind: TaskKind, fields: tuple[str, ...], details: Mapping[str, Any], is_news: bool
) -> None:
    task = TaskWanted(kind, fields, details)
    told = [(str(TaskKind.CONFLICT), ("name",), {}), (str(TaskKind.VALUE_REFUSED), ("titel", "zusatz"), REFUSED)]
    assert news([task], told) == ([task] if is_news else [])
