"""A command costs no task and no second timer, and what redis-py does about a connection that broke stays."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from vmh_sync.coordination.connection import AsyncRedis, SyncRedis


@pytest.fixture
def tasks(redis: AsyncRedis, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the tasks that are started."""
    started: list[str] = []
    create = asyncio.BaseEventLoop.create_task

    def noted(loop: asyncio.BaseEventLoop, coroutine: Any, **named: Any) -> "asyncio.Task[Any]":
        started.append(repr(coroutine))
        return create(loop, coroutine, **named)

    monkeypatch.setattr(asyncio.BaseEventLoop, "create_task", noted)
    return started


async def test_a_command_on_a_connection_that_stands_starts_no_task(redis: AsyncRedis, tasks: list[str]) -> None:
    await redis.set("k", "v")
    tasks.clear()
    assert await redis.get("k") == "v"
    assert tasks == []


async def test_more_than_the_system_takes_at_once(redis: AsyncRedis) -> None:
    long = "x" * 20_000_000
    await redis.set("k", long)
    assert await redis.get("k") == long


async def test_a_connection_that_the_other_end_has_closed_is_replaced(redis: AsyncRedis, sync_redis: SyncRedis) -> None:
    for _ in range(3):
        first = await redis.client_id()
        sync_redis.client_kill_filter(_id=str(first))
        with suppress(RedisConnectionError):  # redis-py's own way, too, when the loop has not heard of it yet
            await redis.ping()
        assert await redis.client_id() != first


async def test_nobody_notices_that_the_other_end_let_go_while_nobody_asked(
    redis: AsyncRedis, sync_redis: SyncRedis
) -> None:
    """A restart of Redis, or its time-out: redis-py makes such a connection anew before it sends a command."""
    for _ in range(3):
        first = await redis.client_id()
        sync_redis.client_kill_filter(_id=str(first))
        await asyncio.sleep(0.1)  # the loop hears of it
        assert await redis.client_id() != first


async def test_what_nobody_has_asked_for_answers_no_command(redis: AsyncRedis) -> None:
    pool: Any = redis.connection_pool
    await redis.set("k", "v")
    pool._available_connections[-1]._reader.feed_data(b"+of somebody else\r\n")
    assert await redis.get("k") == "v"


async def _of(redis: AsyncRedis, command: str, argument: str) -> object:
    found: object = await getattr(redis, command)(argument)
    return found


async def test_commands_of_one_moment_have_a_connection_each_and_give_it_back(redis: AsyncRedis) -> None:
    pool: Any = redis.connection_pool
    for _ in range(3):
        async with asyncio.TaskGroup() as several:
            for _ in range(4):
                several.create_task(_of(redis, "get", "k"))
        assert (len(pool._available_connections), len(pool._in_use_connections)) == (4, 0)


async def test_a_connection_whose_command_was_cancelled_answers_no_other_one(redis: AsyncRedis) -> None:
    await redis.set("k", "v")
    asking = asyncio.create_task(_of(redis, "echo", "of the cancelled one"))
    await asyncio.sleep(0)
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    assert await redis.get("k") == "v"
