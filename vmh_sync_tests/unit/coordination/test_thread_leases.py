"""Leases for threads; they exclude coroutines too."""

import threading
import time

import pytest

from vmh_sync.coordination.connection import AsyncRedis, SyncRedis
from vmh_sync.coordination.errors import CoordinationUnavailable, LeaseLost
from vmh_sync.coordination.leases import Leases
from vmh_sync.coordination.process import ProcessId
from vmh_sync.coordination.thread_leases import ThreadLeases, WaitingLeases

KEY = "vmh:lease:r"
LONG = 600.0


def test_one_holder_at_a_time(sync_redis: SyncRedis) -> None:
    leases = ThreadLeases(sync_redis, LONG)
    inside: list[int] = []
    most = 0

    def work(number: int) -> None:
        nonlocal most
        with leases.hold("r", wait=60) as lease:
            assert lease is not None
            inside.append(number)
            most = max(most, len(inside))
            lease.ensure()
            inside.remove(number)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert not sync_redis.exists(KEY)


async def test_threads_and_coroutines_exclude_each_other(redis: AsyncRedis, sync_redis: SyncRedis) -> None:
    with ThreadLeases(sync_redis, LONG).hold("r"):
        async with Leases(redis, LONG).hold("r") as lease:
            assert lease is None
    async with Leases(redis, LONG).hold("r"):
        with ThreadLeases(sync_redis, LONG).hold("r") as other:
            assert other is None


def test_the_lease_is_renewed_in_the_background(sync_redis: SyncRedis) -> None:
    with ThreadLeases(sync_redis, 0.9).hold("r") as lease:
        assert lease is not None
        sync_redis.pexpire(KEY, 800)
        while sync_redis.pttl(KEY) <= 800:
            assert sync_redis.exists(KEY)
            time.sleep(0.01)


def test_the_loss_is_noticed_and_the_successor_left_alone(sync_redis: SyncRedis) -> None:
    with ThreadLeases(sync_redis, LONG).hold("r") as lease:
        assert lease is not None
        sync_redis.set(KEY, "somebody else")
        with pytest.raises(LeaseLost):
            lease.ensure()
    assert sync_redis.get(KEY) == "somebody else"


def test_a_dead_holder_is_replaced(sync_redis: SyncRedis) -> None:
    own = ProcessId.own()
    sync_redis.set(KEY, f"{ProcessId(own.place, own.pid, '1')}#x")
    with ThreadLeases(sync_redis, LONG).hold("r") as lease:
        assert lease is not None
        lease.ensure()


def test_who_comes_second_at_a_dead_ones_lease_leaves_it_alone(
    sync_redis: SyncRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync_redis.set(KEY, "dead#1")

    def overtaken(_token: str) -> bool:
        sync_redis.set(KEY, "winner#1")  # between our look and our attempt
        return True

    monkeypatch.setattr("vmh_sync.coordination.thread_leases.owner_is_dead", overtaken)
    with ThreadLeases(sync_redis, LONG).hold("r") as lease:
        assert lease is None
    assert sync_redis.get(KEY) == "winner#1"


def test_a_waiting_lease_is_held_or_an_error(sync_redis: SyncRedis) -> None:
    leases = ThreadLeases(sync_redis, LONG)
    with WaitingLeases(leases, "calendar").hold("c1"):
        assert sync_redis.exists("vmh:lease:calendar:c1")
        impatient = WaitingLeases(leases, "calendar", patience=0.01)
        with pytest.raises(CoordinationUnavailable), impatient.hold("c1"):
            pytest.fail("two writers")
        with impatient.hold("c2"):
            pass
