"""The status machine of a record (specification, sync-semantics.md 4). Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

RETRY_AFTER = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))
AUTO_RESET_AFTER = timedelta(hours=24)
LONGEST_WAIT = AUTO_RESET_AFTER + timedelta(hours=1)
"""No wait is longer, whatever the clock was when it began."""
VERIFY_AFTER = timedelta(hours=24)


class SyncStatus(StrEnum):
    """Values of ``syncStatus``; each entity type uses the subset its enum has."""

    PENDING = "pending_sync"
    DIRTY = "dirty"
    SYNCING = "syncing"
    CLEAN = "clean"
    FAILED = "failed"
    PERMANENTLY_FAILED = "permanently_failed"
    CONFLICT = "conflict"
    DELETED_IN_ADVOWARE = "deleted_in_advoware"


WAITING = (SyncStatus.PENDING, SyncStatus.DIRTY)
BROKEN = (SyncStatus.FAILED, SyncStatus.PERMANENTLY_FAILED)


@dataclass(frozen=True, slots=True)
class RecordStatus:
    """Where a record stands after a pass. Times are aware UTC."""

    status: SyncStatus
    attempts: int = 0
    next_retry_at: datetime | None = None
    auto_reset_at: datetime | None = None


def after_failure(attempts_before: int, *, retryable: bool, now: datetime) -> RecordStatus:
    """Return the standing after one more failure.

    Five retries come 1, 5, 15, 60 and 240 minutes after the failure before. When the fifth retry fails too, or for an
    error that no retry mends, the record is ``permanently_failed``; after used retries it resets itself after 24 hours.
    """
    if not retryable:
        # Looking again at what no retry mends is no further attempt: nothing of the record's bookkeeping moves.
        return RecordStatus(SyncStatus.PERMANENTLY_FAILED, max(attempts_before, 1))
    attempts = attempts_before + 1
    if attempts > len(RETRY_AFTER):
        return RecordStatus(SyncStatus.PERMANENTLY_FAILED, attempts, auto_reset_at=now + AUTO_RESET_AFTER)
    return RecordStatus(SyncStatus.FAILED, attempts, next_retry_at=now + RETRY_AFTER[attempts - 1])


def has_come(moment: datetime, now: datetime) -> bool:
    """Whether a retry or reset has come. One further ahead than any wait was stored while the clock was wrong."""
    return moment <= now or moment > now + LONGEST_WAIT
