"""When a failing record is tried again, for every entity type alike (sync-semantics.md 4)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from vmh_sync.engine.ledger import Failing, entry_of_failure
from vmh_sync.store.records import SyncRecord
from vmh_sync.sync.outcome import RecordOutcome, Result

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
STAMP = START - timedelta(hours=1)
FAILED = RecordOutcome("1", Result.FAILED, error="Kein Strom.", error_class="Transient")
ENTITIES = ("beteiligte", "adressen", "bankverbindungen")


def fail(entity: str, known: SyncRecord | None, now: datetime, outcome: RecordOutcome = FAILED) -> SyncRecord:
    return entry_of_failure(Failing(entity, "1", known, STAMP), outcome, now=now, run_id=None)


def fail_until_permanent(entity: str, now: datetime) -> tuple[list[timedelta], SyncRecord]:
    """Fail at every retry; returns the delays that were waited and the last entry."""
    delays = []
    entry = fail(entity, None, now)
    while entry.next_retry_at is not None:
        delays.append(entry.next_retry_at - now)
        now = entry.next_retry_at
        entry = fail(entity, entry, now)
    return delays, entry


@pytest.mark.parametrize("entity", ENTITIES)
def test_five_retries_come_after_growing_delays_and_only_then_it_is_permanent(entity: str) -> None:
    delays, entry = fail_until_permanent(entity, START)
    assert [int(delay.total_seconds() // 60) for delay in delays] == [1, 5, 15, 60, 240]
    assert (entry.status, entry.attempts) == ("permanently_failed", 6)
    assert entry.auto_reset_at == START + timedelta(minutes=321) + timedelta(hours=24)


@pytest.mark.parametrize("entity", ENTITIES)
def test_after_the_automatic_reset_the_count_starts_at_zero(entity: str) -> None:
    _, entry = fail_until_permanent(entity, START)
    assert entry.auto_reset_at is not None
    again = fail(entity, entry, entry.auto_reset_at)
    assert (again.status, again.attempts) == ("failed", 1)
    assert again.next_retry_at == entry.auto_reset_at + timedelta(minutes=1)


def test_a_change_of_the_record_starts_the_count_anew() -> None:
    known = replace(fail("beteiligte", None, START), espo_modified_at_seen=STAMP - timedelta(minutes=1), attempts=5)
    assert fail("beteiligte", known, START).attempts == 1


def test_what_no_retry_mends_is_permanent_at_once_and_has_no_reset() -> None:
    entry = fail("adressen", None, START, replace(FAILED, retryable=False))
    assert (entry.status, entry.next_retry_at, entry.auto_reset_at) == ("permanently_failed", None, None)


def test_a_success_in_between_is_forgotten() -> None:
    known = replace(fail("beteiligte", None, START), status="clean", attempts=5)
    assert fail("beteiligte", known, START).attempts == 1
