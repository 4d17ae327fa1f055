"""Connecting to Redis or Valkey."""

from typing import Any

import redis
import redis.asyncio
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from vmh_sync.coordination.errors import translated
from vmh_sync.coordination.lane import Lane

AsyncRedis = redis.asyncio.Redis
SyncRedis = redis.Redis

ANSWER_SECONDS = 5.0
_SHORT = frozenset({"GET", "SET", "EVAL"})
"""Commands that are asked before each call or write and answered with one word."""
_SCHEMES = ("redis://", "rediss://", "unix://")


def connect(url: str) -> AsyncRedis:
    """Return a client for coroutines; it connects when first used and belongs to one event loop.

    Takes ``redis://``, ``rediss://`` or ``unix://`` URLs; raises ValueError for others. Close with ``aclose()``.
    """
    return Client.from_url(_checked(url), **_options())


_long_way: Any = AsyncRedis.execute_command


class Client(AsyncRedis):
    """redis-py's client, whose short commands take the short way (``lane``)."""

    _lane: Lane | None = None
    _opening = False

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """See ``redis.asyncio.Redis``. What a connection that broke took along is sent once more."""
        if args[0] not in _SHORT or options.keys() - {"keys"} or self._opening:
            return await _long_way(self, *args, **options)
        try:
            answer = await (await self._open_lane()).ask(args)
            if isinstance(answer, RedisError):
                raise answer
        except RedisConnectionError:
            return await _long_way(self, *args, **options)
        told = self.response_callbacks.get(args[0])
        return told(answer) if told is not None else answer

    async def _open_lane(self) -> Lane:
        if self._lane is None or not self._lane.stands:
            self._opening = True
            try:
                pool: Any = self.connection_pool
                self._lane = await Lane.open(pool.make_connection(), ANSWER_SECONDS)
            finally:
                self._opening = False
        return self._lane

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """See ``redis.asyncio.Redis``."""
        if self._lane is not None:
            await self._lane.aclose()
        await super().aclose(close_connection_pool)


def connect_sync(url: str) -> SyncRedis:
    """Return a client for threads (the Google client's world). Same URLs as :func:`connect`. Close with ``close()``."""
    return SyncRedis.from_url(_checked(url), **_options())


async def prove_writable(client: AsyncRedis) -> None:
    """Write a key that is gone a moment later: a full Redis answers, and takes nothing.

    Raises CoordinationUnavailable.
    """
    with translated():
        await client.set("vmh:writable", "1", ex=5)


async def evaluate(client: AsyncRedis, script: str, key: str, *arguments: str) -> int:
    """Run a Lua script on one key and return its number."""
    answer: Any = client.eval(script, 1, key, *arguments)
    return int(await answer)


def evaluate_sync(client: SyncRedis, script: str, key: str, *arguments: str) -> int:
    """Run a Lua script on one key and return its number."""
    answer: Any = client.eval(script, 1, key, *arguments)
    return int(answer)


def _checked(url: str) -> str:
    if not url.startswith(_SCHEMES):
        scheme = url.split(":", 1)[0]
        raise ValueError(f"REDIS_URL: only redis://, rediss:// and unix:// are supported, not {scheme!r}")
    return url


def _options() -> dict[str, Any]:
    return {
        "decode_responses": True,
        "socket_connect_timeout": 3.0,
        "socket_timeout": ANSWER_SECONDS,
        "health_check_interval": 30,
        # For each connection redis-py would look up its own version among the installed packages (5 ms), only to tell
        # it to the server, in two more commands.
        "driver_info": None,
    }
