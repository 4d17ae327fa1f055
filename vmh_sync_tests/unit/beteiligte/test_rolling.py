"""The rolling check: everybody within the hour, who moves often more often, and never more reads than before."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from vmh_sync.beteiligte.party import ENTITY
from vmh_sync.beteiligte.reading.rolling import ROLLING_EVERY, rolling_share
from vmh_sync.clock import ManualClock
from vmh_sync.store import Store
from vmh_sync.store.history.audit import Change
from vmh_sync.store.pairs.links import Link
from vmh_sync.store.pairs.records import SyncRecord

HOUR = timedelta(hours=1)
TICKS = 36


def fill(store: Store, clock: ManualClock, number: int, moving: int) -> None:
    """Link some parties; the last ``moving`` of them were changed often lately."""
    with store.transaction() as tx:
        for betnr in range(1, number + 1):
            tx.links.save(Link(entity=ENTITY, espo_id=f"p{betnr}", betnr=betnr, advoware_id=str(betnr)))
        for betnr in range(number - moving + 1, number + 1):
            tx.audit.append([_change(f"p{betnr}", clock.now()) for _ in range(3)])


def _change(espo_id: str, at: datetime) -> Change:
    return Change(entity=ENTITY, kind="applied", espo_id=espo_id, field="zusatz", reason="changed", at=at)


def read(store: Store, clock: ManualClock) -> list[str]:
    with store.transaction() as tx:
        ids = rolling_share(tx, clock.now(), HOUR)
        tx.links.mark_verified(ENTITY, ids, clock.now())
    return ids


@pytest.mark.parametrize(("number", "moving"), [(240, 12), (7, 2), (1, 1), (50, 0)])
def test_everybody_comes_around_within_the_hour_by_the_same_number_of_reads(
    store: Store, store_clock: ManualClock, number: int, moving: int
) -> None:
    fill(store, store_clock, number, moving)
    share = -(-number // 12)
    last: dict[str, datetime] = {}
    for _ in range(TICKS):
        ids = read(store, store_clock)
        assert len(ids) == len(set(ids)) <= share + share // 5 + 1
        last |= dict.fromkeys(ids, store_clock.now())
        store_clock.advance(ROLLING_EVERY)
        if len(last) == number:
            assert store_clock.now() - min(last.values()) <= HOUR + ROLLING_EVERY
    assert len(last) == number


def test_who_moves_often_is_read_more_often_than_the_others(store: Store, store_clock: ManualClock) -> None:
    fill(store, store_clock, 240, 4)
    times: Counter[str] = Counter()
    for _ in range(TICKS):
        times.update(read(store, store_clock))
        store_clock.advance(ROLLING_EVERY)
    moving = [times[f"p{betnr}"] for betnr in range(237, 241)]
    others = [times[f"p{betnr}"] for betnr in range(1, 237)]
    assert min(moving) >= 3 * max(others)


def test_missed_ticks_are_caught_up_before_anybody_is_read_more_often(store: Store, store_clock: ManualClock) -> None:
    fill(store, store_clock, 240, 12)
    for _ in range(12):
        read(store, store_clock)
        store_clock.advance(ROLLING_EVERY)
    store_clock.advance(3 * ROLLING_EVERY)
    moving = {f"p{betnr}" for betnr in range(229, 241)}
    assert not moving & set(read(store, store_clock)[20:])


def test_who_failed_waits_for_its_own_time_and_takes_no_place_of_the_others(
    store: Store, store_clock: ManualClock
) -> None:
    """Never verified again, the failed would be the oldest at each tick: tried every five minutes, and nobody else."""
    fill(store, store_clock, 60, 4)
    failed = {f"p{betnr}": timedelta(hours=4) for betnr in (*range(1, 20), 59, 60)}
    hopeless = [f"p{betnr}" for betnr in range(20, 26)]
    with store.transaction() as tx:
        tx.records.upsert(
            SyncRecord(entity=ENTITY, espo_id=espo_id, status="failed", next_retry_at=store_clock.now() + wait)
            for espo_id, wait in failed.items()
        )
    times: Counter[str] = Counter()
    for _ in range(TICKS):
        with store.transaction() as tx:
            ids = rolling_share(tx, store_clock.now(), HOUR)
            tx.links.mark_verified(ENTITY, [one for one in ids if one not in hopeless], store_clock.now())
            tx.records.upsert(
                SyncRecord(entity=ENTITY, espo_id=one, status="permanently_failed") for one in ids if one in hopeless
            )
        times.update(ids)
        store_clock.advance(ROLLING_EVERY)
    assert not failed.keys() & times.keys()
    assert {times[one] for one in hopeless} <= {2, 3, 4}, "looked at once in each hour"
    others = {f"p{betnr}" for betnr in range(26, 59)}
    assert min(times[one] for one in others) >= 3


def test_an_edit_in_advoware_waits_as_long_as_the_handbook_says(store: Store, store_clock: ManualClock) -> None:
    """Who is read every n minutes lets an edit, typed at any moment, wait n/2 on average and n at most."""
    fill(store, store_clock, 240, 4)
    reads: dict[str, list[datetime]] = {}
    for _ in range(TICKS):
        for espo_id in read(store, store_clock):
            reads.setdefault(espo_id, []).append(store_clock.now())
        store_clock.advance(ROLLING_EVERY)

    def gaps(numbers: range) -> list[float]:
        times = [reads[f"p{number}"] for number in numbers]
        return [(after - before).total_seconds() / 60 for one in times for before, after in pairwise(one[1:])]

    often, others = gaps(range(237, 241)), gaps(range(1, 237))
    assert max(others) <= 60
    assert 40 <= sum(others) / len(others) <= 60, "half an hour on average"
    assert max(often) <= 10, "five minutes on average"
