"""Short commands share a connection: right answers to the right ones, whatever comes of the connection."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from vmh_sync.coordination import connection as connection_module
from vmh_sync.coordination.connection import AsyncRedis, SyncRedis, connect, evaluate
from vmh_sync.coordination.lane import answer_at

ECHO = "return ARGV[1] + 0"


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


async def test_a_command_starts_no_task(redis: AsyncRedis, tasks: list[str]) -> None:
    await redis.set("k", "v")
    tasks.clear()
    assert await redis.get("k") == "v"
    assert tasks == []


async def test_everybody_gets_its_own_answer_also_when_others_are_cancelled(redis: AsyncRedis) -> None:
    await redis.get("k")
    asked = [asyncio.create_task(evaluate(redis, ECHO, "k", str(number))) for number in range(200)]
    await asyncio.sleep(0)
    for one in asked[::3]:
        one.cancel()
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert [one for number, one in enumerate(told) if number % 3] == [number for number in range(200) if number % 3]


async def test_answers_are_what_redis_py_makes_of_them(redis: AsyncRedis) -> None:
    assert await redis.get("k") is None
    assert await redis.set("k", "ü\r\n", nx=True, px=60_000) is True
    assert await redis.set("k", "other", nx=True) is None
    assert await redis.get("k") == "ü\r\n"
    assert await redis.set("k", "new", get=True) == "ü\r\n"
    with pytest.raises(ResponseError):
        await evaluate(redis, "return redis.call('NONE')", "k")
    with pytest.raises(ResponseError):
        await evaluate(redis, "no lua", "k")
    assert await evaluate(redis, ECHO, "k", "7") == 7


async def test_more_than_the_system_takes_at_once(redis: AsyncRedis) -> None:
    long = "x" * 20_000_000
    await redis.set("k", long)
    assert await redis.get("k") == long


async def test_an_answer_of_another_kind_goes_redis_pys_way(redis: AsyncRedis) -> None:
    script: Any = redis.eval("return {1, 2}", 0)
    assert await script == [1, 2]
    assert await evaluate(redis, ECHO, "k", "3") == 3


async def test_a_connection_that_the_other_end_has_closed_is_replaced(redis: AsyncRedis, sync_redis: SyncRedis) -> None:
    for number in range(3):
        await redis.set("k", str(number))
        sync_redis.client_kill_filter(_type="normal", skipme=True)
        assert await redis.get("k") == str(number)
        with suppress(RedisConnectionError):  # redis-py's own way, when the loop has not heard of it yet
            await redis.ping()


async def test_who_gets_no_answer_is_told_so_in_time(
    redis_url: str, sync_redis: SyncRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "ANSWER_SECONDS", 0.2)
    redis = connect(redis_url)
    await redis.set("k", "v")
    sync_redis.execute_command("CLIENT", "PAUSE", "2000", "ALL")
    try:
        with pytest.raises(RedisTimeoutError):
            await redis.get("k")
    finally:
        sync_redis.execute_command("CLIENT", "UNPAUSE")
    assert await redis.get("k") == "v"
    await redis.aclose()


async def test_a_server_that_is_away_is_told_and_found_again(redis_url: str) -> None:
    redis = connect("unix:///nonexistent")
    with pytest.raises(RedisConnectionError):
        await redis.get("k")
    await redis.aclose()


def test_an_answer_is_read_when_it_is_complete_and_not_before() -> None:
    said = b"$4\r\na\r\nb\r\n:-7\r\n$-1\r\n+OK\r\n_\r\n-MISCONF no\r\n"
    at, found = 0, []
    for end in range(len(said) + 1):
        while (one := answer_at(bytearray(said[:end]), at)) is not None:
            found.append(one[0])
            at = one[1]
    assert [str(one) for one in found] == ["a\r\nb", "-7", "None", "OK", "None", "MISCONF no"]
    with pytest.raises(ValueError, match="another kind"):
        answer_at(bytearray(b"*1\r\n"), 0)
