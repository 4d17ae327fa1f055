"""When a failing record is tried again, for every entity type alike (sync-semantics.md 4)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from vmh_sync.engine.failures.ledger import Failing, entry_of_failure, waits_for_next_try
from vmh_sync.store.pairs.records import SyncRecord
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result

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
    for _ in range(10):  # more than any rule allows: a ledger that never gives up must fail the test, not hang it
        if entry.next_retry_at is None:
            break
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


def test_the_ledger_says_whose_failure_it_is_what_failed_and_what_espocrm_showed_then() -> None:
    outcome = replace(FAILED, part="kommunikation")
    entry = entry_of_failure(Failing("beteiligte", "p7", None, STAMP), outcome, now=START, run_id="run-1")
    assert entry == SyncRecord(
        entity="beteiligte",
        espo_id="p7",
        status="failed",
        attempts=1,
        next_retry_at=START + timedelta(minutes=1),
        error_text="Kein Strom.",
        error_class="Transient",
        part="kommunikation",
        run_id="run-1",
        espo_modified_at_seen=STAMP,
    )


def test_a_record_that_espocrm_does_not_show_any_more_has_not_changed() -> None:
    known = replace(fail("beteiligte", None, START), attempts=3)
    entry = entry_of_failure(Failing("beteiligte", "1", known, None), FAILED, now=START, run_id=None)
    assert entry.attempts == 4


def test_until_the_automatic_reset_the_failures_count_on() -> None:
    _, entry = fail_until_permanent("beteiligte", START)
    assert entry.auto_reset_at is not None
    assert fail("beteiligte", entry, entry.auto_reset_at - timedelta(microseconds=1)).attempts == entry.attempts + 1


def test_a_reset_set_while_the_clock_was_a_year_ahead_has_come() -> None:
    _, entry = fail_until_permanent("beteiligte", START + timedelta(days=365))
    assert fail("beteiligte", entry, START).attempts == 1


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_record_waits_for_its_next_try_and_after_the_last_one_for_its_reset(entity: str) -> None:
    once = fail(entity, None, START)
    assert once.next_retry_at is not None
    assert waits_for_next_try(once, START)
    assert not waits_for_next_try(once, once.next_retry_at)
    _, last = fail_until_permanent(entity, START)
    assert last.auto_reset_at is not None
    assert waits_for_next_try(last, last.auto_reset_at - timedelta(hours=1))
    assert not waits_for_next_try(last, last.auto_reset_at)
