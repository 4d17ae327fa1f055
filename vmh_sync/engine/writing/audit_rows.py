"""One row of the audit log for one changed field, the same for every entity (sync-semantics.md 7)."""

from typing import Literal

from vmh_sync.store.history.audit import Change, ChangeKind
from vmh_sync.sync.base import Side
from vmh_sync.sync.planning.plan import FieldChange


def field_row(
    change: FieldChange,
    kind: ChangeKind,
    side: Side | None,
    *,
    entity: str,
    espo_id: str,
    betnr: int | None,
    run_id: str,
    advoware_id: str | None = None,
) -> Change:
    """Return the row of a change; ``side``: where it is written, and whose value loses if one does."""
    stored: Literal["advoware", "espocrm"] | None = None
    if side is not None:
        stored = "advoware" if side is Side.ADVOWARE else "espocrm"
    return Change(
        entity=entity,
        kind=kind,
        reason=change.reason,
        espo_id=espo_id,
        betnr=betnr,
        advoware_id=advoware_id,
        field=change.field,
        old=change.old,
        new=change.new,
        side_written=stored,
        losing_value=change.losing,
        losing_side=stored if change.losing is not None else None,
        run_id=run_id,
    )
