"""Audit rows of Kommunikation (specification, sync-semantics.md 7). Values live in our database only."""

from collections.abc import Iterable

from vmh_sync.engine.writing.audit_rows import append_losers, field_row
from vmh_sync.kommunikation.pairs import ENTITY
from vmh_sync.kommunikation.plan import EntryWrite, KommunikationPlan
from vmh_sync.store.history.audit import Change, ChangeKind
from vmh_sync.store.store import Transaction
from vmh_sync.sync.base import Side
from vmh_sync.sync.planning.plan import FieldChange


def change_row(
    run_id: str,
    espo_id: str,
    betnr: int,
    change: FieldChange,
    *,
    kind: ChangeKind,
    side: Side | None,
    advoware_id: str | None = None,
) -> Change:
    """Return one change as a row."""
    entry_id = advoware_id or _entry_id(change.field)
    return field_row(
        change, kind, side, entity=ENTITY, espo_id=espo_id, betnr=betnr, advoware_id=entry_id, run_id=run_id
    )


def applied_rows(run_id: str, espo_id: str, betnr: int, write: EntryWrite, number: int | None) -> list[Change]:
    """Return the rows of one write to Advoware; ``number`` is the id of a created entry."""
    kind: ChangeKind = "created" if write.operation.key is None else "applied"
    key = str(number) if number is not None else write.operation.key
    return [
        change_row(run_id, espo_id, betnr, change, kind=kind, side=Side.ADVOWARE, advoware_id=key)
        for change in write.operation.changes
    ]


def record_conflicts(tx: Transaction, run_id: str, espo_id: str, betnr: int, plan: KommunikationPlan) -> None:
    """Write losing values into the log before they are overwritten."""
    rows = [
        change_row(run_id, espo_id, betnr, change, kind="conflict", side=_losing_side(change))
        for change in plan.conflicts
    ]
    append_losers(tx, espo_id, rows)


def refusal_rows(run_id: str, espo_id: str, betnr: int, plans: Iterable[KommunikationPlan]) -> list[Change]:
    """Return a row for each value that was not refused before."""
    return [
        change_row(
            run_id,
            espo_id,
            betnr,
            FieldChange(one.field, None, one.value, reason=str(one.refusal)),
            kind="refused",
            side=None,
        )
        for plan in plans
        for one in plan.quarantined
        if one.new
    ]


def _losing_side(change: FieldChange) -> Side | None:
    """The side that is overwritten: the other one than the winner that the reason names."""
    if change.losing is None:
        return None
    return Side.ADVOWARE if f"{Side.ESPOCRM} wins" in change.reason else Side.ESPOCRM


def _entry_id(field: str) -> str | None:
    number = field.split("/")[1] if "/" in field else ""
    return number if number.isdigit() else None
