"""Our own ledger of how each record stands (sync-semantics.md 4); EspoCRM shows a copy of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import bindparam, delete, func, or_, select

from vmh_sync.store.models import SyncRecordRow
from vmh_sync.store.repository import (
    ByKeys,
    Repository,
    among,
    chunks,
    columns_of,
    replacing,
    storable_text,
    table_of,
    values_of,
)

SyncStatus = Literal[
    "pending_sync", "dirty", "syncing", "clean", "failed", "permanently_failed", "conflict", "deleted_in_advoware"
]

_TABLE = table_of(SyncRecordRow)
_COLUMNS = columns_of(SyncRecordRow)
# Built once: to build a statement costs more than to carry it out.
_OF_IDS = ByKeys(select(*_COLUMNS).where(_TABLE.c.entity == bindparam("entity")), _TABLE.c.espo_id)
_SAVE = replacing(_TABLE, "entity", "espo_id")
_FORGET = delete(_TABLE).where(_TABLE.c.entity == bindparam("of_entity"), among(_TABLE.c.espo_id))
_DUE = ("pending_sync", "dirty", "failed")
DIFFERENT = "Different"
"""Error class of a record whose sides stay apart in a value; any other conflict waits for a person."""
REFUSED = "Refused"
"""Error class of a record that is not synced before somebody corrects it: its text says what."""

_IS_DIFFERENT = (SyncRecordRow.status == "conflict") & (SyncRecordRow.error_class == DIFFERENT)

_LONGEST_WAIT = timedelta(hours=25)
"""A little more than the automatic reset after 24 hours, the longest wait there is (sync-semantics.md 4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRecord:
    """How one record stands.

    ``error_text`` is one German sentence for the user, ``error_class`` the class of the error for developers, ``part``
    what of the record failed (for example ``kommunikation``). ``espo_modified_at_seen`` is EspoCRM's ``modifiedAt`` at
    the last attempt: a newer one means that the record changed since. Moments are aware, in UTC.
    """

    entity: str
    espo_id: str
    status: SyncStatus
    attempts: int = 0
    next_retry_at: datetime | None = None
    auto_reset_at: datetime | None = None
    error_text: str | None = field(default=None, repr=False)
    error_class: str | None = None
    part: str | None = None
    run_id: str | None = None
    updated_at: datetime | None = None
    espo_modified_at_seen: datetime | None = None

    @property
    def is_different(self) -> bool:
        """Whether both sides stay apart in a value that one of them does not take."""
        return self.status == "conflict" and self.error_class == DIFFERENT


class SyncRecords(Repository):
    """Reads and writes the ledger."""

    def get(self, entity: str, espo_id: str) -> SyncRecord | None:
        """Return how a record stands, None if it was never seen."""
        return self.get_many(entity, [espo_id]).get(espo_id)

    def get_many(self, entity: str, espo_ids: Iterable[str]) -> dict[str, SyncRecord]:
        """Return how records stand by their EspoCRM id; those never seen are left out."""
        found = {}
        for chunk in chunks(dict.fromkeys(espo_ids)):
            for row in _OF_IDS.rows(self._connection, chunk, {"entity": entity}):
                found[row.espo_id] = SyncRecord(**row._asdict())
        return found

    def upsert(self, records: Iterable[SyncRecord]) -> None:
        """Store records, replacing what stood there; ``updated_at`` becomes now. The last one per id counts."""
        now = self._now()
        latest = {(record.entity, record.espo_id): record for record in records}
        ordered = [latest[key] for key in sorted(latest)]  # always in the same order: two writers never deadlock
        rows = [values_of(replace(r, updated_at=now, error_text=storable_text(r.error_text))) for r in ordered]
        if rows:
            _SAVE.each(self._connection, rows)

    def forget(self, entity: str, espo_ids: Iterable[str]) -> None:
        """Remove records from the ledger, for example those that no longer exist anywhere."""
        for chunk in chunks(espo_ids):
            self._connection.execute(_FORGET, {"of_entity": entity, "keys": chunk})

    def failed(self, entity: str, limit: int | None = None) -> list[SyncRecord]:
        """Return the records that are ``failed`` or ``permanently_failed``, the longest standing first."""
        statement = (
            select(*_COLUMNS)
            .where(SyncRecordRow.entity == entity, SyncRecordRow.status.in_(("failed", "permanently_failed")))
            .order_by(SyncRecordRow.updated_at, SyncRecordRow.espo_id)
            .limit(limit)
        )
        return [SyncRecord(**row._asdict()) for row in self._connection.execute(statement)]

    def due(self, entity: str, now: datetime, limit: int | None = None) -> list[SyncRecord]:
        """Return failed and different records whose next try has come and failed ones whose reset has come.

        A moment further ahead than any wait can be was stored while the clock was wrong, and has come.
        """
        beyond = now + _LONGEST_WAIT
        retry = (SyncRecordRow.status == "failed") & (
            SyncRecordRow.next_retry_at.is_(None)
            | (SyncRecordRow.next_retry_at <= now)
            | (SyncRecordRow.next_retry_at > beyond)
        )
        reset = (SyncRecordRow.status == "permanently_failed") & (
            (SyncRecordRow.auto_reset_at <= now) | (SyncRecordRow.auto_reset_at > beyond)
        )
        different = _IS_DIFFERENT & ((SyncRecordRow.next_retry_at <= now) | (SyncRecordRow.next_retry_at > beyond))
        statement = (
            select(*_COLUMNS)
            .where(SyncRecordRow.entity == entity, or_(retry, reset, different))
            .order_by(SyncRecordRow.next_retry_at, SyncRecordRow.espo_id)
            .limit(limit)
        )
        return [SyncRecord(**row._asdict()) for row in self._connection.execute(statement)]

    def different(self) -> dict[str, int]:
        """Return per entity the number of records whose sides stay apart; entities without any are left out."""
        statement = select(SyncRecordRow.entity, func.count()).where(_IS_DIFFERENT).group_by(SyncRecordRow.entity)
        return {row[0]: row[1] for row in self._connection.execute(statement)}

    def counts(self) -> dict[tuple[str, str], int]:
        """Return the number of records per (entity, status)."""
        statement = select(SyncRecordRow.entity, SyncRecordRow.status, func.count()).group_by(
            SyncRecordRow.entity, SyncRecordRow.status
        )
        return {(entity, status): n for entity, status, n in self._connection.execute(statement)}

    def counts_of(self, entity: str) -> dict[str, int]:
        """Return the number of records of one entity per status."""
        statement = select(SyncRecordRow.status, func.count()).where(SyncRecordRow.entity == entity)
        return {row[0]: row[1] for row in self._connection.execute(statement.group_by(SyncRecordRow.status))}

    def oldest_dirty(self, entity: str) -> datetime | None:
        """Return since when the longest waiting record waits for a sync that works; None if none waits."""
        since = func.coalesce(SyncRecordRow.espo_modified_at_seen, SyncRecordRow.updated_at)
        statement = select(func.min(since, type_=_TABLE.c.updated_at.type)).where(
            SyncRecordRow.entity == entity, SyncRecordRow.status.in_(_DUE)
        )
        return self._connection.execute(statement).scalar_one_or_none()
