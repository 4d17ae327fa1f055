"""A look at a circuit counts for a moment, so that a pass does not ask Redis before each of its calls."""

import asyncio
import time
from typing import Any

import pytest

from vmh_sync.clock import SystemClock
from vmh_sync.coordination import circuits
from vmh_sync.coordination.circuits import SharedCircuits
from vmh_sync.coordination.connection import AsyncRedis, evaluate
from vmh_sync.systems.circuit import LoginCircuit, LoginHeldBack

NAME = "espocrm:1"


async def _working(redis: AsyncRedis) -> LoginCircuit:
    login = LoginCircuit(NAME, SystemClock(), SharedCircuits(redis))
    await login.worked(await login.enter())
    return login


async def test_calls_of_one_moment_ask_redis_once(redis: AsyncRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuits, "SEEN_SECONDS", 60.0)
    login = await _working(redis)
    await redis.config_resetstat()
    for _ in range(20):
        await login.enter()
    assert "cmdstat_get" not in await redis.info("commandstats")


async def test_what_this_process_is_told_counts_at_once(redis: AsyncRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuits, "SEEN_SECONDS", 60.0)
    login = await _working(redis)
    await login.refused(await login.enter(), "LoginRejected", "GET x: login refused", 401)
    with pytest.raises(LoginHeldBack):
        await login.enter()


async def test_a_clock_that_begins_at_zero_is_no_look(redis: AsyncRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    await redis.set(circuits.circuit_key(NAME), "what another process stored")
    monkeypatch.setattr(time, "monotonic", lambda: 0.0)
    assert await SharedCircuits(redis).load(NAME) == "what another process stored"


async def test_what_another_process_was_told_counts_after_a_moment(redis: AsyncRedis) -> None:
    login, other = await _working(redis), LoginCircuit(NAME, SystemClock(), SharedCircuits(redis))
    await other.refused(await other.enter(), "LoginRejected", "GET x: login refused", 401)
    with pytest.raises(LoginHeldBack):
        async with asyncio.timeout(5):
            while True:
                await login.enter()
                await asyncio.sleep(0)


async def test_who_saw_less_than_stands_there_changes_nothing(
    redis: AsyncRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuits, "SEEN_SECONDS", 60.0)
    login, other = await _working(redis), LoginCircuit(NAME, SystemClock(), SharedCircuits(redis))
    ticket, earlier = await login.enter(), await other.enter()
    await other.refused(earlier, "LoginRejected", "GET x: login refused", 401)
    async with asyncio.timeout(5):
        await login.refused(ticket, "LoginRejected", "GET y: login refused", 401)  # left before the other's was known
    state, _ = await other.held_back()
    assert state.refusals == 1


async def test_who_is_cancelled_while_redis_is_told_of_its_trial_gives_it_back(
    redis: AsyncRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuits, "SEEN_SECONDS", 60.0)

    async def told_and_cancelled(*arguments: Any) -> int:
        monkeypatch.setattr(circuits, "evaluate", evaluate)
        await evaluate(*arguments)
        raise asyncio.CancelledError

    monkeypatch.setattr(circuits, "evaluate", told_and_cancelled)
    shared = SharedCircuits(redis)
    with pytest.raises(asyncio.CancelledError):
        await LoginCircuit(NAME, SystemClock(), shared).enter()
    async with asyncio.timeout(5):
        await LoginCircuit(NAME, SystemClock(), SharedCircuits(redis)).enter()


async def test_a_look_from_before_a_change_whose_end_is_unknown_does_not_count(
    redis: AsyncRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuits, "SEEN_SECONDS", 60.0)
    shared, told, answered = SharedCircuits(redis), redis.get, asyncio.Event()

    async def slow(*arguments: Any) -> Any:
        answer = await told(*arguments)
        await answered.wait()
        return answer

    monkeypatch.setattr(redis, "get", slow)
    looking = asyncio.create_task(shared.load(NAME))
    await asyncio.sleep(0.05)
    other = SharedCircuits(redis)
    assert await other.swap(NAME, None, "theirs")
    assert not await shared.swap(NAME, None, "ours")
    answered.set()
    await looking
    assert await shared.load(NAME) == "theirs"
