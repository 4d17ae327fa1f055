"""The status machine: when a failing record is tried again (specification, sync-semantics.md 4)."""

from datetime import UTC, datetime, timedelta

import pytest

from vmh_sync.sync.reporting.status import RecordStatus, SyncStatus, after_failure, has_come

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
A_MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(("failures_before", "minutes"), [(0, 1), (1, 5), (2, 15), (3, 60), (4, 240)])
def test_the_wait_grows_with_each_failure(failures_before: int, minutes: int) -> None:
    assert after_failure(failures_before, retryable=True, now=NOW) == RecordStatus(
        SyncStatus.FAILED, failures_before + 1, next_retry_at=NOW + timedelta(minutes=minutes)
    )


@pytest.mark.parametrize("failures_before", [5, 6, 40])
def test_when_the_fifth_retry_fails_too_only_the_reset_after_a_day_is_left(failures_before: int) -> None:
    assert after_failure(failures_before, retryable=True, now=NOW) == RecordStatus(
        SyncStatus.PERMANENTLY_FAILED, failures_before + 1, auto_reset_at=NOW + timedelta(hours=24)
    )


@pytest.mark.parametrize(("failures_before", "counted"), [(0, 1), (1, 1), (3, 3)])
def test_what_no_retry_mends_waits_for_a_change_and_not_for_a_time(failures_before: int, counted: int) -> None:
    assert after_failure(failures_before, retryable=False, now=NOW) == RecordStatus(
        SyncStatus.PERMANENTLY_FAILED, counted
    )


@pytest.mark.parametrize("failures_before", range(7))
def test_a_broken_record_is_due_at_its_moment_and_not_before(failures_before: int) -> None:
    standing = after_failure(failures_before, retryable=True, now=NOW)
    moment = standing.next_retry_at or standing.auto_reset_at
    assert moment is not None
    assert not has_come(moment, moment - A_MOMENT)
    assert has_come(moment, moment)
    assert has_come(moment, moment + A_MOMENT)
    assert has_come(moment, NOW - timedelta(days=365)), "stored while the clock was ahead"
