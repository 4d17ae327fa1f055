"""Where both sides of a child stay apart because one of them does not take a value, and which tasks say so. Pure.

Neither failed nor clean: the record says so, the outcome says so, and what was refused is tried again (specification,
sync-semantics.md 4).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from vmh_sync.children.kind import ChildKind
from vmh_sync.children.plan import ChildPlan
from vmh_sync.store.history.tasks import ManualTask
from vmh_sync.sync.base import Base, Side
from vmh_sync.sync.deciding.apart import STAYS_APART, different_text, superseded
from vmh_sync.sync.deciding.field_plan import TRIED_AGAIN, FieldPlan, disagreeing
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.planning.plan import TaskKind, TaskWanted
from vmh_sync.tasks.answered import all_answered


def keeps_apart(kind: ChildKind, task_kind: str, details: Mapping[str, object]) -> bool:
    """Whether such a task says that both sides differ in a value."""
    held = task_kind == TaskKind.CONFLICT and bool(details.get("held"))
    return held or task_kind in STAYS_APART or task_kind == kind.update_task


def different(kind: ChildKind, plan: ChildPlan) -> tuple[str, ...]:
    """Return the fields in which both sides stay apart, each with an open task; before or after writing."""
    closing = set(plan.closing)
    standing = [(row.kind, row.details, row.fields) for row in plan.open_rows if row.id not in closing]
    new = [(str(task.kind), task.details, task.fields) for task in (*plan.tasks, *plan.reported)]
    telling = [names for task, details, names in (*standing, *new) if keeps_apart(kind, task, details)]
    return tuple(sorted({name for names in telling for name in names}))


def difference_text(
    kind: ChildKind, names: Collection[str], rows: Iterable[ManualTask] = (), new: Collection[TaskWanted] = ()
) -> str | None:
    """Return what EspoCRM's record says about these fields; ``None`` without any. ``rows`` and ``new`` tell of them."""
    labels = [kind.labels.get(name, name) for name in names]
    answered = not new and all_answered(names, rows)
    return different_text(labels, answered=answered) if labels else None


def still_refused(table: FieldTable, base: Base, rows: Iterable[ManualTask]) -> list[str]:
    """Return the fields of tasks about refused values in which both sides still differ by ``base``."""
    stands = {Side.ESPOCRM: base.espocrm, Side.ADVOWARE: base.advoware}
    about = (row for row in rows if row.kind == TaskKind.VALUE_REFUSED and not superseded(row, table, stands))
    names = {name for row in about for name in row.fields}
    return disagreeing(sorted(names), table, base.espocrm, base.advoware)


def settle_refusals(plan: ChildPlan, fields: FieldPlan, table: FieldTable, *, written: bool) -> ChildPlan:
    """Let ``closing`` name the tasks about refused values that reality has settled, by the base as it is now.

    Before it is ``written``, what is only sent once more settles nothing.
    """
    rows = [row for row in plan.open_rows if row.kind == TaskKind.VALUE_REFUSED]
    if not rows:
        return plan
    changes = (*fields.to_espocrm, *fields.to_advoware)
    retried = set() if written else {change.field for change in changes if change.reason == TRIED_AGAIN}
    told = {
        name for task in (*plan.tasks, *plan.reported) if task.kind is TaskKind.VALUE_REFUSED for name in task.fields
    }
    apart = {*still_refused(table, fields.base, rows), *retried, *told}
    ids = {row.id for row in rows}
    settled = (row.id for row in rows if not set(row.fields) & apart)
    return replace(plan, closing=(*(task for task in plan.closing if task not in ids), *settled))
