"""Whatever is cancelled at whichever await: everything ends, and nothing is held any longer (sync-semantics.md 3)."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest

from vmh_sync.background import all_of, carried_out, let_end, stop
from vmh_sync.coordination.connection import AsyncRedis
from vmh_sync.coordination.doorbell import Doorbell
from vmh_sync.coordination.errors import LeaseLost
from vmh_sync.coordination.leases import Leases
from vmh_sync.gateway.launches.intake import Intake
from vmh_sync.gateway.launches.launch import Launcher
from vmh_sync.gateway.launches.launch_debouncer import LaunchDebouncer
from vmh_sync.kalender.employee.progress import LoadProgress
from vmh_sync_tests.unit.coordination.stubborn import CancelledAt, StubbornRedis

KEY = "vmh:lease:r"
MANY = 200
"""More awaits than any of the coroutines has; each case proves that its last place was beyond the end."""

Case = Callable[[], Coroutine[Any, Any, None]]


async def cancelled_at_every_await(case: Callable[[], Coroutine[Any, Any, None]], after: Callable[[], None]) -> int:
    """Run ``case`` once per await of it; returns at how many it was cancelled."""
    for place in range(MANY):
        async with asyncio.timeout(20):
            reached = await CancelledAt(case(), place)
            while others := asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.wait(others, timeout=0.05)
        after()
        if not reached:
            return place
    raise AssertionError("it never ended")


@pytest.mark.parametrize("swallows", [0, 1, 3])
async def test_a_lease_that_is_cancelled_anywhere_ends_and_is_free(swallows: int) -> None:
    redis = StubbornRedis()

    async def hold() -> None:
        redis.swallows = swallows
        async with Leases(cast("AsyncRedis", redis), 0.006).hold("r", wait=0.01) as lease:
            assert lease is not None
            await lease.ensure()
            await asyncio.sleep(0.003)
            await lease.ensure()

    assert await cancelled_at_every_await(hold, lambda: assert_free(redis)) >= 8


async def test_waiting_for_a_lease_is_cancelled_anywhere_and_leaves_the_holder_alone() -> None:
    redis = StubbornRedis()
    redis.keys[KEY] = "somebody else"

    async def wait() -> None:
        async with Leases(cast("AsyncRedis", redis), 5).hold("r", wait=0.1) as lease:
            assert lease is None

    def untouched() -> None:
        assert redis.keys == {KEY: "somebody else"}

    assert await cancelled_at_every_await(wait, untouched) > 5


@pytest.mark.parametrize("swallows", [1, 2, 5])
async def test_a_hold_ends_although_its_renewal_swallows_the_cancel(swallows: int) -> None:
    redis = StubbornRedis(hops=3)
    for turn in range(30):
        async with asyncio.timeout(10):
            async with Leases(cast("AsyncRedis", redis), 0.006).hold("r") as lease:
                assert lease is not None
                calls = redis.calls
                while redis.calls == calls:  # noqa: ASYNC110 - until the renewal is talking
                    await asyncio.sleep(0)
                redis.swallows = swallows + turn % 2
        redis.swallows = 0
        assert_free(redis)


async def test_a_cancel_of_the_holder_is_not_lost_at_the_end_of_its_block() -> None:
    redis = StubbornRedis()
    inside = asyncio.Event()

    async def hold() -> None:
        async with Leases(cast("AsyncRedis", redis), 5).hold("r"):
            inside.set()
            await asyncio.Event().wait()

    holder = asyncio.create_task(hold())
    await inside.wait()
    holder.cancel()
    await asyncio.wait({holder}, timeout=5)
    assert holder.cancelled()
    await asyncio.sleep(0.05)
    assert_free(redis)


async def test_three_hundred_holds_that_end_while_they_are_renewed_all_end(redis: AsyncRedis) -> None:
    leases = Leases(redis, 0.3)

    async def hold(number: int) -> None:
        async with leases.hold(f"r{number}") as lease:
            assert lease is not None
            # The first renewal comes after 100 ms; the block ends up to 10 ms before or after.
            await asyncio.sleep(0.09 + number % 21 / 1000)

    async with asyncio.timeout(60):
        for first in range(0, 300, 25):
            await asyncio.gather(*(hold(number) for number in range(first, first + 25)))
    assert [await leases.holder(f"r{number}") for number in range(300)] == [None] * 300


async def test_the_doorbell_is_cancelled_anywhere_and_rings_again_after_it() -> None:
    redis = StubbornRedis()

    async def ring() -> None:
        redis.swallows = 1
        bell = Doorbell(cast("AsyncRedis", redis))
        await bell.ring("beteiligte", 20)
        await bell.silence("beteiligte")

    assert await cancelled_at_every_await(ring, redis.keys.clear) >= 4


async def test_a_gateway_that_ends_is_cancelled_anywhere_and_leaves_no_task() -> None:
    redis = StubbornRedis(swallows=10)

    class Quick:
        async def launch(self, *_what: object) -> str:
            await asyncio.sleep(0)
            return "run"

    async def notice() -> None:
        bellman = LaunchDebouncer(Doorbell(cast("AsyncRedis", redis)), cast("Launcher", Quick()), gather_seconds=0)
        bellman.notice("beteiligte")
        await bellman.finish()

    assert await cancelled_at_every_await(notice, redis.keys.clear) >= 1


async def test_an_inbox_that_hangs_holds_nobody_back_for_longer_than_a_request_may_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("vmh_sync.gateway.launches.intake.COMMIT_SECONDS", 0.05)
    go = threading.Event()

    class Hanging(Intake):
        def _commit(self, deliveries: Any) -> list[int]:
            go.wait(30)
            return [0 for _ in deliveries]

    intake = Hanging(cast("Any", None))
    try:
        putting = asyncio.create_task(intake.put("beteiligte", []))
        await asyncio.wait({putting}, timeout=5)
        async with asyncio.timeout(5):
            await intake.finish()
        assert type(putting.exception()).__name__ == "StoreUnavailable"
    finally:
        go.set()


async def test_events_are_taken_while_their_sender_is_cancelled_anywhere() -> None:
    class Counting(Intake):
        def _commit(self, deliveries: Any) -> list[int]:
            return [len(delivery.events) for delivery in deliveries]

    async def put() -> None:
        intake = Counting(cast("Any", None))
        await intake.put("beteiligte", [])
        await intake.finish()

    assert await cancelled_at_every_await(put, lambda: None) >= 1


async def test_a_task_that_never_listens_is_waited_for_within_bounds() -> None:
    over = False

    async def deaf() -> None:
        while not over:
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                continue

    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        assert not await stop(task, seconds=0.05)
        await carried_out(_wait_for(task), seconds=0.05)
        over = True
        assert await stop(task)
        assert await let_end(task)


async def test_a_lease_that_was_given_back_lets_nothing_leave() -> None:
    async with Leases(cast("AsyncRedis", StubbornRedis()), 5).hold("r") as lease:
        assert lease is not None
        assert 4 < lease.seconds_left() <= 5
    with pytest.raises(LeaseLost):
        lease.seconds_left()
    with pytest.raises(LeaseLost):
        await lease.ensure()


def test_progress_of_a_calendar_waits_for_nobody() -> None:
    assert not any(asyncio.iscoroutinefunction(member) for member in vars(LoadProgress).values())


async def _wait_for(task: "asyncio.Task[None]") -> None:
    await asyncio.shield(task)


def assert_free(redis: StubbornRedis) -> None:
    assert KEY not in redis.keys


async def test_who_is_cancelled_with_others_has_time_for_a_last_duty_of_its_own() -> None:
    """The first of them to end had the others cancelled once more, in the middle of giving back what they held."""
    given_back: list[int] = []

    async def hold(one: int) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(one / 100)
            given_back.append(one)

    together = asyncio.create_task(all_of(hold(0), all_of(hold(1), hold(2)), hold(3)))
    await asyncio.sleep(0.01)
    together.cancel()
    with pytest.raises(asyncio.CancelledError):
        await together
    assert given_back == [0, 1, 2, 3]
