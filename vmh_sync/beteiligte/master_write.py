"""Writes a party's master data to Advoware and finds out what Advoware made of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vmh_sync.beteiligte.diff import MasterPlan
from vmh_sync.beteiligte.model import read_advoware
from vmh_sync.beteiligte.state import PartyState
from vmh_sync.engine.guarded_write import guarded_write
from vmh_sync.engine.pass_context import PassContext, WriteGate
from vmh_sync.sync.base import Side
from vmh_sync.sync.field_plan import obstacle_text
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.plan import FieldChange, Finding, TaskKind, TaskWanted
from vmh_sync.sync.values import Value, is_form_of, same
from vmh_sync.systems.advoware.errors import Rejected, UnexpectedAnswer
from vmh_sync.systems.advoware.records import Beteiligter


@dataclass(slots=True, repr=False)
class AdvowareWritten:
    """What became of a write to Advoware: the record as it stands now, and what did not get through."""

    record: Beteiligter
    applied: list[FieldChange] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    tasks: list[TaskWanted] = field(default_factory=list)


async def write_master(
    context: PassContext,
    gate: WriteGate,
    current: Beteiligter,
    state: PartyState,
    plan: MasterPlan,
    table: FieldTable,
) -> AdvowareWritten:
    """Write the planned changes and correct the plan's base by what Advoware says afterwards.

    A field that Advoware refuses is left out and told to a person; the rest goes on. A field that it silently ignores
    becomes a finding and a task, not an endless rewrite (specification, sync-semantics.md 3).
    """
    record, refused = await _put(context, gate, current, state, plan, table)
    told = read_advoware(record.model_dump(), table, company=state.company)
    written = AdvowareWritten(record)
    for change in plan.fields.to_advoware:
        stands, before = told.get(change.field), (state.advoware or {}).get(change.field)
        rule, was_refused = table[change.field], change.field in refused
        taken = not was_refused and same(rule.kind, stands, change.new)
        made_of_it = not was_refused and is_form_of(stands, change.new)
        # A third value is an edit made after ours was taken: the next look finds it against what was sent.
        edited = not was_refused and not made_of_it and not same(rule.kind, stands, before)
        learned = stands if taken or made_of_it else change.new if edited else before
        plan.fields.base_advoware[change.field] = learned
        if taken or edited:
            written.applied.append(change)
            continue
        kind = TaskKind.VALUE_REFUSED if change.field in refused else TaskKind.READONLY_FIELD
        label = table.label(change.field)
        written.findings.append(Finding(change.field, Side.ADVOWARE, obstacle_text(kind, label, Side.ADVOWARE)))
        details = {"wanted": change.new, "standing": stands, "side": str(Side.ADVOWARE)}
        if refused.get(change.field):
            details["why"] = refused[change.field]
        written.tasks.append(TaskWanted(kind, (change.field,), details))
    return written


async def _put(
    context: PassContext,
    gate: WriteGate,
    current: Beteiligter,
    state: PartyState,
    plan: MasterPlan,
    table: FieldTable,
) -> tuple[Beteiligter, dict[str, str]]:
    def fields(record: Beteiligter) -> Mapping[str, Value]:
        return read_advoware(record.model_dump(), table, company=state.company)

    try:
        return await _replace(context, gate, current, plan.advoware, fields), {}
    except Rejected as whole:
        if len(plan.fields.to_advoware) == 1:
            return current, {plan.fields.to_advoware[0].field: whole.said}
        # One value is wrong, and Advoware does not say which: field by field, so that only that one stays behind.
        refused: dict[str, str] = {}
        for change in plan.fields.to_advoware:
            attribute = table[change.field].advoware
            try:
                changes = {attribute: plan.advoware[attribute]}
                current = await _replace(context, gate, current, changes, fields)
            except Rejected as refusal:
                refused[change.field] = refusal.said
        return current, refused


async def _replace(
    context: PassContext,
    gate: WriteGate,
    planned: Beteiligter,
    changes: Mapping[str, Any],
    fields: Callable[[Beteiligter], Mapping[str, Value]],
) -> Beteiligter:
    record = await guarded_write(
        gate,
        Side.ADVOWARE,
        look=lambda: context.advoware.read_beteiligter(planned.bet_nr),
        unmoved=lambda now: now.row_id == planned.row_id and fields(now) == fields(planned),
        send=lambda now: context.advoware.replace_beteiligter(now, changes),
    )
    record = record or await context.advoware.read_beteiligter(planned.bet_nr)
    if record is None:
        raise UnexpectedAnswer("PUT Beteiligte/{betnr}: the party is gone right after the write")
    # The answer to a write may come without the children.
    if not record.kommunikation_told:
        record.kommunikation = planned.kommunikation
    return record
