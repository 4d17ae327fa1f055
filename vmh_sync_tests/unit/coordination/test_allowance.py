"""So many in a span of time, whoever asks."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from vmh_sync.clock import ManualClock
from vmh_sync.coordination.allowance import Allowance
from vmh_sync.coordination.connection import SyncRedis, connect_sync
from vmh_sync.coordination.errors import CoordinationUnavailable

HOUR = timedelta(hours=1)


def allowance(redis: SyncRedis, clock: ManualClock, limit: int = 3, name: str = "a") -> Allowance:
    return Allowance(redis, name, limit=limit, per=HOUR, clock=clock)


def test_no_span_holds_more_than_the_limit_and_a_second_process_counts_on(sync_redis: SyncRedis) -> None:
    clock = ManualClock(datetime(2026, 3, 2, 12, tzinfo=UTC))
    one, other = allowance(sync_redis, clock), allowance(sync_redis, clock)
    assert [one.take(), other.take(), one.take()] == [True, True, True]
    clock.advance(timedelta(minutes=59))
    assert not one.take() and not other.take()
    clock.advance(timedelta(minutes=1))
    assert [other.take() for _ in range(4)] == [True, True, True, False], "the first three are an hour old"
    assert allowance(sync_redis, clock, name="b").take()


def test_many_at_once_get_no_more_than_the_limit(sync_redis: SyncRedis) -> None:
    shared = allowance(sync_redis, ManualClock(datetime(2026, 3, 2, 12, tzinfo=UTC)), limit=7)
    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(lambda _: shared.take(), range(40))) == 7


def test_without_redis_nothing_is_taken() -> None:
    nobody = connect_sync("redis://127.0.0.1:1/0")
    with pytest.raises(CoordinationUnavailable):
        allowance(nobody, ManualClock(datetime(2026, 3, 2, 12, tzinfo=UTC))).take()


def test_what_was_taken_while_the_clock_was_ahead_does_not_count(sync_redis: SyncRedis) -> None:
    clock = ManualClock(datetime(2027, 3, 2, 12, tzinfo=UTC))
    one = allowance(sync_redis, clock)
    assert [one.take() for _ in range(4)] == [True, True, True, False]
    clock.advance(-timedelta(days=365))
    assert [one.take() for _ in range(4)] == [True, True, True, False]
