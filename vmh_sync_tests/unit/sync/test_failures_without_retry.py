"""A failure that no retry mends moves nothing when it is looked at again (specification, sync-semantics.md 4)."""

from datetime import UTC, datetime

from vmh_sync.sync.reporting.status import SyncStatus, after_failure

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def test_looking_again_counts_no_attempt() -> None:
    first = after_failure(0, retryable=False, now=NOW)
    assert (first.status, first.attempts) == (SyncStatus.PERMANENTLY_FAILED, 1)
    assert after_failure(first.attempts, retryable=False, now=NOW) == first
