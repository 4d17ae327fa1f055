"""One row of the audit log for one changed field, and losers before they are overwritten (sync-semantics.md 7)."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from vmh_sync.store.history.audit import Change, ChangeKind
from vmh_sync.store.store import Transaction
from vmh_sync.sync.base import Side
from vmh_sync.sync.planning.plan import FieldChange

RECENT = 100
"""Rows of a record that are looked at for what was said before."""


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


def loser_rows(
    conflicts: Iterable[FieldChange],
    to_advoware: Iterable[FieldChange],
    *,
    entity: str,
    espo_id: str,
    betnr: int | None,
    run_id: str,
) -> Iterator[Change]:
    """Yield the rows of what loses: in Advoware what is written ``to_advoware``, else in EspoCRM."""
    in_advoware = {change.field for change in to_advoware}
    for change in conflicts:
        kind: ChangeKind = "first_contact" if change.reason == "first_contact" else "conflict"
        side = Side.ADVOWARE if change.field in in_advoware else Side.ESPOCRM
        yield field_row(change, kind, side, entity=entity, espo_id=espo_id, betnr=betnr, run_id=run_id)


def append_losers(tx: Transaction, espo_id: str, rows: Sequence[Change]) -> None:
    """Append what loses, before it is overwritten; not what the log says since the field was last written.

    A crash may let a pass run twice for the same conflict.
    """
    said, written = set[tuple[object, ...]](), set[tuple[str, str | None]]()
    for row in tx.audit.for_record(espo_id, limit=RECENT) if rows else ():
        if row.kind in ("applied", "created", "undo"):
            written.add((row.entity, row.field))
        elif (row.entity, row.field) not in written:
            said.add(_says(row))
    new = [row for row in rows if _says(row) not in said]
    if new:
        tx.audit.append(new)


def _says(row: Change) -> tuple[object, ...]:
    return row.entity, row.kind, row.field, repr(row.new), repr(row.losing_value)
