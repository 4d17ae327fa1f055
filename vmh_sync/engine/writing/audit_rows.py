"""The rows of the audit log: one for each changed field, losers before they are overwritten (sync-semantics.md 7)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from vmh_sync.store.history.audit import Change, ChangeKind
from vmh_sync.store.store import Transaction
from vmh_sync.sync.base import Side
from vmh_sync.sync.planning.plan import FieldChange, TaskWanted

RECENT = 100
"""Rows of a record that are looked at for what was said before."""

Stored = Literal["advoware", "espocrm"]


@dataclass(frozen=True, slots=True)
class Audited:
    """A record whose rows are made, and the run that writes them."""

    entity: str
    espo_id: str
    betnr: int | None
    run_id: str

    def noted(self, kind: ChangeKind, reason: str, *, side: Side | None = None) -> Change:
        """Return a row without a field: a link, a refusal, a state; ``side``: where a whole record was made."""
        return Change(
            entity=self.entity,
            kind=kind,
            reason=reason,
            espo_id=self.espo_id,
            betnr=self.betnr,
            side_written=_stored(side),
            run_id=self.run_id,
        )

    def row(
        self, change: FieldChange, side: Side | None, kind: ChangeKind = "applied", *, advoware_id: str | None = None
    ) -> Change:
        """Return the row of a change; ``side``: where it is written, and whose value loses if one does."""
        return Change(
            entity=self.entity,
            kind=kind,
            reason=change.reason,
            espo_id=self.espo_id,
            betnr=self.betnr,
            advoware_id=advoware_id,
            field=change.field,
            old=change.old,
            new=change.new,
            side_written=_stored(side),
            losing_value=change.losing,
            losing_side=_stored(side) if change.losing is not None else None,
            run_id=self.run_id,
        )

    def rows(self, changes: Iterable[FieldChange], side: Side | None, kind: ChangeKind = "applied") -> list[Change]:
        """Return one row per change written to ``side``."""
        return [self.row(change, side, kind) for change in changes]

    def losers(self, conflicts: Iterable[FieldChange], to_advoware: Iterable[FieldChange]) -> list[Change]:
        """Return the rows of what loses: in Advoware what is written ``to_advoware``, else in EspoCRM."""
        in_advoware = {change.field for change in to_advoware}
        return [
            self.row(
                change,
                Side.ADVOWARE if change.field in in_advoware else Side.ESPOCRM,
                "first_contact" if change.reason == "first_contact" else "conflict",
            )
            for change in conflicts
        ]

    def tasks(self, tasks: Iterable[TaskWanted]) -> list[Change]:
        """Return what tasks say, field by field: what stands, what is wanted, and the side's own reason."""
        rows: list[Change] = []
        for task in tasks:
            reason = ": ".join(str(part) for part in (task.kind, task.details.get("why")) if part)
            values = task.details.get("changes") or dict.fromkeys(task.fields, task.details)
            told = [FieldChange(name, one.get("standing"), one.get("wanted"), reason) for name, one in values.items()]
            rows += self.rows(told, None, "task") or [self.noted("task", reason)]
        return rows


def _stored(side: Side | None) -> Stored | None:
    if side is None:
        return None
    return "advoware" if side is Side.ADVOWARE else "espocrm"


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
