"""From the merge's decisions to changes per side, tasks, findings and the resulting base. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from vmh_sync.sync.base import Base, Fields, Side
from vmh_sync.sync.fields import FieldTable, Unrepresentable, is_foreign
from vmh_sync.sync.merge import Decision, Verdict
from vmh_sync.sync.planning.plan import FieldChange, Finding, TaskKind, TaskWanted
from vmh_sync.sync.values import Value, alike

TRIED_AGAIN = "tried_again"
"""Reason of a change that only sends once more what was refused."""


@dataclass(slots=True, repr=False)
class FieldPlan:
    """What a field-wise merge comes to: changes per side, tasks, findings, and the base that results.

    ``base`` supposes that every change goes through; the executor corrects it by what the sides say afterwards.
    """

    to_espocrm: list[FieldChange] = field(default_factory=list)
    to_advoware: list[FieldChange] = field(default_factory=list)
    conflicts: list[FieldChange] = field(default_factory=list)
    adopted: list[FieldChange] = field(default_factory=list)
    tasks: list[TaskWanted] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    base_espocrm: dict[str, Value] = field(default_factory=dict)
    base_advoware: dict[str, Value] = field(default_factory=dict)
    base_moves: bool = False
    held: dict[str, dict[str, Value]] = field(default_factory=dict)

    def copy(self) -> "FieldPlan":
        """Return a plan of the writer's own, whose base it corrects by what the sides say."""
        return replace(self, base_espocrm=dict(self.base_espocrm), base_advoware=dict(self.base_advoware))

    def changes(self, side: Side) -> list[FieldChange]:
        """Return the changes to be written to ``side``."""
        return self.to_espocrm if side is Side.ESPOCRM else self.to_advoware

    def base_of(self, side: Side) -> dict[str, Value]:
        """Return the resulting base of ``side``, open to corrections."""
        return self.base_espocrm if side is Side.ESPOCRM else self.base_advoware

    @property
    def base(self) -> Base:
        """Return the resulting base."""
        return Base(dict(self.base_espocrm), dict(self.base_advoware))

    @property
    def only_tries_again(self) -> bool:
        """Whether all there is to write was refused before."""
        changes = (*self.to_espocrm, *self.to_advoware)
        return all(change.reason == TRIED_AGAIN for change in changes) and not (self.adopted or self.tasks)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be done and nothing to be remembered."""
        return not (self.to_espocrm or self.to_advoware or self.tasks or self.base_moves)


def plan_fields(decisions: Iterable[Decision], table: FieldTable, *, base: Base | None) -> FieldPlan:
    """Turn the merge's decisions into changes, tasks and the resulting base.

    A value that the target does not take (read-only there, or no word for it) stays on its side: the base remembers
    what each side says, a finding and, for an edit, a task tell a person.
    """
    plan = FieldPlan(base_espocrm=dict(base.espocrm) if base else {}, base_advoware=dict(base.advoware) if base else {})
    for decision in decisions:
        _plan_one(plan, decision, table)
    _gather_conflict_task(plan)
    return plan


def _plan_one(plan: FieldPlan, decision: Decision, table: FieldTable) -> None:
    if decision.verdict is Verdict.QUIET:
        return
    if decision.verdict is Verdict.HOLD:
        plan.held[decision.field] = {Side.ESPOCRM.value: decision.value, Side.ADVOWARE.value: decision.replaced}
        return
    plan.base_moves = True
    if decision.verdict is Verdict.AGREED or decision.source is None:
        _remember(plan, decision.field, espo=decision.value, advo=decision.replaced)
        if not decision.first_contact:
            plan.adopted.append(FieldChange(decision.field, None, decision.value, "both_same"))
        return
    _carry_over(plan, decision, decision.source, table)


def _carry_over(plan: FieldPlan, decision: Decision, source: Side, table: FieldTable) -> None:
    name, target = decision.field, source.other
    obstacle, why = _obstacle(table, name, target, decision.value)
    if obstacle is not None and decision.retry:
        return
    if obstacle is not None and alike(table[name].kind, decision.value, decision.replaced):
        plan.base_of(source)[name], plan.base_of(target)[name] = decision.value, decision.replaced
        return
    if obstacle is not None:
        _keep_apart(plan, decision, source, table, obstacle, why)
        return
    lost = decision.verdict is Verdict.CONFLICT
    reason = "first_contact" if decision.first_contact else "conflict" if lost else f"changed_in_{source}"
    reason = TRIED_AGAIN if decision.retry else reason
    change = FieldChange(name, decision.replaced, decision.value, reason, losing=decision.replaced if lost else None)
    plan.changes(target).append(change)
    if lost:
        plan.conflicts.append(change)
    plan.base_of(source)[name] = decision.value
    plan.base_of(target)[name] = decision.value


def _obstacle(table: FieldTable, name: str, target: Side, value: Value) -> tuple[TaskKind | None, str]:
    try:
        table[name].write(target, value)
    except Unrepresentable as error:
        if error.why or table[name].writable(target):
            return TaskKind.VALUE_REFUSED, error.why
    if not table[name].writable(target):
        return TaskKind.READONLY_FIELD, ""
    return None, ""


def _keep_apart(
    plan: FieldPlan, decision: Decision, source: Side, table: FieldTable, obstacle: TaskKind, why: str
) -> None:
    name = decision.field
    plan.base_of(source)[name] = decision.value
    plan.base_of(source.other)[name] = decision.replaced
    plan.findings.append(Finding(name, source.other, obstacle_text(obstacle, table.label(name), source.other, why)))
    if decision.first_contact and (is_foreign(decision.value) or is_foreign(decision.replaced)):
        return
    details = {"wanted": decision.value, "standing": decision.replaced, "side": str(source.other)}
    if why:
        details["why"] = why
    plan.tasks.append(TaskWanted(obstacle, (name,), details))


_SIDE_NAMES = {Side.ESPOCRM: "EspoCRM", Side.ADVOWARE: "Advoware"}


def obstacle_text(obstacle: TaskKind, label: str, target: Side, why: str = "") -> str:
    """Return the German sentence that says why a value stays on its side."""
    if why:
        return f"{label}: Der Wert bleibt auf seiner Seite stehen, {why}."
    if obstacle is TaskKind.READONLY_FIELD:
        return f"{label}: {_SIDE_NAMES[target]} nimmt dieses Feld über die Schnittstelle nicht an."
    return f"{label}: {_SIDE_NAMES[target]} kennt diesen Wert nicht; er bleibt auf seiner Seite stehen."


def _remember(plan: FieldPlan, name: str, *, espo: Value, advo: Value) -> None:
    plan.base_espocrm[name] = espo
    plan.base_advoware[name] = advo


def _gather_conflict_task(plan: FieldPlan) -> None:
    # One task per record, kind and set of fields (sync-semantics.md 8). First contact goes to the audit log only:
    # a first load of thousands of records must not bury people in tasks.
    decided = [change for change in plan.conflicts if change.reason == "conflict"]
    if decided:
        details = {"decided": {change.field: _decided(plan, change) for change in decided}}
        plan.tasks.append(TaskWanted(TaskKind.CONFLICT, tuple(sorted(change.field for change in decided)), details))
    if plan.held:
        plan.tasks.append(TaskWanted(TaskKind.CONFLICT, tuple(sorted(plan.held)), {"held": dict(plan.held)}))


def _decided(plan: FieldPlan, change: FieldChange) -> dict[str, Value]:
    loser = Side.ESPOCRM if change in plan.to_espocrm else Side.ADVOWARE
    return {"stands": change.new, "lost": change.losing, "lost_in": str(loser)}


def payload(changes: Iterable[FieldChange], table: FieldTable, side: Side) -> dict[str, Any]:
    """Return what to send to ``side`` for these changes, in its own names and notation."""
    result: dict[str, Any] = {}
    for change in changes:
        rule = table[change.field]
        result[rule.espo if side is Side.ESPOCRM else rule.advoware] = rule.write(side, change.new)
    return result


def disagreeing(names: Iterable[str], table: FieldTable, espocrm: Fields, advoware: Fields) -> list[str]:
    """Return those fields of ``names`` in which both sides still say different things."""
    return [
        name for name in names if name in table and not alike(table[name].kind, espocrm.get(name), advoware.get(name))
    ]
