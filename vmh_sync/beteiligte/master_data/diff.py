"""From a party's state to the plan for its master data. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vmh_sync.beteiligte.fields import ADVOWARE_ENTITY, ESPO_ENTITY
from vmh_sync.beteiligte.master_data.company_name import (
    bring_homes_together,
    cleared_name,
    leave_company_name,
    remember_homes,
    tell_lost_home,
)
from vmh_sync.beteiligte.master_data.form import decided_by_form
from vmh_sync.beteiligte.master_data.state import OpenTask, PartyState
from vmh_sync.beteiligte.model import FIRM, MIRROR, espo_payload
from vmh_sync.engine.writing.sending import still_held, told_if_taken_back
from vmh_sync.sync.base import Side
from vmh_sync.sync.deciding.apart import STAYS_APART, refused_fields, superseded, try_again
from vmh_sync.sync.deciding.field_plan import FieldPlan, disagreeing, payload, plan_fields
from vmh_sync.sync.fields import FieldTable, Unrepresentable
from vmh_sync.sync.merge import merge
from vmh_sync.sync.planning.plan import Action, FieldChange, Operation, RecordPlan, TaskKind
from vmh_sync.sync.values import Kind, alike, is_empty

CREATE_MARK = "EspoCRM-ID: {espo_id}"
"""Stands in the remark of a party that we created, so that it can be found again (wire contract 3, search)."""

DELETED_IN_ESPOCRM = "deleted_in_espocrm"
"""Marks the task that reports a party deleted in EspoCRM; it closes when the party is back."""

_ABOUT_ABSENCE = {TaskKind.MISSING_IN_ADVOWARE, TaskKind.CREATE_UNKNOWN, TaskKind.TWIN_SUSPECTED}


@dataclass(frozen=True, slots=True, repr=False)
class MasterPlan:
    """What is to be done to a party's master data.

    ``espo`` and ``advoware`` are the payloads in each side's own names; ``fields`` is the merge they come from.
    """

    record: RecordPlan
    fields: FieldPlan
    espo: Mapping[str, object]
    advoware: Mapping[str, object]
    creates: bool = False


def plan_master(state: PartyState, table: FieldTable) -> MasterPlan:
    """Decide what has to be written so that both sides say the same about a party."""
    if state.advoware is None:
        return _plan_create(state, table)
    base = state.base or state.recalled
    decisions = merge(table.rules, base=base, espocrm=state.espocrm, advoware=state.advoware, stamps=state.stamps)
    decisions = told_if_taken_back(decisions, state.taken_back, table, state.stamps)
    decisions = decided_by_form(decisions, state.form, state.agreed_name)
    refused = _refused(state, table)
    fields = plan_fields(try_again(decisions, table, refused, due=state.retry_refused), table, base=base)
    espo = _espo_payload(fields, state, table)
    advoware = payload(fields.to_advoware, table, Side.ADVOWARE)
    noted = state.sending != still_held(state.sending, fields.held)
    fields.base_moves = fields.base_moves or state.base is None or noted
    if state.form.company:
        espo |= bring_homes_together(fields, state, table, refused=MIRROR in refused)
        tell_lost_home(fields, state, espo, table)
        remember_homes(fields, state, espo)
    else:
        espo |= leave_company_name(fields, state, refused=FIRM in refused)
    return MasterPlan(_record(state, fields, espo, advoware, table), fields, espo, advoware)


def _refused(state: PartyState, table: FieldTable) -> dict[str, Side]:
    return refused_fields(state.tasks, table, {Side.ESPOCRM: state.espocrm, Side.ADVOWARE: state.advoware or {}})


def _plan_create(state: PartyState, table: FieldTable) -> MasterPlan:
    values: dict[str, Any] = {}
    fields = FieldPlan(base_moves=True)
    for rule in table.rules:
        value = state.espocrm.get(rule.name)
        if is_empty(value):
            continue
        if not rule.on_create:
            continue
        try:
            values[rule.advoware] = rule.write(Side.ADVOWARE, value)
        except Unrepresentable:
            continue  # shows up as a difference when the created party is merged
        fields.to_advoware.append(FieldChange(rule.name, None, value, "created"))
    values["bemerkung"] = CREATE_MARK.format(espo_id=state.espo_id)
    operation = Operation(
        Side.ADVOWARE, Action.CREATE, ADVOWARE_ENTITY, None, values, tuple(fields.to_advoware), "no betnr yet"
    )
    record = RecordPlan(ESPO_ENTITY, state.espo_id, None, (operation,), base_moves=True)
    return MasterPlan(record, fields, {}, values, creates=True)


def _espo_payload(fields: FieldPlan, state: PartyState, table: FieldTable) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for change in fields.to_espocrm:
        result.update(espo_payload(change.field, change.new, table, state.form, state.espo_attributes))
    return result


def _record(
    state: PartyState, fields: FieldPlan, espo: dict[str, Any], advoware: dict[str, Any], table: FieldTable
) -> RecordPlan:
    operations = []
    if advoware:
        operations.append(
            Operation(
                Side.ADVOWARE,
                Action.UPDATE,
                ADVOWARE_ENTITY,
                str(state.betnr),
                advoware,
                tuple(fields.to_advoware),
                "edited in EspoCRM",
            )
        )
    if espo:
        operations.append(
            Operation(
                Side.ESPOCRM,
                Action.UPDATE,
                ESPO_ENTITY,
                state.espo_id,
                espo,
                (*fields.to_espocrm, *cleared_name(state, espo)),
                "edited in Advoware",
            )
        )
    return RecordPlan(
        ESPO_ENTITY,
        state.espo_id,
        state.betnr,
        tuple(operations),
        tuple(fields.tasks),
        settled_tasks(state, fields, table),
        tuple(fields.findings),
        tuple(fields.conflicts),
        fields.base_moves,
    )


def settled_tasks(state: PartyState, fields: FieldPlan, table: FieldTable) -> tuple[int, ...]:
    """Return the ids of open tasks that reality has settled: both sides will say the same in all their fields."""
    return tuple(task.id for task in state.tasks if _is_settled(task, fields, table))


def _is_settled(task: OpenTask, fields: FieldPlan, table: FieldTable) -> bool:
    if task.settled:
        return True
    if task.kind in _ABOUT_ABSENCE or task.fields == (DELETED_IN_ESPOCRM,):
        return True  # the plan was made from a party that both sides have
    if task.fields == (MIRROR,) and task.kind in STAYS_APART:
        return alike(Kind.TEXT, fields.base_espocrm.get(MIRROR), fields.base_espocrm.get("name"))
    if task.fields == (FIRM,):
        return FIRM not in fields.base_espocrm
    closes_itself = task.kind in STAYS_APART or (task.kind == TaskKind.CONFLICT and task.held)
    if not closes_itself or not all(name in table for name in task.fields):
        return False
    if set(task.fields) & set(fields.held):
        return False
    if superseded(task, table, {Side.ESPOCRM: fields.base_espocrm, Side.ADVOWARE: fields.base_advoware}):
        return True
    return not disagreeing(task.fields, table, fields.base_espocrm, fields.base_advoware)
