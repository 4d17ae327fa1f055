"""A text in a field of another kind (day, number, flag, choice) is carried to no side: nothing is made of it."""

import pytest

from vmh_sync.sync.base import Base, Side
from vmh_sync.sync.deciding.field_plan import plan_fields
from vmh_sync.sync.fields import Choices, FieldRule, FieldTable, Unrepresentable
from vmh_sync.sync.merge import merge
from vmh_sync.sync.planning.plan import TaskKind
from vmh_sync.sync.values import Kind, Value, date, same

DAY = FieldRule("tag", "tag", "tag", "Geburtsdatum", kind=Kind.DATE)
FLAG = FieldRule("flagge", "flagge", "flagge", "Standardanschrift", kind=Kind.FLAG)
NUMBER = FieldRule("zahl", "zahl", "zahl", "Ordnungszahl", kind=Kind.NUMBER)
CHOICE = FieldRule("wahl", "wahl", "wahl", "Anrede", choices=Choices((("Mr.", "Herr"),)))
NAME = FieldRule("name", "name", "name", "Name")
TABLE = FieldTable((DAY, FLAG, NUMBER, CHOICE, NAME))

WRONG = [
    (DAY, "Dr."),
    (DAY, "31.12.1970"),
    (DAY, "2025-02-30"),
    (DAY, "2025-13-01T00:00:00"),
    (DAY, "2025-01-01 bis auf Weiteres"),
    (DAY, "2025-01-01T"),
    (FLAG, "vielleicht"),
    (FLAG, "x"),
    (NUMBER, "zwölf"),
    (NUMBER, "1.5"),
    (CHOICE, "Graf"),
]


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(("rule", "raw"), WRONG)
def test_it_is_written_to_neither_side_and_stays_what_it_is(rule: FieldRule, raw: str, side: Side) -> None:
    value = rule.read(side, raw)
    assert value not in (None, False)
    with pytest.raises(Unrepresentable):
        rule.write(side.other, value)


@pytest.mark.parametrize("source", Side)
@pytest.mark.parametrize(("rule", "raw"), WRONG)
def test_the_other_fields_go_through_and_the_task_names_field_and_kind(rule: FieldRule, raw: str, source: Side) -> None:
    before: dict[str, Value] = {"name": "Alt", rule.name: None}
    edited = {"name": "Neu", rule.name: rule.read(source, raw)}
    sides = {source: edited, source.other: before}
    base = Base(dict(before), dict(before))
    decisions = merge(TABLE.rules, base=base, espocrm=sides[Side.ESPOCRM], advoware=sides[Side.ADVOWARE])
    plan = plan_fields(decisions, TABLE, base=base)
    assert [change.field for change in plan.changes(source.other)] == ["name"]
    (task,) = plan.tasks
    assert (task.kind, task.fields) == (TaskKind.VALUE_REFUSED, (rule.name,))
    kinds = {DAY: "kein Datum", FLAG: "weder ja noch nein", NUMBER: "keine ganze Zahl"}
    assert rule is CHOICE or kinds[rule] in task.details["why"]
    (finding,) = plan.findings
    assert rule.label in finding.message
    assert raw not in finding.message


@pytest.mark.parametrize(
    ("raw", "day"),
    [
        ("2025-01-31", "2025-01-31"),
        ("2025-01-31T00:00:00", "2025-01-31"),
        ("2025-01-31 10:20:30.5", "2025-01-31"),
        ("2025-01-31T00:00:00+02:00", "2025-01-31"),
        ("2025-01-31T22:00Z", "2025-01-31"),
        ("0000-00-00", None),
        ("0000-00-00 00:00:00", None),
        (" ", None),
    ],
)
def test_a_day_in_the_notations_of_the_systems(raw: str, day: str | None) -> None:
    assert date(raw) == day
    assert DAY.write(Side.ADVOWARE, date(raw)) == (f"{day}T00:00:00" if day else None)


@pytest.mark.parametrize("raw", ["nein", "N", "false", "0", "", False])
def test_what_says_no_is_no_flag_and_equals_nothing(raw: object) -> None:
    assert FLAG.read(Side.ADVOWARE, raw) is False
    assert same(Kind.FLAG, raw if isinstance(raw, str | bool) else None, None)
    assert not same(Kind.FLAG, "vielleicht", False)
