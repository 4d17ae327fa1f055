"""Plans of calendars that a person approves: stored, and carried out exactly or not (engine/passes/approved_plan.py).

What is told of an appointment besides (a conflict, an edit that is lost) belongs to what was approved.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from vmh_sync.clock import Clock
from vmh_sync.engine.passes.approved_plan import STOPPED, PlanMoved, StoredPlan, store_plan
from vmh_sync.kalender.decision.employee_plan import EmployeePlan, PlanItem, snake
from vmh_sync.kalender.decision.operations import FieldChange, Operation, side_written
from vmh_sync.kalender.state.audit_values import logged
from vmh_sync.kalender.state.pair_rows import ENTITY, record_id
from vmh_sync.store.store import Store
from vmh_sync.sync.planning.plan_print import print_of
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result

Approved = Mapping[str, frozenset[str]]
"""What a person approved: the names of appointments, and what may be done to each."""


def name_of(kuerzel: str, item: PlanItem) -> str:
    """Return how the audit log and the outcomes name an appointment."""
    return record_id(kuerzel, item.fr_nr, item.event_id)


def item_print(item: PlanItem) -> str:
    """Return what a planned item is known by: what is written where, from what to what, and what is lost by it."""
    operations = [
        [type(one).__name__, getattr(one, "fr_nr", None), one.event_id, [_values(one, change) for change in _of(one)]]
        for one in _writes(item)
    ]
    findings = [[str(one.kind), [[c.name, str(c.old), str(c.new)] for c in one.changes]] for one in _findings(item)]
    return print_of([operations, findings])


def _findings(item: PlanItem) -> Iterable[Any]:
    return (one for one in item.decision.findings if one.changes)


def _writes(item: PlanItem) -> list[Operation]:
    return [one for one in item.decision.operations if side_written(one) is not None]


def _of(operation: Operation) -> tuple[FieldChange | None, ...]:
    changes: tuple[FieldChange, ...] = getattr(operation, "changes", ())
    return changes or (None,)


def _values(operation: Operation, change: FieldChange | None) -> list[object]:
    old, new = logged(operation, change)
    return [change.name if change is not None else None, old, new]


def save_calendar_plan(
    store: Store, clock: Clock, plans: Iterable[EmployeePlan], *, why: str, full_content: bool | None
) -> StoredPlan | None:
    """Store what these plans would write; returns the plan, None when nothing would be written.

    ``full_content``: as the pass was asked; applied with another answer, everything would count as moved.
    """
    records: dict[str, frozenset[str]] = {}
    rows: list[dict[str, Any]] = []
    for plan in plans:
        for item in plan.items:
            if item.writes:
                records[name_of(plan.kuerzel, item)] = frozenset({item_print(item)})
                rows += _rows(plan.kuerzel, item)
    return store_plan(store, clock, ENTITY, records, rows, why=why, asked={"full_content": full_content})


def _rows(kuerzel: str, item: PlanItem) -> Iterator[dict[str, Any]]:
    for one in _writes(item):
        side = side_written(one)
        changes = [dict(zip(("field", "old", "new"), _values(one, change), strict=True)) for change in _of(one)]
        yield {
            "id": name_of(kuerzel, item),
            "side": side,
            "entity": "Termin" if side == "advoware" else "Ereignis",
            "key": getattr(one, "fr_nr", None) if side == "advoware" else one.event_id,
            "action": snake(type(one).__name__),
            "reason": one.reason,
            "fields": [change["field"] for change in changes if change["field"]],
            "changes": [change | {"field": change["field"] or "termin"} for change in changes],
        }


def save_stopped(store: Store, clock: Clock, stopped: EmployeePlan, full_content: bool | None) -> str:
    """Store what a guard stopped, so that a person looks at it and approves exactly that; returns what to do."""
    saved = save_calendar_plan(store, clock, [stopped], why=STOPPED, full_content=full_content)
    if saved is None:
        return ""
    return f" Ansehen: vmh-sync plan show {saved.id}. Genau das freigeben: vmh-sync plan apply {saved.id}."


def not_approved(kuerzel: str, item: PlanItem, approved: Approved | None) -> RecordOutcome | None:
    """Return how an appointment ends to which a person did not approve exactly this; ``None`` for all others."""
    if approved is None or not item.writes:
        return None
    name = name_of(kuerzel, item)
    prints = approved.get(name)
    if prints is None:
        return RecordOutcome(name, Result.SKIPPED, error=f"Kalender {kuerzel}: gehört nicht zum Plan.")
    if item_print(item) in prints:
        return None
    moved = PlanMoved()
    return RecordOutcome(name, Result.FAILED, error=str(moved), error_class="PlanMoved", retryable=False)
