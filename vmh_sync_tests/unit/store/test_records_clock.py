"""Retries stored while the clock was wrong."""

from datetime import timedelta

from vmh_sync.clock import ManualClock
from vmh_sync.store import Store
from vmh_sync.store.pairs.records import SyncRecord


def test_a_retry_or_reset_set_while_the_clock_was_a_year_ahead_is_due(store: Store, store_clock: ManualClock) -> None:
    now, ahead = store_clock.now(), store_clock.now() + timedelta(days=365)
    soon = now + timedelta(hours=3)
    with store.transaction() as tx:
        tx.records.upsert(
            [
                SyncRecord(entity="beteiligte", espo_id="a", status="failed", next_retry_at=ahead),
                SyncRecord(entity="beteiligte", espo_id="b", status="permanently_failed", auto_reset_at=ahead),
                SyncRecord(entity="beteiligte", espo_id="c", status="failed", next_retry_at=soon),
            ]
        )
        assert {record.espo_id for record in tx.records.due("beteiligte", now)} == {"a", "b"}
