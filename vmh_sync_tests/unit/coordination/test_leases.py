"""Leases: one holder at a time, a dead one is replaced, a late one notices."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from vmh_sync.coordination.connection import AsyncRedis, SyncRedis, connect
from vmh_sync.coordination.errors import CoordinationUnavailable, LeaseLost
from vmh_sync.coordination.leases import Leases
from vmh_sync.coordination.process import ProcessId, is_provably_dead

KEY = "vmh:lease:r"
LONG = 600.0


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not happened():  # noqa: ASYNC110 - nothing tells when it happens
            await asyncio.sleep(0.01)


@pytest.fixture
def holder(redis_url: str) -> Iterator["subprocess.Popen[str]"]:
    """A living process that holds the lease ``r`` for ten minutes."""
    script = Path(__file__).parent / "holder.py"
    process = subprocess.Popen(
        [sys.executable, str(script), redis_url, "r", str(LONG)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


async def test_one_holder_at_a_time_and_the_next_after_it(redis: AsyncRedis) -> None:
    leases = Leases(redis, LONG)
    async with leases.hold("r") as first, leases.hold("r") as second, leases.hold("other") as other:
        assert first is not None
        assert second is None
        assert other is not None
        await first.ensure()
        assert await leases.holder("r") == str(ProcessId.own())
    assert await leases.holder("r") is None
    async with leases.hold("r") as again:
        assert again is not None


async def test_what_redis_said_a_moment_ago_is_enough_before_a_step_and_never_before_a_write(
    redis: AsyncRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Leases(redis, LONG).hold("r") as lease:
        assert lease is not None
        await redis.delete(KEY)
        await lease.confirm()
        monkeypatch.setattr("vmh_sync.coordination.leases.A_MOMENT", -1.0)
        with pytest.raises(LeaseLost):
            await lease.confirm()
    async with Leases(redis, LONG).hold("s") as other:
        assert other is not None
        await redis.delete("vmh:lease:s")
        with pytest.raises(LeaseLost):
            await other.ensure()


async def test_a_busy_attempt_leaves_the_holder_alone(redis: AsyncRedis) -> None:
    leases = Leases(redis, LONG)
    async with leases.hold("r") as first:
        async with leases.hold("r"):
            pass
        assert first is not None
        await first.ensure()


async def test_waiting_gets_the_lease_when_it_is_released(redis: AsyncRedis) -> None:
    leases = Leases(redis, LONG)
    entered = asyncio.Event()

    async def wait_for_it() -> bool:
        entered.set()
        async with leases.hold("r", wait=30) as lease:
            return lease is not None

    async with leases.hold("r"):
        waiting = asyncio.create_task(wait_for_it())
        await entered.wait()
    assert await waiting


async def test_waiting_ends(redis: AsyncRedis) -> None:
    leases = Leases(redis, LONG)
    async with leases.hold("r"), leases.hold("r", wait=0.05) as lease:
        assert lease is None


async def test_fifty_contenders_get_it_one_after_the_other(redis: AsyncRedis) -> None:
    leases = Leases(redis, LONG)
    inside = 0
    turns = 0

    async def contend() -> None:
        nonlocal inside, turns
        async with leases.hold("r", wait=60) as lease:
            assert lease is not None
            inside += 1
            assert inside == 1
            await lease.ensure()
            inside -= 1
            turns += 1

    await asyncio.gather(*(contend() for _ in range(50)))
    assert turns == 50


async def test_the_lease_is_renewed_in_the_background(redis: AsyncRedis) -> None:
    async with Leases(redis, 0.9).hold("r") as lease:
        assert lease is not None
        await redis.pexpire(KEY, 800)  # as if time had passed; the next renewal comes after 300 ms
        while await redis.pttl(KEY) <= 800:
            assert await redis.exists(KEY)
            await asyncio.sleep(0.01)
        assert not lease.lost


async def test_ensure_prolongs_at_once(redis: AsyncRedis) -> None:
    async with Leases(redis, LONG).hold("r") as lease:
        assert lease is not None
        await redis.pexpire(KEY, 5_000)
        await lease.ensure()
        assert await redis.pttl(KEY) > 5_000


async def test_a_paused_process_notices_that_its_lease_ran_out(redis: AsyncRedis) -> None:
    async with Leases(redis, 0.05).hold("r") as lease:
        assert lease is not None
        time.sleep(0.2)  # noqa: ASYNC251 - the whole process stands still, renewal included
        with pytest.raises(LeaseLost):
            await lease.ensure()


async def test_a_late_holder_neither_writes_nor_releases_what_another_one_holds(redis: AsyncRedis) -> None:
    leases = Leases(redis, LONG)
    async with AsyncExitStack() as end_of_second:
        async with leases.hold("r") as late:
            assert late is not None
            await redis.delete(KEY)  # it ran out
            second = await end_of_second.enter_async_context(leases.hold("r"))
            assert second is not None
            with pytest.raises(LeaseLost):
                await late.ensure()
        await second.ensure()  # the end of the late one's block has not released it
        with pytest.raises(LeaseLost):
            await late.ensure()


async def test_the_background_renewal_reports_the_loss(redis: AsyncRedis) -> None:
    async with Leases(redis, 0.3).hold("r") as lease:
        assert lease is not None
        await redis.set(KEY, "somebody else")
        await until(lambda: lease.lost)
        with pytest.raises(LeaseLost):
            await lease.ensure()
    assert await redis.get(KEY) == "somebody else"


async def test_a_cancelled_attempt_leaves_nothing_behind(redis: AsyncRedis) -> None:
    leases = Leases(redis, LONG)

    entered = asyncio.Event()

    async def hold_forever() -> None:
        async with leases.hold("r"):
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hold_forever())
    await entered.wait()
    assert await leases.holder("r") is not None
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await leases.holder("r") is None


async def test_the_lease_of_a_killed_process_is_free_at_once(
    redis: AsyncRedis, holder: "subprocess.Popen[str]"
) -> None:
    leases = Leases(redis, LONG)
    async with leases.hold("r") as lease:
        assert lease is None, "it lives"
    assert await leases.holder("r") is not None
    holder.kill()
    holder.wait()
    assert await leases.holder("r") is None
    async with leases.hold("r") as lease:
        assert lease is not None
        await lease.ensure()


async def test_a_zombie_counts_as_dead(redis: AsyncRedis, holder: "subprocess.Popen[str]") -> None:
    holder.kill()
    await asyncio.to_thread(
        os.waitid, os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT
    )  # dead, but still in the process table
    async with Leases(redis, LONG).hold("r") as lease:
        assert lease is not None


async def test_a_stopped_process_counts_as_alive(redis: AsyncRedis, holder: "subprocess.Popen[str]") -> None:
    holder.send_signal(signal.SIGSTOP)
    await asyncio.to_thread(os.waitid, os.P_PID, holder.pid, os.WSTOPPED | os.WNOWAIT)
    async with Leases(redis, LONG).hold("r") as lease:
        assert lease is None


async def test_only_one_of_many_takes_a_dead_ones_lease(
    redis: AsyncRedis, redis_url: str, holder: "subprocess.Popen[str]"
) -> None:
    holder.kill()
    holder.wait()
    clients = [connect(redis_url) for _ in range(20)]
    done = asyncio.Event()
    results: list[bool] = []

    async def contend(client: AsyncRedis) -> None:
        async with Leases(client, LONG).hold("r") as lease:
            results.append(lease is not None)
            if len(results) == len(clients):
                done.set()
            await done.wait()
        await client.aclose()

    await asyncio.gather(*(contend(client) for client in clients))
    assert sorted(results) == [False] * 19 + [True]


async def test_who_comes_second_at_a_dead_ones_lease_leaves_it_alone(
    redis: AsyncRedis, sync_redis: SyncRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    await redis.set(KEY, "dead#1")

    def overtaken(_token: str) -> bool:
        sync_redis.set(KEY, "winner#1")  # between our look and our attempt
        return True

    monkeypatch.setattr("vmh_sync.coordination.leases.owner_is_dead", overtaken)
    async with Leases(redis, LONG).hold("r") as lease:
        assert lease is None
    assert await redis.get(KEY) == "winner#1"


def test_only_a_certain_death_counts() -> None:
    own = ProcessId.own()
    assert ProcessId.parse(str(own)) == own
    assert not is_provably_dead(own)
    assert is_provably_dead(ProcessId(own.place, own.pid, "1")), "the number was used again"
    assert not is_provably_dead(ProcessId(own.place, own.pid, "?")), "its start is unknown"
    assert not is_provably_dead(ProcessId("elsewhere,boot,ns", 999_999_999, "1")), "another host"
    host, _boot, namespace = own.place.rsplit(",", 2)
    assert not is_provably_dead(ProcessId(f"{host},other-boot,{namespace}", 999_999_999, "1"))
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert is_provably_dead(ProcessId(own.place, process.pid, "1"))


@pytest.mark.parametrize("text", ["", "x", "a/b/c", "a/1", "/-1/2", "a/\u00b2/3"])
def test_a_foreign_owner_is_no_process(text: str) -> None:
    assert ProcessId.parse(text) is None


async def test_the_lease_of_an_unknown_owner_is_respected(redis: AsyncRedis) -> None:
    await redis.set(KEY, "some other program")
    async with Leases(redis, LONG).hold("r") as lease:
        assert lease is None


async def test_without_redis_there_is_no_lease(tmp_path: Path) -> None:
    client = connect(f"unix://{tmp_path}/nothing.sock")
    with pytest.raises(CoordinationUnavailable):
        async with Leases(client, LONG).hold("r"):
            pytest.fail("no lease without Redis")
    await client.aclose()


@pytest.mark.parametrize("url", ["http://localhost", "localhost:6379", "memcached://x"])
def test_other_servers_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="REDIS_URL"):
        connect(url)
