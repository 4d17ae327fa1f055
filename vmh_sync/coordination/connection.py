"""Connecting to Redis or Valkey."""

import asyncio
from collections.abc import Iterable
from typing import Any

import redis
import redis.asyncio

from vmh_sync.coordination.errors import translated

AsyncRedis = redis.asyncio.Redis
SyncRedis = redis.Redis

_SCHEMES = ("redis://", "rediss://", "unix://")


def connect(url: str) -> AsyncRedis:
    """Return a client for coroutines; it connects when first used and belongs to one event loop.

    Takes ``redis://``, ``rediss://`` or ``unix://`` URLs; raises ValueError for others. Close with ``aclose()``.
    """
    client: AsyncRedis = _Straight.from_url(_checked(url), **_options())
    pool = client.connection_pool
    pool.connection_class = _prompt(pool.connection_class)
    return client


class _Straight(AsyncRedis):
    """A client that takes an idle connection that stands as it is: the way through redis-py's pool costs as much again.

    A command that fails is tried again by redis-py's rules, on the same connection, made anew. So is one that the other
    end has let go meanwhile (a restart, its own time-out), or on which something stands that nobody has asked for. What
    the pool has to do (make a connection, refuse one too many, log in anew) stays with it.
    """

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """See ``Redis``."""
        straight: Any = self
        pool = straight.connection_pool
        idle = pool._available_connections
        if not idle or not idle[-1].is_connected or idle[-1].should_reconnect():
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        connection = idle.pop()
        pool._in_use_connections.add(connection)
        try:
            if await connection.can_read():  # only looks at what has arrived
                await connection.disconnect()
            return await connection.retry.call_with_retry(
                lambda: straight._send_command_parse_response(connection, args[0], *args, **options),
                lambda _: connection.disconnect(),
            )
        finally:
            pool._in_use_connections.discard(connection)
            idle.append(connection)


class _Prompt:
    """A connection that hands a command to the system at once: redis-py would start a task for it, with a timer.

    Only where the system does not take all of it something is waited for, as redis-py does. That the other end has let
    go is told by the read that follows. Mixed into redis-py's class, whose writer has no public name (hence the ignored
    types below): ``test_prompt_connection.py`` says what an upgrade would break.
    """

    __slots__ = ()

    async def send_packed_command(self: Any, command: bytes | str | Iterable[bytes], check_health: bool = True) -> None:
        """See ``AbstractConnection``."""
        due = check_health and asyncio.get_running_loop().time() > self.next_health_check
        if due or not self.is_connected or isinstance(command, bytes | str):
            await super().send_packed_command(command, check_health)  # type: ignore[misc]
            return
        self._writer.writelines(command)
        if self._writer.transport.get_write_buffer_size():
            await super().send_packed_command((), check_health=False)  # type: ignore[misc]


def _prompt(kind: Any) -> Any:
    return type(f"Prompt{kind.__name__}", (_Prompt, kind), {})


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
        "socket_timeout": 5.0,
        "health_check_interval": 30,
        # For each connection redis-py would look up its own version among the installed packages (5 ms), only to tell
        # it to the server, in two more commands.
        "driver_info": None,
    }
