"""The two homes of a company's name in EspoCRM, ``firmenname`` and ``lastName``, are brought together. Pure.

``firmenname`` says the name, ``lastName`` repeats it (specification, entities.md 1). People may type into either, also
into both at once; what gives way is told like the loser of any conflict.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from vmh_sync.beteiligte.master_data.state import PartyState
from vmh_sync.beteiligte.model import FIRM, MIRROR, espo_payload, homes_of
from vmh_sync.sync.deciding.apart import STAYS_APART
from vmh_sync.sync.deciding.field_plan import FieldPlan
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.planning.plan import FieldChange, TaskKind, TaskWanted
from vmh_sync.sync.values import Kind, Value, same, text

TWO_HOMES = "two_homes"
"""Marks the conflict between both homes in the details of its task."""


def bring_homes_together(fields: FieldPlan, state: PartyState, table: FieldTable, *, refused: bool) -> dict[str, Any]:
    """Return what to write to EspoCRM so that both homes say the name that the base is going to have.

    Left apart after an edit, the older of the two would look like an edit in the next pass. ``refused``: a home did
    not take the name before; it is offered once more when it is time or the record changes. What waits for a person
    is left alone.
    """
    name = fields.base_espocrm.get("name")
    if "name" in fields.held:
        return {}
    if refused and (state.retry_refused or fields.to_espocrm or fields.to_advoware):
        return _homes_unlike(name, state, table)
    before = state.base.espocrm.get("name") if state.base is not None else name
    unmoved = same(Kind.TEXT, name, before) and not state.form.new
    if name is None or unmoved or "firmenname" not in state.espo_attributes:
        return {}
    return _homes_unlike(name, state, table)


def _homes_unlike(name: Value, state: PartyState, table: FieldTable) -> dict[str, Any]:
    wanted = espo_payload("name", name, table, state.form, state.espo_attributes)
    return {key: value for key, value in wanted.items() if not same(Kind.TEXT, state.espo_attributes.get(key), value)}


def tell_lost_home(fields: FieldPlan, state: PartyState, espo: Mapping[str, Any], table: FieldTable) -> None:
    """Name in audit and task what a person typed into one home and ``espo`` replaces (design.md, invariant 1).

    The value that the merge saw is told by the merge; what a home says that refused the name was told then.
    """
    told = [state.espocrm.get("name"), *_known(state)]
    for home in (table["name"].espo, "firmenname"):
        lost = text(state.espo_attributes.get(home))
        if home not in espo or lost is None or any(same(Kind.TEXT, lost, one) for one in (espo[home], *told)):
            continue
        change = FieldChange(MIRROR, lost, espo[home], "conflict", losing=lost)
        decided = {MIRROR: {"stands": change.new, "lost": lost}}
        fields.conflicts.append(change)
        fields.tasks.append(TaskWanted(TaskKind.CONFLICT, (MIRROR,), {"decided": decided, TWO_HOMES: True}))


def _known(state: PartyState) -> Iterator[Value]:
    """Yield what nobody typed since the last pass."""
    if state.base is None:
        return
    yield state.agreed_name
    yield state.base.espocrm.get("name")
    yield state.base.advoware.get("name")
    if any(task.kind in STAYS_APART and MIRROR in task.fields for task in state.tasks):
        yield from (state.base.espocrm.get(home) for home in (MIRROR, FIRM))


def remember_homes(fields: FieldPlan, state: PartyState, espo: Mapping[str, object]) -> None:
    """Put what both homes of the name say into the base.

    While the name waits for a person the base keeps what it had: what stands there now is an edit that must be seen
    again.
    """
    if "name" in fields.held:
        before = state.base.espocrm if state.base is not None else {}
        fields.base_espocrm |= {key: before[key] for key in (MIRROR, FIRM) if key in before}
        return
    for key, value in homes_of({**state.espo_attributes, **espo}).items():
        if key not in fields.base_espocrm or fields.base_espocrm[key] != value:
            fields.base_espocrm[key] = value
            fields.base_moves = True


def leave_company_name(fields: FieldPlan, state: PartyState, *, refused: bool) -> dict[str, Any]:
    """Return what to write to EspoCRM so that a person, who was a company before, has no company's name any more.

    It only repeats the name. Where EspoCRM keeps it, the base remembers it: it is nobody's edit, and offered once more
    like any refused value.
    """
    firm = text(state.espo_attributes.get("firmenname"))
    again = (
        refused and not state.form.disputed and (state.retry_refused or bool(fields.to_espocrm or fields.to_advoware))
    )
    if firm is not None and not (state.form.new or again):
        return {}
    for key in (MIRROR, FIRM):
        fields.base_moves |= fields.base_espocrm.pop(key, None) is not None
    return {"firmenname": None} if firm is not None else {}


def cleared_name(state: PartyState, espo: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """Return the change of a company's name that ``espo`` clears: part of plan and audit."""
    if state.form.company or "firmenname" not in espo:
        return ()
    return (FieldChange(FIRM, text(state.espo_attributes.get("firmenname")), None, "became_person"),)
