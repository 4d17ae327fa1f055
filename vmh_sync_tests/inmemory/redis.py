"""A Redis in memory, on virtual time, as far as the product uses one.

The product's scripts are known by their text and done here in Python; an unknown one is an error of the test.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from redis.exceptions import ConnectionError as RedisConnectionError

from vmh_sync.coordination import allowance, circuits, leases


@dataclass
class Memory:
    """What all clients of one Redis share. ``clock`` tells seconds; ``away``: nobody reaches it."""

    clock: Callable[[], float]
    values: dict[str, tuple[str, float | None]] = field(default_factory=dict)
    away: bool = False

    def get(self, key: str) -> str | None:
        """Return the living value of a key."""
        self._reachable()
        value, ends = self.values.get(key, (None, None))
        if value is not None and ends is not None and ends <= self.clock():
            del self.values[key]
            return None
        return value

    def set(self, key: str, value: str, *, px: int | None = None, nx: bool = False) -> bool | None:
        """Set a key, with ``nx`` only where there is none."""
        if nx and self.get(key) is not None:
            return None
        self._reachable()
        self.values[key] = (str(value), None if px is None else self.clock() + px / 1000)
        return True

    def delete(self, *keys: str) -> int:
        """Remove keys."""
        self._reachable()
        return sum(self.values.pop(key, None) is not None for key in keys)

    def eval(self, script: str, number: int, key: str, *arguments: str) -> int:
        """Do what one of the product's scripts does."""
        del number
        self._reachable()
        return _SCRIPTS[script](self, key, *arguments)

    def _reachable(self) -> None:
        if self.away:
            raise RedisConnectionError("away")


def _extend(memory: Memory, key: str, token: str, milliseconds: str) -> int:
    if memory.get(key) != token:
        return 0
    memory.set(key, token, px=int(milliseconds))
    return 1


def _release(memory: Memory, key: str, token: str) -> int:
    return memory.delete(key) if memory.get(key) == token else 0


def _replace(memory: Memory, key: str, known: str, token: str, milliseconds: str) -> int:
    if memory.get(key) != known:
        return 0
    memory.set(key, token, px=int(milliseconds))
    return 1


def _swap(memory: Memory, key: str, known: str, new: str, milliseconds: str) -> int:
    if (memory.get(key) or "") != known:
        return 0
    memory.set(key, new, px=int(milliseconds))
    return 1


_SCRIPTS: dict[str, Callable[..., int]] = {
    leases.EXTEND: _extend,
    leases.RELEASE: _release,
    leases.REPLACE: _replace,
    circuits._SWAP: _swap,
    allowance._TAKE: lambda memory, key, *arguments: 1,
}


class AsyncClient:
    """A client for coroutines."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def get(self, key: str) -> str | None:
        return self._memory.get(key)

    async def set(self, key: str, value: str, **how: Any) -> bool | None:
        return self._memory.set(key, value, **how)

    async def delete(self, *keys: str) -> int:
        return self._memory.delete(*keys)

    async def eval(self, script: str, number: int, key: str, *arguments: str) -> int:
        return self._memory.eval(script, number, key, *arguments)

    async def aclose(self) -> None:
        """Nothing is open."""


class SyncClient(Memory):
    """A client for threads: the memory itself."""
