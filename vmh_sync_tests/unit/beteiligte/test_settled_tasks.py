"""Which of our open tasks a plan closes: those that reality has settled (specification, sync-semantics.md 8)."""

from dataclasses import replace
from typing import Any

import pytest

from vmh_sync.beteiligte.fields import FIELDS
from vmh_sync.beteiligte.master_data.diff import DELETED_IN_ESPOCRM, plan_master
from vmh_sync.beteiligte.master_data.state import OpenTask, PartyState, party_state
from vmh_sync.beteiligte.model import FIRM, MIRROR
from vmh_sync.sync.base import Base
from vmh_sync.sync.fields import override
from vmh_sync.sync.planning.plan import TaskKind

MANUAL = override(FIELDS, {"titel": {"conflict": "manual"}})
BASE = Base({"name": "Huber", "titel": "Dr."}, {"name": "Huber", "titel": "Dr."})


def state(
    espo: dict[str, Any], advoware: dict[str, Any], *tasks: OpenTask, base: Base | None = BASE, betnr: int = 7
) -> PartyState:
    return party_state(
        espo_id="e1",
        betnr=betnr,
        espo_attributes=espo,
        advoware_attributes=advoware,
        base=base,
        table=MANUAL,
        tasks=tasks,
    )


def closed(task: OpenTask, *, titel: str = "Dr.", there: str = "Dr.", base: Base = BASE) -> bool:
    plan = plan_master(
        state({"lastName": "Huber", "titel": titel}, {"name": "Huber", "titel": there}, task, base=base), MANUAL
    )
    assert plan.record.close_tasks in {(), (task.id,)}
    return bool(plan.record.close_tasks)


def apart(titel: str, there: str) -> Base:
    return Base({"name": "Huber", "titel": titel}, {"name": "Huber", "titel": there})


@pytest.mark.parametrize("kind", [TaskKind.READONLY_FIELD, TaskKind.VALUE_REFUSED])
def test_a_task_about_a_value_closes_when_both_sides_say_the_same(kind: TaskKind) -> None:
    task = OpenTask(1, kind, ("titel",))
    assert closed(task)
    assert not closed(task, titel="Prof.", there="Dr.", base=apart("Prof.", "Dr."))


def test_all_fields_of_a_task_must_agree() -> None:
    task = OpenTask(1, TaskKind.VALUE_REFUSED, ("name", "titel"))
    assert closed(task)
    assert not closed(task, titel="Prof.", there="Dr.", base=apart("Prof.", "Dr."))


def test_a_held_conflict_closes_when_a_person_has_decided_and_not_before() -> None:
    held = OpenTask(1, TaskKind.CONFLICT, ("titel",), held=True)
    assert closed(held)
    assert closed(held, titel="Prof.", there="Prof.")
    assert not closed(held, titel="Prof.", there="Mag.")


def test_a_conflict_that_the_rule_decided_stays_until_a_person_closes_it() -> None:
    assert not closed(OpenTask(1, TaskKind.CONFLICT, ("titel",)))


@pytest.mark.parametrize(
    "task",
    [
        OpenTask(1, TaskKind.MISSING_IN_ADVOWARE, ()),
        OpenTask(1, TaskKind.CREATE_UNKNOWN, ("betnr",)),
        OpenTask(1, TaskKind.GENERAL, (DELETED_IN_ESPOCRM,)),
    ],
)
def test_a_task_about_a_missing_party_closes_when_both_sides_have_it(task: OpenTask) -> None:
    assert closed(task)


@pytest.mark.parametrize(
    "task", [OpenTask(1, TaskKind.GENERAL, ("titel",)), OpenTask(1, TaskKind.VALUE_REFUSED, ("nowhere",))]
)
def test_what_the_plan_cannot_judge_stays_open(task: OpenTask) -> None:
    assert not closed(task)


def company(last: str, *tasks: OpenTask) -> PartyState:
    base = Base({"name": "Bau", MIRROR: last, FIRM: "Bau"}, {"name": "Bau"})
    return state({"firmenname": "Bau", "lastName": last}, {"name": "Bau"}, *tasks, base=base)


def test_the_task_about_a_companys_second_name_closes_when_both_homes_agree() -> None:
    task = OpenTask(1, TaskKind.VALUE_REFUSED, (MIRROR,))
    assert plan_master(company("Bau", task), MANUAL).record.close_tasks == (1,)
    assert plan_master(company("alt", task), MANUAL).record.close_tasks == ()


def test_only_the_settled_ones_of_several_tasks_close() -> None:
    tasks = (
        OpenTask(1, TaskKind.GENERAL, ("titel",)),
        OpenTask(2, TaskKind.VALUE_REFUSED, ("titel",)),
        OpenTask(3, TaskKind.READONLY_FIELD, ("name",)),
    )
    both = state({"lastName": "Huber", "titel": "Dr."}, {"name": "Huber", "titel": "Dr."}, *tasks)
    assert plan_master(both, MANUAL).record.close_tasks == (2, 3)


def test_operations_name_their_record_on_each_side() -> None:
    plan = plan_master(state({"lastName": "Neu", "titel": "Dr."}, {"name": "Huber", "titel": "Prof."}), MANUAL)
    to_advoware, to_espo = plan.record.operations
    assert (to_advoware.entity, to_advoware.key, to_advoware.payload) == ("Beteiligte", "7", {"name": "Neu"})
    assert (to_espo.entity, to_espo.key, to_espo.payload) == ("CBeteiligte", "e1", {"titel": "Prof."})
    assert [change.field for change in to_advoware.changes] == ["name"]
    assert [change.field for change in to_espo.changes] == ["titel"]
    assert (plan.record.entity, plan.record.espo_id, plan.record.betnr) == ("CBeteiligte", "e1", 7)


def test_a_first_contact_that_agrees_still_makes_a_base() -> None:
    empty = plan_master(replace(state({}, {}), base=None, espocrm={}, advoware={}), MANUAL)
    assert empty.fields.base_moves
    assert not empty.record.operations


def test_a_companys_homes_are_remembered_once() -> None:
    assert not plan_master(company("Bau"), MANUAL).fields.base_moves
    learned = plan_master(
        state({"firmenname": "Bau", "lastName": "Bau"}, {"name": "Bau"}, base=Base({"name": "Bau"}, {"name": "Bau"})),
        MANUAL,
    )
    assert learned.fields.base_moves
    assert learned.fields.base_espocrm == {"name": "Bau", MIRROR: "Bau", FIRM: "Bau", **_others(learned)}


def _others(plan: Any) -> dict[str, Any]:
    return {name: value for name, value in plan.fields.base_espocrm.items() if name not in {"name", MIRROR, FIRM}}
