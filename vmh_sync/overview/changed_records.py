"""What the machine changed, record by record: the rows of the audit log as a person asks about them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from vmh_sync.store.history.audit import Change


@dataclass(frozen=True, slots=True)
class ChangedRecord:
    """One record and its changes, newest first; never empty."""

    entity: str
    espo_id: str
    betnr: int | None
    changes: tuple[Change, ...]

    @property
    def is_one(self) -> bool:
        """Whether it is a record at all: that a plan was approved or rejected stands in the log as well."""
        return bool(self.espo_id or self.betnr)

    @property
    def at(self) -> datetime | None:
        """When the newest of its changes happened."""
        return self.changes[0].at


def by_record(changes: Iterable[Change]) -> tuple[ChangedRecord, ...]:
    """Put the changes of a record together. ``changes`` are newest first, and so are the records."""
    found: dict[tuple[str, str, int | None], list[Change]] = {}
    for change in changes:
        # A record is one by its id in EspoCRM; without one by its number in Advoware.
        number = None if change.espo_id else change.betnr
        found.setdefault((change.entity, change.espo_id or "", number), []).append(change)
    return tuple(
        ChangedRecord(entity, espo_id, next((one.betnr for one in own if one.betnr), None), tuple(own))
        for (entity, espo_id, _), own in found.items()
    )
