"""Audit rows of Kommunikation (specification, sync-semantics.md 7). Values live in our database only."""

from collections.abc import Iterable

from vmh_sync.engine.writing.audit_rows import Audited, append_losers
from vmh_sync.kommunikation.plan import EntryWrite, KommunikationPlan
from vmh_sync.store.history.audit import Change, ChangeKind
from vmh_sync.store.store import Transaction
from vmh_sync.sync.base import Side
from vmh_sync.sync.planning.plan import FieldChange


def change_row(audited: Audited, change: FieldChange, kind: ChangeKind, side: Side | None) -> Change:
    """Return one change as a row, with the number of its entry."""
    return audited.row(change, side, kind, advoware_id=_entry_id(change.field))


def applied_rows(audited: Audited, write: EntryWrite, number: int | None) -> list[Change]:
    """Return the rows of one write to Advoware; ``number`` is the id of a created entry."""
    kind: ChangeKind = "created" if write.operation.key is None else "applied"
    key = str(number) if number is not None else write.operation.key
    return [
        audited.row(change, Side.ADVOWARE, kind, advoware_id=key or _entry_id(change.field))
        for change in write.operation.changes
    ]


def record_conflicts(tx: Transaction, audited: Audited, plan: KommunikationPlan) -> None:
    """Write losing values into the log before they are overwritten."""
    rows = [change_row(audited, change, "conflict", _losing_side(change)) for change in plan.conflicts]
    append_losers(tx, audited.espo_id, rows)


def refusal_rows(audited: Audited, plans: Iterable[KommunikationPlan]) -> list[Change]:
    """Return a row for each value that was not refused before."""
    refused = [one for plan in plans for one in plan.quarantined if one.new]
    told = [FieldChange(one.field, None, one.value, reason=str(one.refusal)) for one in refused]
    return [change_row(audited, change, "refused", None) for change in told]


def _losing_side(change: FieldChange) -> Side | None:
    """The side that is overwritten: the other one than the winner that the reason names."""
    if change.losing is None:
        return None
    return Side.ADVOWARE if f"{Side.ESPOCRM} wins" in change.reason else Side.ESPOCRM


def _entry_id(field: str) -> str | None:
    number = field.split("/")[1] if "/" in field else ""
    return number if number.isdigit() else None
