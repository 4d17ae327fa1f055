"""What the record of a child in EspoCRM says of itself. Pure."""

from dataclasses import replace
from typing import Any

from vmh_sync.children.difference import difference_text, different
from vmh_sync.children.kind import ChildKind
from vmh_sync.children.plan import ChildPlan, Step
from vmh_sync.children.status_fields import bookkeeping, stamps
from vmh_sync.children.sync_state import PartyChildren, key_of
from vmh_sync.systems.espocrm.records import EspoRecord

FAILED = "failed"
CLEAN = "clean"


def with_bookkeeping(kind: ChildKind, children: PartyChildren, plan: ChildPlan, espo: EspoRecord) -> ChildPlan:
    """Say what the record must say of itself; before writing, and once more by what writing has found."""
    apart = different(kind, plan)
    status = plan.status
    if plan.message:
        status = FAILED
    elif plan.step is Step.MERGE:
        waits = kind.waiting_status if plan.notes.delete_wanted else CLEAN
        status = kind.different_status if apart else waits
    child = plan.pair.advoware
    status_values = bookkeeping(
        espo.attributes,
        status=status,
        message=plan.message or difference_text(kind, apart, plan.open_rows, (*plan.tasks, *plan.reported)),
        key={kind.key_attribute: int(key_of(child))} if child is not None else {},
        gone_since=children.now if plan.step is Step.GONE_IN_ADVOWARE else None,
        kept=plan.kept,
    )
    return replace(plan, status=status, bookkeeping=status_values)


def with_stamps(plan: ChildPlan, espo: EspoRecord, row_id: str | None, children: PartyChildren) -> dict[str, Any]:
    """Return everything that goes to EspoCRM, the time stamps along with it; empty when there is nothing to say."""
    values = {**plan.espo, **plan.bookkeeping}
    if plan.only_tries_again:
        return values  # while it is refused, nothing is written, stamps included
    return {**values, **stamps(espo.attributes, now=children.now, row_id=row_id)} if values else {}
