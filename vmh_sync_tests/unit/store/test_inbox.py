"""The inbox: nothing accepted is lost, nothing is handed out twice."""

import itertools
import threading
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from vmh_sync.clock import ManualClock
from vmh_sync.store import Store, open_store
from vmh_sync.store.queue.inbox import InboxAction, InboxEvent, InboxItem, Lane

ENTITY = "beteiligte"


def event(espo_id: str, action: InboxAction = "update") -> InboxEvent:
    return InboxEvent(espo_id=espo_id, action=action, source="webhook")


def add(store: Store, *events: InboxEvent) -> int:
    with store.transaction() as tx:
        return len(tx.inbox.add(ENTITY, events))


def claim(store: Store, worker: str, clock: ManualClock, limit: int = 100, seconds: float = 60) -> list[InboxItem]:
    with store.transaction() as tx:
        return tx.inbox.claim(ENTITY, worker, limit, clock.now(), seconds)


def ids(items: Iterable[InboxItem]) -> list[str]:
    return [item.espo_id for item in items]


def test_an_event_that_waits_is_not_stored_twice(store: Store) -> None:
    assert add(store, event("a"), event("b"), event("a")) == 2
    assert add(store, event("a"), event("a", "delete"), event("c")) == 2
    with store.transaction() as tx:
        assert tx.inbox.add("adressen", [event("a")]) == {("a", "update")}


def test_all_writers_store_in_one_order_so_that_no_two_wait_for_each_other(
    store: Store, store_clock: ManualClock
) -> None:
    add(store, event("c"), event("a"), event("b"))
    assert ids(claim(store, "w1", store_clock)) == ["a", "b", "c"]


def test_an_event_during_its_sync_causes_exactly_one_more(store: Store, store_clock: ManualClock) -> None:
    add(store, event("a"))
    first = claim(store, "w1", store_clock)
    assert add(store, event("a")) == 1
    assert add(store, event("a")) == 0
    assert claim(store, "w2", store_clock) == [], "its record is still being synced"
    with store.transaction() as tx:
        assert tx.inbox.acknowledge([item.id for item in first], "w1") == 1
    assert ids(claim(store, "w2", store_clock)) == ["a"]


def test_claims_come_oldest_first_within_the_limit(store: Store, store_clock: ManualClock) -> None:
    for name in "cab":
        add(store, event(name))
    assert ids(claim(store, "w1", store_clock, limit=2)) == ["c", "a"]
    items = claim(store, "w2", store_clock, limit=2)
    assert ids(items) == ["b"]
    assert items[0] == InboxItem(
        id=items[0].id,
        entity=ENTITY,
        espo_id="b",
        action="update",
        source="webhook",
        received_at=store_clock.now(),
        claimed_by="w2",
        claimed_until=store_clock.now() + timedelta(seconds=60),
        attempts=1,
    )


def test_a_dead_workers_items_come_back(store: Store, store_clock: ManualClock) -> None:
    add(store, event("a"))
    dead = claim(store, "dead", store_clock, seconds=60)
    store_clock.advance(timedelta(seconds=60))
    assert claim(store, "w2", store_clock) == [], "the claim holds to its last moment"
    store_clock.advance(timedelta(seconds=1))
    again = claim(store, "w2", store_clock)
    assert [item.attempts for item in again] == [2]
    with store.transaction() as tx:
        assert tx.inbox.acknowledge([item.id for item in dead], "dead") == 0, "no longer its own"
        assert tx.inbox.acknowledge([item.id for item in again], "w2") == 1


def test_a_worker_at_work_prolongs_its_claims(store: Store, store_clock: ManualClock) -> None:
    add(store, event("a"))
    claim(store, "w1", store_clock, seconds=60)
    store_clock.advance(timedelta(seconds=50))
    with store.transaction() as tx:
        assert tx.inbox.extend("w1", store_clock.now(), 60) == 1
    store_clock.advance(timedelta(seconds=50))
    assert claim(store, "w2", store_clock) == []


def test_released_items_wait_again_once_each(store: Store, store_clock: ManualClock) -> None:
    add(store, event("a"), event("b"))
    held = claim(store, "w1", store_clock)
    add(store, event("a"))  # arrived meanwhile: one row for "a" is enough
    with store.transaction() as tx:
        tx.inbox.release([item.id for item in held], "w1")
        assert tx.inbox.pending_count(ENTITY, store_clock.now()) == 2
    assert sorted(ids(claim(store, "w2", store_clock))) == ["a", "b"]


def test_two_claims_of_one_event_release_into_one(store: Store, store_clock: ManualClock) -> None:
    add(store, event("a"))
    first = claim(store, "w1", store_clock, seconds=1)
    add(store, event("a"))
    store_clock.advance(timedelta(seconds=2))
    both = claim(store, "w2", store_clock)
    assert len(both) == 2
    assert first[0].id == both[0].id
    with store.transaction() as tx:
        tx.inbox.release([item.id for item in both], "w2")
    assert len(claim(store, "w3", store_clock)) == 1


def test_all_claims_of_a_dead_worker_can_be_given_back_at_once(store: Store, store_clock: ManualClock) -> None:
    add(store, event("a"), event("b"), event("c"))
    claim(store, "dead", store_clock, limit=2)
    claim(store, "alive", store_clock)
    with store.transaction() as tx:
        assert tx.inbox.workers() == {"dead": 2, "alive": 1}
        tx.inbox.release_worker("dead")
        assert tx.inbox.workers() == {"alive": 1}
    assert ids(claim(store, "next", store_clock)) == ["a", "b"]


def test_what_is_put_off_waits_until_its_moment(store: Store, store_clock: ManualClock) -> None:
    add(store, event("a"), event("b"))
    held = claim(store, "w1", store_clock, limit=1)
    with store.transaction() as tx:
        before = tx.inbox.launch_mark(ENTITY, store_clock.now())
        tx.inbox.put_off([item.id for item in held], "w1", store_clock.now() + timedelta(seconds=60))
        assert tx.inbox.workers() == {}, "no run holds it"
    assert ids(claim(store, "w2", store_clock, seconds=600)) == ["b"]
    store_clock.advance(timedelta(seconds=61))
    with store.reading() as tx:
        assert tx.inbox.launch_mark(ENTITY, store_clock.now()) not in (None, before)
    assert ids(claim(store, "w3", store_clock)) == ["a"]


def test_what_was_put_off_or_claimed_while_the_clock_was_a_year_ahead_does_not_wait_a_year(
    store: Store, store_clock: ManualClock
) -> None:
    store_clock.advance(timedelta(days=365))
    add(store, event("a"), event("b"))
    held = claim(store, "w1", store_clock, seconds=600)
    with store.transaction() as tx:
        tx.inbox.put_off([held[0].id], "w1", store_clock.now() + timedelta(seconds=60))
    store_clock.advance(timedelta(days=-365))
    assert ids(claim(store, "w2", store_clock)) == ["a", "b"]


def test_only_the_holder_can_put_off(store: Store, store_clock: ManualClock) -> None:
    add(store, event("a"))
    held = claim(store, "w1", store_clock, seconds=60)
    with store.transaction() as tx:
        tx.inbox.put_off([item.id for item in held], "w2", store_clock.now())
    store_clock.advance(timedelta(seconds=30))
    assert claim(store, "w3", store_clock) == []


def test_only_the_holder_can_release(store: Store, store_clock: ManualClock) -> None:
    add(store, event("a"))
    held = claim(store, "w1", store_clock)
    with store.transaction() as tx:
        tx.inbox.release([item.id for item in held], "w2")
    assert claim(store, "w3", store_clock) == []


def test_pending_and_oldest_follow_what_can_be_claimed(store: Store, store_clock: ManualClock) -> None:
    with store.reading() as tx:
        assert tx.inbox.oldest_pending(ENTITY, store_clock.now()) is None
    arrived = store_clock.now()
    add(store, event("a"))
    store_clock.advance(timedelta(seconds=5))
    add(store, event("b"))
    with store.reading() as tx:
        assert tx.inbox.oldest_pending(ENTITY, store_clock.now()) == arrived
        assert tx.inbox.pending_count(ENTITY, store_clock.now()) == 2
        assert tx.inbox.waiting_ids(ENTITY, ["a", "x"]) == {"a"}
    claim(store, "w1", store_clock, limit=1)
    with store.reading() as tx:
        assert tx.inbox.oldest_pending(ENTITY, store_clock.now()) == store_clock.now()
        assert tx.inbox.pending_count(ENTITY, store_clock.now()) == 1
        assert tx.inbox.waiting_ids(ENTITY, ["a", "x"]) == {"a"}


@pytest.mark.parametrize("workers", [8])
def test_workers_at_once_get_every_item_exactly_once(
    store: Store, store_url: str, store_clock: ManualClock, workers: int
) -> None:
    add(store, *(event(f"r{n}") for n in range(400)))
    gate = threading.Barrier(workers)
    claimed: dict[str, list[str]] = {}

    def work(name: str) -> None:
        own = open_store(store_url, store_clock)
        mine: list[str] = []
        gate.wait()
        while items := claim(own, name, store_clock, limit=7):
            mine += ids(items)
        claimed[name] = mine
        own.close()

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    everything = [record for mine in claimed.values() for record in mine]
    assert len(claimed) == workers
    assert sorted(everything) == sorted(f"r{n}" for n in range(400))


def test_a_claim_under_way_does_not_hold_others_up(postgres_url: str, store_clock: ManualClock) -> None:
    store = open_store(postgres_url, store_clock)
    add(store, event("a"), event("b"))
    with store.transaction() as one:
        assert ids(one.inbox.claim(ENTITY, "w1", 1, store_clock.now(), 60)) == ["a"]
        with store.transaction() as two:  # the first is not committed: SKIP LOCKED passes it by
            two.inbox._connection.exec_driver_sql("SET LOCAL lock_timeout = '10s'")
            assert ids(two.inbox.claim(ENTITY, "w2", 1, store_clock.now(), 60)) == ["b"]
    store.close()


def large(store: Store, *names: str) -> None:
    with store.transaction() as tx:
        found = [InboxEvent(espo_id=name, action="manual", source="all", lane=Lane.BULK) for name in names]
        tx.inbox.add(ENTITY, found)


def test_an_edit_is_claimed_before_everything_that_a_large_selection_left(
    store: Store, store_clock: ManualClock
) -> None:
    large(store, "a", "b", "c")
    add(store, event("z"))
    with store.transaction() as tx:
        assert ids(tx.inbox.claim(ENTITY, "live", 100, store_clock.now(), 60, Lane.LIVE)) == ["z"]
        assert tx.inbox.launch_mark(ENTITY, store_clock.now(), Lane.LIVE) is None
        assert tx.inbox.launch_mark(ENTITY, store_clock.now(), Lane.BULK) is not None
        assert ids(tx.inbox.claim(ENTITY, "bulk", 2, store_clock.now(), 60, Lane.BULK)) == ["a", "b"]
    add(store, event("y"))
    assert ids(claim(store, "a person", store_clock)) == ["y", "c"], "both lanes, the edit first"


def test_an_edit_of_a_record_that_waits_in_a_large_selection_takes_it_along(
    store: Store, store_clock: ManualClock
) -> None:
    large(store, "a", "b")
    add(store, event("b"))
    with store.transaction() as tx:
        assert ids(tx.inbox.claim(ENTITY, "live", 100, store_clock.now(), 60, Lane.LIVE)) == ["b", "b"]
        assert ids(tx.inbox.claim(ENTITY, "bulk", 100, store_clock.now(), 60, Lane.BULK)) == ["a"]


def test_a_crowd_in_the_live_lane_gives_way_to_what_comes_after_it(store: Store, store_clock: ManualClock) -> None:
    add(store, event("a"), event("b"), event("c"))
    with store.transaction() as tx:
        assert ids(tx.inbox.claim(ENTITY, "live", 1, store_clock.now(), 60, Lane.LIVE)) == ["a"]
        tx.inbox.give_way(ENTITY)
    add(store, event("z"))
    with store.transaction() as tx:
        assert ids(tx.inbox.claim(ENTITY, "next", 100, store_clock.now(), 60, Lane.LIVE)) == ["z"]
        assert ids(tx.inbox.claim(ENTITY, "bulk", 100, store_clock.now(), 60, Lane.BULK)) == ["b", "c"]
        assert tx.inbox.extend("live", store_clock.now(), 60) == 1, "what is claimed stays where it is"


def test_two_claims_at_once_do_not_wait_for_each_other_to_give_way(postgres_url: str, store_clock: ManualClock) -> None:
    store = open_store(postgres_url, store_clock)
    add(store, *(event(one) for one in "abcdef"))
    claimed, failures = threading.Barrier(2), []

    def work(worker: str) -> None:
        try:
            with store.transaction() as tx:
                assert len(tx.inbox.claim(ENTITY, worker, 2, store_clock.now(), 60, Lane.LIVE)) == 2
                claimed.wait(20)
                tx.inbox.give_way(ENTITY)
        except Exception as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with store.transaction() as tx:
        assert ids(tx.inbox.claim(ENTITY, "bulk", 100, store_clock.now(), 60, Lane.BULK)) == ["e", "f"]
    store.close()


def test_what_hurries_waits_for_nobody_who_moves_the_same_rows(postgres_url: str, store_clock: ManualClock) -> None:
    impatient = f"{postgres_url}{'&' if '?' in postgres_url else '?'}options=-c%20lock_timeout%3D300ms"
    store = open_store(impatient, store_clock)
    large(store, "a", "b")
    with store.transaction() as watch:
        watch.inbox.hurry(ENTITY, ["b"], "watch")
        add(store, event("a"), event("b"))
    with store.transaction() as tx:
        assert len(tx.inbox.claim(ENTITY, "live", 100, store_clock.now(), 60, Lane.LIVE)) == 4
    store.close()


def test_events_are_stored_by_a_sqlite_that_is_a_few_years_old(sqlite_url: str, store_clock: ManualClock) -> None:
    """That of Ubuntu 22.04 (3.37) knows no arrow in a statement."""
    said: list[str] = []
    with open_store(sqlite_url, store_clock) as store, store.transaction() as tx:
        driver: Any = tx.connection.connection.driver_connection
        driver.set_trace_callback(said.append)
        tx.inbox.add(ENTITY, [event("a")])
        driver.set_trace_callback(None)
    assert "INSERT INTO inbox" in "".join(said)
    assert "->" not in "".join(said)


def test_what_webhooks_report_costs_the_same_however_much_waits_in_the_bulk_lane(
    sqlite_url: str, store_clock: ManualClock
) -> None:
    store = open_store(sqlite_url, store_clock)

    def steps(name: str) -> int:
        with store.transaction() as tx:
            counter = itertools.count()
            driver: Any = tx.connection.connection.driver_connection
            driver.set_progress_handler(lambda: next(counter) < 0, 10)  # whatever is true would break off
            tx.inbox.add(ENTITY, [event(f"{name}{number}") for number in range(50)])
            tx.inbox.waiting_ids(ENTITY, [f"p{number}" for number in range(50)], Lane.BULK)
            tx.inbox.oldest_pending(ENTITY, store_clock.now())
            driver.set_progress_handler(None, 0)
        return next(counter)

    large(store, "first")
    alone = steps("alone")
    large(store, *(f"p{number}" for number in range(5_000)))
    assert 0 < steps("beside") < alone * 2
    store.close()


def test_an_edit_does_not_wait_for_the_large_run_that_has_claimed_its_record_but_large_runs_wait_for_edits(
    store: Store, store_clock: ManualClock
) -> None:
    large(store, "a")
    assert ids(claim(store, "bulk", store_clock)) == ["a"]
    add(store, event("a"))
    with store.transaction() as tx:
        assert ids(tx.inbox.claim(ENTITY, "live", 100, store_clock.now(), 60, Lane.LIVE)) == ["a"]
    large(store, "a")
    assert claim(store, "another", store_clock) == []


def test_the_oldest_that_waits_is_the_first_of_either_lane_that_could_be_claimed(
    store: Store, store_clock: ManualClock
) -> None:
    start = store_clock.now()

    def oldest(lane: Lane | None = None) -> float | None:
        with store.reading() as tx:
            found = tx.inbox.oldest_pending(ENTITY, store_clock.now(), lane)
        return None if found is None else (found - start).total_seconds()

    assert oldest() is None
    large(store, "a", "b")
    claim(store, "bulk", store_clock, limit=1, seconds=600)
    for name in "cd":
        store_clock.advance(timedelta(seconds=1))
        add(store, event(name))
    assert (oldest(), oldest(Lane.LIVE), oldest(Lane.BULK)) == (0, 1, 0)
    claim(store, "live", store_clock, limit=1, seconds=600)
    assert (oldest(), oldest(Lane.LIVE)) == (0, 2)


@pytest.mark.parametrize("lane", [Lane.LIVE, None])
def test_what_was_stored_before_the_clock_was_set_back_hides_nothing_that_waits(
    store: Store, store_clock: ManualClock, lane: Lane | None
) -> None:
    set_back = store_clock.now()
    store_clock.advance(timedelta(hours=2))
    add(store, event("a"))
    store_clock.advance(-timedelta(hours=2))
    add(store, event("b"))
    store_clock.advance(timedelta(hours=1))
    with store.reading() as tx:
        assert tx.inbox.oldest_pending(ENTITY, store_clock.now(), lane) == set_back
