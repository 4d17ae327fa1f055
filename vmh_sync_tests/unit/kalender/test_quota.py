"""Google's quota as Google counts it: when a request arrives, not when it leaves (specification, kalender.md 1)."""

import heapq
import random
from collections import deque
from collections.abc import Callable

import pytest

from vmh_sync.coordination import rate as rate_module
from vmh_sync.coordination.connection import SyncRedis
from vmh_sync.kalender.context import quota_bucket

# The bucket's own script on a real Valkey, with the time as its last argument, so that minutes pass at once.
AT_A_GIVEN_TIME = rate_module._TAKE.replace("redis.call('TIME')", "{0, ARGV[4]}")
SECOND = 1_000_000
BEGIN = 10**9
PROCESSES, THREADS = 3, 4

Journey = Callable[[int, int], int]
"""Microseconds from leaving to arriving, of the request that a worker sends at a moment."""


def arrivals(redis: SyncRedis, quota: int, journey: Journey, seconds: int) -> list[int]:
    """Let all threads of all processes send as fast as the bucket lets them; return when each request arrives."""
    redis.flushall()
    asked = quota_bucket(redis, quota)._arguments(1)
    # Everybody begins at once; a thread sends its next request when the last one has arrived.
    waiting = [(BEGIN, worker) for worker in range(PROCESSES * THREADS)]
    arrived: list[int] = []
    while waiting:
        now, worker = heapq.heappop(waiting)
        if now >= BEGIN + seconds * SECOND:
            continue
        wait = int(redis.eval(AT_A_GIVEN_TIME, 1, *asked, str(now)))
        then = now + (wait or journey(worker, now))
        if wait == 0:
            arrived.append(then)
        heapq.heappush(waiting, (then, worker))
    return sorted(arrived)


def fullest_minute(arrived: list[int]) -> int:
    """The most requests in any sliding 60 seconds."""
    window: deque[int] = deque()
    fullest = 0
    for moment in arrived:
        window.append(moment)
        while window[0] <= moment - 60 * SECOND:
            window.popleft()
        fullest = max(fullest, len(window))
    return fullest


def all_late(worker: int, now: int) -> int:
    """The network stands still at first: what left in the beginning arrives together with a full bucket's burst."""
    del worker
    return 20 * SECOND - (now - BEGIN) if now < BEGIN + 10 * SECOND else SECOND // 50


def test_no_minute_as_google_counts_it_holds_more_than_the_quota(sync_redis: SyncRedis) -> None:
    arrived = arrivals(sync_redis, 600, all_late, 85)
    assert fullest_minute(arrived) <= 600
    assert fullest_minute(arrived) > 590, "or the network has not been as bad as it can be"


@pytest.mark.parametrize("seed", range(3))
def test_nor_on_a_network_whose_answers_take_anything_up_to_a_timeout(sync_redis: SyncRedis, seed: int) -> None:
    dice = random.Random(seed)

    def journey(worker: int, now: int) -> int:
        del worker, now
        return int(SECOND * (dice.uniform(0.02, 0.2) if dice.random() < 0.98 else dice.uniform(1, 30)))

    assert fullest_minute(arrivals(sync_redis, 600, journey, 150)) <= 600


@pytest.mark.parametrize("quota", [600, 1500])
def test_the_steady_flow_is_more_than_95_percent_of_the_quota(sync_redis: SyncRedis, quota: int) -> None:
    arrived = arrivals(sync_redis, quota, lambda worker, now: SECOND // 50, 20)
    steady = [moment for moment in arrived if BEGIN + 5 * SECOND < moment <= BEGIN + 20 * SECOND]
    assert 0.95 * quota < len(steady) * 4 < quota
