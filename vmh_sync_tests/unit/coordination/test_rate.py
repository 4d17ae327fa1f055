"""Rates: never more than the rate in any window, whoever asks."""

import asyncio
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vmh_sync.coordination import rate as rate_module
from vmh_sync.coordination.connection import AsyncRedis, SyncRedis
from vmh_sync.coordination.rate import TokenBucket, units_spent

# The script with the time as its last argument, so that a test decides it.
AT_A_GIVEN_TIME = rate_module._TAKE.replace("redis.call('TIME')", "{0, ARGV[4]}")
WINDOW = 1_000_000


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    burst=st.integers(1, 9),
    extra=st.integers(1, 30),
    asks=st.lists(st.tuples(st.integers(0, 400_000), st.integers(1, 3)), min_size=20, max_size=120),
)
def test_no_window_ever_holds_more_than_the_rate(
    sync_redis: SyncRedis, burst: int, extra: int, asks: list[tuple[int, int]]
) -> None:
    rate = burst + extra
    bucket = TokenBucket(sync_redis, "r", rate=rate, per_seconds=1, burst=burst)
    sync_redis.flushall()
    now = 1_000_000_000
    granted: list[tuple[int, int]] = []
    for gap, cost in asks:
        now += gap // 10 if gap % 2 else 0  # many at the same moment, some later
        key, interval, allowed, _ = bucket._arguments(1)
        cost = min(cost, burst)
        if int(sync_redis.eval(AT_A_GIVEN_TIME, 1, key, interval, allowed, str(cost), str(now))) == 0:
            granted.append((now, cost))
    assert granted
    for start, _ in granted:
        assert sum(cost for at, cost in granted if start <= at < start + WINDOW) <= rate


@pytest.mark.parametrize("burst", [1, 7, 19])
def test_who_asks_all_the_time_gets_the_rate_and_no_more(sync_redis: SyncRedis, burst: int) -> None:
    rate = 20
    bucket = TokenBucket(sync_redis, "r", rate=rate, per_seconds=1, burst=burst)
    granted: list[int] = []
    now = 10**9
    while now < 10**9 + 3 * WINDOW:
        wait = int(sync_redis.eval(AT_A_GIVEN_TIME, 1, *bucket._arguments(1), str(now)))
        granted += [now] if wait == 0 else []
        now += wait
    fullest = max(sum(start <= at <= start + WINDOW for at in granted) for start in granted)
    assert rate - 1 <= fullest <= rate


def test_waiting_as_long_as_told_is_enough(sync_redis: SyncRedis) -> None:
    bucket = TokenBucket(sync_redis, "r", rate=10, per_seconds=1, burst=2)
    now = 5_000_000
    grants = 0
    for _ in range(50):
        wait = int(sync_redis.eval(AT_A_GIVEN_TIME, 1, *bucket._arguments(1), str(now)))
        if wait == 0:
            grants += 1
        now += wait
    assert grants >= 25, "after every refusal comes a grant"


def test_a_clock_set_back_does_not_lock_the_rate_up(sync_redis: SyncRedis) -> None:
    bucket = TokenBucket(sync_redis, "r", rate=10, per_seconds=1, burst=2)
    sync_redis.eval(AT_A_GIVEN_TIME, 1, *bucket._arguments(2), str(10**12))
    wait = int(sync_redis.eval(AT_A_GIVEN_TIME, 1, *bucket._arguments(1), str(10**6)))
    assert wait <= WINDOW


def test_threads_share_one_rate(sync_redis: SyncRedis) -> None:
    bucket = TokenBucket(sync_redis, "r", rate=105, per_seconds=1, burst=5)
    began = time.monotonic()
    threads = [threading.Thread(target=bucket.acquire, args=(3,)) for _ in range(15)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # 45 units: 5 at once, 40 more at 100 a second
    assert time.monotonic() - began >= 0.4


def test_the_first_units_do_not_wait(sync_redis: SyncRedis) -> None:
    bucket = TokenBucket(sync_redis, "r", rate=10, per_seconds=3600, burst=4)
    assert max(bucket.acquire() for _ in range(4)) < 30
    assert TokenBucket(sync_redis, "other", rate=10, per_seconds=3600, burst=4).acquire(4) < 30


def test_the_state_does_not_stay_for_ever(sync_redis: SyncRedis) -> None:
    bucket = TokenBucket(sync_redis, "r", rate=10, per_seconds=1, burst=4)
    bucket.acquire()
    assert 0 < sync_redis.pttl("vmh:rate:r") <= 2_000
    assert 0 < sync_redis.ttl("vmh:rate:r:spent") <= 120


async def test_what_was_spent_within_a_time_is_known(redis: AsyncRedis, sync_redis: SyncRedis) -> None:
    bucket = TokenBucket(sync_redis, "r", rate=600, per_seconds=60, burst=10)
    assert await units_spent(redis, "r", 60) == 0
    await asyncio.to_thread(bucket.acquire, 3)
    await asyncio.to_thread(bucket.acquire, 4)
    assert await units_spent(redis, "r", 60) == 7
    seconds, _ = sync_redis.time()
    sync_redis.hset("vmh:rate:r:spent", str(seconds - 61), 5)
    assert await units_spent(redis, "r", 60) == 7
    assert await units_spent(redis, "r", 120) == 12
    with pytest.raises(ValueError, match="120"):
        await units_spent(redis, "r", 3600)


def test_what_was_spent_long_ago_is_forgotten(sync_redis: SyncRedis) -> None:
    bucket = TokenBucket(sync_redis, "r", rate=10, per_seconds=1, burst=2)
    for second in range(1_000, 1_400):
        assert int(sync_redis.eval(AT_A_GIVEN_TIME, 1, *bucket._arguments(1), str(second * WINDOW))) == 0
    kept = sync_redis.hkeys("vmh:rate:r:spent")
    assert len(kept) <= 130
    assert {str(second) for second in range(1_281, 1_400)} <= set(kept)


@pytest.mark.parametrize("burst", [0, 10])
def test_impossible_rates_are_refused(sync_redis: SyncRedis, burst: int) -> None:
    with pytest.raises(ValueError, match="burst"):
        TokenBucket(sync_redis, "r", rate=10, per_seconds=1, burst=burst)


@pytest.mark.parametrize("cost", [0, 5])
def test_a_cost_that_never_fits_is_refused(sync_redis: SyncRedis, cost: int) -> None:
    with pytest.raises(ValueError, match="burst"):
        TokenBucket(sync_redis, "r", rate=10, per_seconds=1, burst=4).acquire(cost)
