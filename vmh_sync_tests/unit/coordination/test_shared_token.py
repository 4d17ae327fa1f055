"""The shared token: one login however many callers need it."""

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from vmh_sync.coordination.connection import AsyncRedis, SyncRedis, connect
from vmh_sync.coordination.shared_token import SharedToken


def shared(redis: AsyncRedis, lifetime: float = 60.0) -> SharedToken[str]:
    return SharedToken(redis, "t", serialise=str, parse=str, lifetime=lambda _token: lifetime)


class Login:
    """Counts its calls and answers with ``token 1``, ``token 2``, … once it is allowed to."""

    def __init__(self) -> None:
        self.calls = 0
        self.allowed = asyncio.Event()
        self.asked = asyncio.Event()

    async def __call__(self) -> str:
        self.calls += 1
        self.asked.set()
        await self.allowed.wait()
        return f"token {self.calls}"


def refused(error: Exception) -> Callable[[], Awaitable[str]]:
    async def fetch() -> str:
        raise error

    return fetch


def test_fifty_callers_in_two_processes_make_one_request(sync_redis: SyncRedis, redis_url: str) -> None:
    sync_redis.set("vmh:token:t", "old")
    script = Path(__file__).parent / "token_callers.py"
    processes = [
        subprocess.Popen(
            [sys.executable, str(script), redis_url, "25"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=60)[0].strip().split("|") for process in processes]
    assert answers == [["token 1"] * 25] * 2
    assert sync_redis.get("fetches") == "1"


async def test_who_saw_an_older_refusal_just_takes_the_newer_token(redis: AsyncRedis) -> None:
    await redis.set("vmh:token:t", "newer")
    login = Login()
    assert await shared(redis).refresh("older", login) == "newer"
    assert await shared(redis).refresh(None, login) == "newer"
    assert login.calls == 0
    assert await shared(redis).get() == "newer"


async def test_a_caller_that_joins_with_the_found_token_gets_a_new_one(redis: AsyncRedis) -> None:
    """One caller saw the refusal of an older token, another one that of the stored token."""
    await redis.set("vmh:token:t", "stored")
    token = shared(redis)
    login = Login()
    login.allowed.set()
    results = await asyncio.gather(token.refresh("older", login), token.refresh("stored", login))
    assert [*results] == ["stored", "token 1"]
    assert login.calls == 1


async def test_a_refusal_reaches_every_waiting_caller_after_one_request(redis: AsyncRedis) -> None:
    token = shared(redis)
    calls = 0

    async def fetch() -> str:
        nonlocal calls
        calls += 1
        raise PermissionError("login refused")

    results = await asyncio.gather(*(token.refresh(None, fetch) for _ in range(20)), return_exceptions=True)
    assert [type(result) for result in results] == [PermissionError] * 20
    assert calls == 1
    login = Login()
    login.allowed.set()
    assert await token.refresh(None, login) == "token 1", "the next caller may try again"


async def test_one_caller_that_gives_up_does_not_harm_the_others(redis: AsyncRedis) -> None:
    token = shared(redis)
    login = Login()
    first = asyncio.create_task(token.refresh(None, login))
    await login.asked.wait()
    second = asyncio.create_task(token.refresh(None, login))
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    login.allowed.set()
    assert await second == "token 1"
    assert login.calls == 1


async def test_another_process_waits_for_the_one_that_asks(redis: AsyncRedis, redis_url: str) -> None:
    other_client = connect(redis_url)
    login = Login()
    first = asyncio.create_task(shared(redis).refresh("old", login))
    await login.asked.wait()
    second = asyncio.create_task(shared(other_client).refresh("old", refused(AssertionError("asked twice"))))
    login.allowed.set()
    assert [*await asyncio.gather(first, second)] == ["token 1", "token 1"]
    await other_client.aclose()


async def test_a_server_that_gives_the_same_token_again_is_asked_once(redis: AsyncRedis) -> None:
    login = Login()
    login.allowed.set()
    async with asyncio.timeout(30):
        assert await shared(redis).refresh("token 1", login) == "token 1"
    assert login.calls == 1


async def test_a_token_is_kept_for_its_lifetime(redis: AsyncRedis) -> None:
    login = Login()
    login.allowed.set()
    await shared(redis, lifetime=90).refresh(None, login)
    assert 80_000 < await redis.pttl("vmh:token:t") <= 90_000
    await redis.flushall()
    assert await shared(redis, lifetime=0).refresh(None, login) == "token 2"
    assert await shared(redis).get() is None


async def test_an_unreadable_token_is_none(redis: AsyncRedis) -> None:
    await redis.set("vmh:token:t", "not a number")
    token = SharedToken[int](redis, "t", serialise=str, parse=int, lifetime=lambda _token: 60)
    assert await token.get() is None
