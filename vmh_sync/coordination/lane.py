"""Commands of many coroutines over one connection to Redis, answered in their order.

Through redis-py's pool a command takes several times as much CPU: a connection is taken, looked at, read from with a
timer of its own and put back. A lease asks before each write, a login before each call. redis-py still makes
the connection (addresses, TLS, login).
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from redis._parsers import BaseParser
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

_END = b"\r\n"
_error: Any = BaseParser.parse_error


class Asked(NamedTuple):
    """A command that was sent: until when its answer is waited for, and who waits."""

    until: float
    told: "asyncio.Future[Any]"


class Lane(asyncio.Protocol):
    """A connection that takes the next command before the last one is answered."""

    def __init__(self, connection: Any, seconds: float) -> None:
        self._connection = connection  # redis-py closes what nobody holds
        self._transport: asyncio.Transport = connection._writer.transport
        self._before = self._transport.get_protocol()
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._asked: deque[Asked] = deque()
        self._unread = bytearray()
        self._watch: asyncio.TimerHandle | None = None
        self._transport.set_protocol(self)

    @classmethod
    async def open(cls, connection: Any, seconds: float) -> "Lane":
        """Connect. ``seconds``: how long an answer is waited for. Raises what redis-py raises."""
        await connection.connect()
        return cls(connection, seconds)

    @property
    def stands(self) -> bool:
        """Whether a command can be sent."""
        return not self._transport.is_closing()

    async def ask(self, command: Sequence[object]) -> Any:
        """Return the answer to a command; one that refuses it is returned as the error, not raised.

        Raises redis-py's ``ConnectionError`` or ``TimeoutError``: then it may have been carried out or not.
        """
        told = self._loop.create_future()
        self._asked.append(Asked(self._loop.time() + self._seconds, told))
        self._transport.write(packed(command))
        if self._watch is None:
            self._watch = self._loop.call_later(self._seconds, self._look)
        return await told

    async def aclose(self) -> None:
        """Close the connection."""
        await self._connection.disconnect(nowait=True)

    def data_received(self, data: bytes) -> None:
        """Tell the answers that are complete by now. See ``asyncio.Protocol``."""
        self._unread += data
        at = 0
        try:
            while at < len(self._unread) and (found := answer_at(self._unread, at)) is not None:
                value, at = found
                told = self._asked.popleft().told
                if not told.done():
                    told.set_result(value)
        except (ValueError, IndexError):  # nothing that these commands are answered with, or asked for by nobody
            self._end(RedisConnectionError)
        del self._unread[:at]

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.Protocol``."""
        self._end(RedisConnectionError)
        self._before.connection_lost(exc)

    def _look(self) -> None:
        self._watch = None
        if not self._asked:
            return
        left = self._asked[0].until - self._loop.time()
        if left <= 0:
            self._end(RedisTimeoutError)
        else:
            self._watch = self._loop.call_later(left, self._look)

    def _end(self, error: type[RedisError]) -> None:
        asked, self._asked = self._asked, deque()
        for _, told in asked:
            if not told.done():
                told.set_exception(error("the connection to Redis broke"))
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        self._transport.abort()


def packed(command: Sequence[object]) -> bytes:
    """Return a command as Redis takes it."""
    texts = [str(part).encode() for part in command]
    return b"".join((b"*%d\r\n" % len(texts), *(b"$%d\r\n%b\r\n" % (len(text), text) for text in texts)))


def answer_at(read: bytearray, at: int) -> tuple[Any, int] | None:
    """Return the answer that begins there and where it ends; ``None`` while it is not complete.

    Raises ValueError for what neither a text nor a number nor an error nor nothing is.
    """
    end = read.find(_END, at)
    if end < 0:
        return None
    kind, line, after = read[at : at + 1], bytes(read[at + 1 : end]), end + 2
    if kind == b"$":
        size = int(line)
        if size < 0:
            return None, after
        whole = after + size + 2
        return (read[after : after + size].decode(), whole) if len(read) >= whole else None
    if kind == b":":
        return int(line), after
    if kind == b"+":
        return line.decode(), after
    if kind == b"_":
        return None, after
    if kind == b"-":
        return _error(line.decode()), after
    raise ValueError("an answer of another kind")
