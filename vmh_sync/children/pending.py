"""What a person still has to do in Advoware, and which tasks say so. Pure.

Tasks follow from the state, not from the edit: as long as both sides differ in a field that Advoware does not take,
its task stands; once Advoware shows the value it closes (specification, entities.md 3 and 4).
"""

from collections.abc import Iterable, Mapping, Sequence

from vmh_sync.children.kind import ChildKind
from vmh_sync.store.history.tasks import ManualTask
from vmh_sync.sync.base import Base
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.planning.plan import TaskKind, TaskWanted
from vmh_sync.sync.values import Value, alike
from vmh_sync.tasks.manual_tasks import fingerprint


def differing(table: FieldTable, base: Base, leave_out: Iterable[str] = ()) -> dict[str, tuple[Value, Value]]:
    """Return the fields in which both sides differ although both know it: name -> (Advoware's, EspoCRM's)."""
    left_out = set(leave_out)
    return {
        rule.name: (base.advoware[rule.name], base.espocrm[rule.name])
        for rule in table.rules
        if rule.name not in left_out
        and rule.name in base.advoware
        and rule.name in base.espocrm
        and not alike(rule.kind, base.advoware[rule.name], base.espocrm[rule.name])
    }


def update_tasks(
    kind: ChildKind,
    espo_id: str,
    differences: Mapping[str, tuple[Value, Value]],
    open_rows: Sequence[ManualTask],
    title: str,
) -> tuple[tuple[TaskWanted, ...], tuple[int, ...]]:
    """Return the task that must be open for these differences, and the rows that are settled or superseded."""
    rows = [row for row in open_rows if row.kind == kind.update_task]
    if not differences:
        return (), tuple(row.id for row in rows)
    covering = next((row for row in rows if set(differences) <= set(row.fields)), None)
    names = covering.fields if covering is not None else tuple(sorted(differences))
    changes = {
        name: {"standing": in_advoware, "wanted": in_espocrm}
        for name, (in_advoware, in_espocrm) in sorted(differences.items())
    }
    task = wanted(kind, kind.update_task, espo_id, {"changes": changes, "title": title}, names)
    return (task,), tuple(row.id for row in rows if row is not covering)


def wanted(
    kind: ChildKind, task: TaskKind, espo_id: str, details: Mapping[str, object], fields: tuple[str, ...] = ()
) -> TaskWanted:
    """Return a task about a child."""
    return TaskWanted(task, fields, details, kind.entity, espo_id)


def not_yet_open(tasks: Iterable[TaskWanted], open_rows: Sequence[ManualTask]) -> tuple[TaskWanted, ...]:
    """Leave out the tasks that stand already, with the same values."""
    standing = {(row.kind, frozenset(row.fields), row.fingerprint) for row in open_rows if row.espo_task_id is not None}
    return tuple(task for task in tasks if (task.kind, frozenset(task.fields), fingerprint(task)) not in standing)
