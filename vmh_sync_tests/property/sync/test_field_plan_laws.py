"""What the merge decides becomes writes, and the written state needs no further writes (convergence of one pair)."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from vmh_sync.sync.base import Base, Side
from vmh_sync.sync.deciding.field_plan import FieldPlan, disagreeing, payload, plan_fields
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.merge import ConflictRule, Stamps, merge
from vmh_sync.sync.planning.plan import TaskKind
from vmh_sync.sync.values import Value, same
from vmh_sync_tests.property.sync.spellings import MAYBE_BASES, RULES, STAMPS, TABLE, record, table_with


def planned(
    table: FieldTable, base: Base | None, espo: dict[str, Value], advo: dict[str, Value], stamps: Stamps
) -> FieldPlan:
    return plan_fields(merge(table.rules, base=base, espocrm=espo, advoware=advo, stamps=stamps), table, base=base)


def written(plan: FieldPlan, table: FieldTable, sides: dict[Side, dict[str, Value]]) -> dict[Side, dict[str, Value]]:
    """Execute a plan on two obedient sides that keep what they are sent."""
    return {
        side: {**fields, **table.read(side, payload(plan.changes(side), table, side))} for side, fields in sides.items()
    }


@given(RULES, MAYBE_BASES, record(), record(), STAMPS)
def test_what_was_merged_needs_no_second_write(
    rule: ConflictRule, base: Base | None, espo: dict[str, Value], advo: dict[str, Value], stamps: Stamps
) -> None:
    table = table_with(rule)
    plan = planned(table, base, espo, advo, stamps)
    after = written(plan, table, {Side.ESPOCRM: espo, Side.ADVOWARE: advo})
    again = planned(table, plan.base, after[Side.ESPOCRM], after[Side.ADVOWARE], stamps)
    assert not (again.to_espocrm or again.to_advoware or again.base_moves or again.adopted)
    assert again.held == plan.held
    assert again.base == plan.base


@given(RULES, record(), record(), STAMPS)
def test_after_first_contact_both_sides_say_the_same(
    rule: ConflictRule, espo: dict[str, Value], advo: dict[str, Value], stamps: Stamps
) -> None:
    table = table_with(rule)
    plan = planned(table, None, espo, advo, stamps)
    after = written(plan, table, {Side.ESPOCRM: espo, Side.ADVOWARE: advo})
    names = [line.name for line in table.rules]
    assert disagreeing(names, table, after[Side.ESPOCRM], after[Side.ADVOWARE]) == []
    assert disagreeing(names, table, plan.base_espocrm, plan.base_advoware) == []
    assert not plan.tasks, "a first load buries nobody in tasks"


@given(RULES, MAYBE_BASES, record(), record(), STAMPS)
def test_no_edit_is_overwritten_without_being_named(
    rule: ConflictRule, base: Base | None, espo: dict[str, Value], advo: dict[str, Value], stamps: Stamps
) -> None:
    """A value that a write replaces is in the base, or empty on first contact, or named as the loser."""
    plan = planned(table_with(rule), base, espo, advo, stamps)
    standing = {Side.ESPOCRM: espo, Side.ADVOWARE: advo}
    for side in Side:
        for change in plan.changes(side):
            assert change.old == standing[side][change.field]
            known = base.of(side)[change.field] if base else None
            kind = TABLE[change.field].kind
            if not same(kind, change.old, known):
                assert change.losing == change.old
                assert change in plan.conflicts
            assert not same(kind, change.old, change.new), "what means the same is never written"


@given(MAYBE_BASES, record(), record(), STAMPS)
def test_one_conflict_task_names_every_loser_and_what_stands_now(
    base: Base | None, espo: dict[str, Value], advo: dict[str, Value], stamps: Stamps
) -> None:
    plan = planned(table_with(ConflictRule.ADVOWARE_WINS), base, espo, advo, stamps)
    if base is None or not plan.conflicts:
        assert plan.tasks == []
        return
    (task,) = plan.tasks
    assert task.kind is TaskKind.CONFLICT
    assert task.fields == tuple(sorted(change.field for change in plan.conflicts))
    decided = {name: {"stands": advo[name], "lost": espo[name], "lost_in": "espocrm"} for name in task.fields}
    assert task.details == {"decided": decided}


@given(MAYBE_BASES, record(), record())
def test_what_a_person_must_decide_is_left_alone_on_both_sides_and_in_the_base(
    base: Base | None, espo: dict[str, Value], advo: dict[str, Value]
) -> None:
    plan = planned(table_with(ConflictRule.MANUAL), base, espo, advo, Stamps())
    touched = {change.field for side in Side for change in plan.changes(side)}
    assert not touched & set(plan.held)
    held_tasks = [task for task in plan.tasks if "held" in task.details]
    assert [task.fields for task in held_tasks] == ([tuple(sorted(plan.held))] if plan.held else [])
    for name in plan.held:
        assert base is not None
        assert plan.base_espocrm[name] == base.espocrm[name]
        assert plan.base_advoware[name] == base.advoware[name]


def read_only(side: Side) -> FieldTable:
    espo, advoware = side is not Side.ESPOCRM, side is not Side.ADVOWARE
    return FieldTable(tuple(replace(line, espo_writable=espo, on_update=advoware) for line in TABLE.rules))


@given(st.sampled_from(list(Side)), MAYBE_BASES, record(), record(), STAMPS)
def test_what_a_side_does_not_take_is_not_sent_but_told_and_never_planned_for_ever(
    side: Side, base: Base | None, espo: dict[str, Value], advo: dict[str, Value], stamps: Stamps
) -> None:
    table = read_only(side)
    plan = planned(table, base, espo, advo, stamps)
    free = planned(TABLE, base, espo, advo, stamps)
    kept = {change.field for change in free.changes(side)}
    assert plan.changes(side) == []
    assert plan.changes(side.other) == free.changes(side.other)
    told = [task for task in plan.tasks if task.kind is TaskKind.READONLY_FIELD]
    assert {name for task in told for name in task.fields} == kept
    assert {finding.field for finding in plan.findings} == kept
    assert {finding.side for finding in plan.findings} <= {side}
    for task in told:
        (name,) = task.fields
        said = {Side.ESPOCRM: espo[name], Side.ADVOWARE: advo[name]}
        assert task.details == {"wanted": said[side.other], "standing": said[side], "side": str(side)}
    after = written(plan, table, {Side.ESPOCRM: espo, Side.ADVOWARE: advo})
    again = planned(table, plan.base, after[Side.ESPOCRM], after[Side.ADVOWARE], stamps)
    assert again.is_empty
