"""The journal by which the load tests prove that no event was lost: it must notice one that was."""

from datetime import timedelta
from pathlib import Path

from vmh_sync.clock import SystemClock
from vmh_sync.store import open_store
from vmh_sync.store.queue.inbox import InboxEvent
from vmh_sync_tests.fixtures.inbox_journal import InboxJournal

EVENT = InboxEvent(espo_id="66aa11bb22cc33dd4", action="update", source="webhook")


def test_an_event_during_or_after_the_last_sync_is_not_synced(sqlite_url: str) -> None:
    clock = SystemClock()
    store = open_store(sqlite_url, clock)
    journal = InboxJournal(Path(sqlite_url.removeprefix("sqlite:///")))
    journal.start()

    def arrives() -> None:
        with store.transaction() as tx:
            tx.inbox.add("beteiligte", [EVENT])

    def claimed(worker: str) -> list[int]:
        with store.transaction() as tx:
            return [item.id for item in tx.inbox.claim("beteiligte", worker, 10, clock.now(), 60)]

    def done(ids: list[int], worker: str) -> None:
        with store.transaction() as tx:
            tx.inbox.acknowledge(ids, worker)

    arrives()
    arrives()  # waits already: not stored, but it counts
    first = claimed("run-1")
    assert journal.count("event") == 2
    assert journal.not_synced() == {EVENT.espo_id}, "claimed, not done"
    done(first, "run-1")
    assert journal.not_synced() == set()
    arrives()
    second = claimed("run-2")
    arrives()
    done(second, "run-2")
    assert journal.not_synced() == {EVENT.espo_id}, "its last event came after the claim"
    done(claimed("run-3"), "run-3")
    assert journal.not_synced() == set()
    assert journal.waiting() == 0 and journal.workers() == 3
    assert len(journal.latencies()) == 4 and journal.latencies()[-1] < timedelta(minutes=1).total_seconds()
    store.close()
