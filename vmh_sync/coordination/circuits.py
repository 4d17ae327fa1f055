"""The states of circuits in Redis, so that all processes share them; while Redis is away each process has its own."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from vmh_sync.coordination.connection import AsyncRedis, SyncRedis, evaluate, evaluate_sync
from vmh_sync.coordination.errors import CoordinationUnavailable, translated
from vmh_sync.coordination.process import ProcessId, is_provably_dead

T = TypeVar("T")

KEPT_MILLISECONDS = 2 * 24 * 3600 * 1000
"""Longer than any pause; a login that nobody has used for two days is unknown again."""
ALONE_SECONDS = 15.0
"""How long Redis is not asked again after it did not answer, so that no call waits for its time-out each time."""
SEEN_SECONDS = 0.05
"""How long a look of coroutines counts: as long as an answer is on its way in any case, so that no more bad logins can
come together than those of the calls under way. What this process itself is told or writes counts at once.
"""
_NEVER = (float("-inf"), None)
"""No look, whenever the clock began to count."""

_SWAP = """
local stored = redis.call('GET', KEYS[1])
if (stored or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""


class SharedCircuits:
    """Stores states in Redis by compare and swap.

    Takes the client for coroutines, the one for threads, or both, according to the methods used; without the one that
    is needed, or while Redis does not answer, states live in this process alone.
    """

    def __init__(self, redis: AsyncRedis | None, sync_redis: SyncRedis | None = None) -> None:
        self._redis = redis
        self._sync_redis = sync_redis
        self._alone: dict[str, str] = {}
        self._alone_until = 0.0
        self._seen: dict[str, tuple[float, str | None]] = {}
        self._moved: dict[str, float] = {}
        """When something was last changed, or may have been, so that no look from before counts."""

    async def load(self, name: str) -> str | None:
        """Return the stored text, None when there is none; it may be :data:`SEEN_SECONDS` old."""
        if self._redis is None or self._is_alone():
            return self._alone.get(name)
        asked = time.monotonic()
        seen_at, seen = self._seen.get(name, _NEVER)
        if asked - seen_at < SEEN_SECONDS:
            return seen
        try:
            with translated():
                text = _text(await self._redis.get(circuit_key(name)))
        except CoordinationUnavailable:
            return self._go_alone(lambda: self._alone.get(name))
        if asked > max(self._seen.get(name, _NEVER)[0], self._moved.get(name, _NEVER[0])):
            self._seen[name] = asked, text
        return text

    async def swap(self, name: str, known: str | None, new: str) -> bool:
        """Store ``new`` if ``known`` is still what is stored."""
        if self._redis is None or self._is_alone():
            return self._swap_alone(name, known, new)
        done = False
        try:
            with translated():
                done = await evaluate(self._redis, _SWAP, *_arguments(name, known, new)) == 1
        except CoordinationUnavailable:
            return self._go_alone(lambda: self._swap_alone(name, self._alone.get(name), new))
        finally:
            # Whoever is cancelled in between has changed it, perhaps, and asks Redis what it has to take back.
            self._moved[name] = time.monotonic()
            self._seen.pop(name, None)
            if done:
                self._seen[name] = self._moved[name], new
        return self._remember(name, new, done=done)

    def load_sync(self, name: str) -> str | None:
        """Do what :meth:`load` does, in a thread."""
        if self._sync_redis is None or self._is_alone():
            return self._alone.get(name)
        try:
            with translated():
                return _text(self._sync_redis.get(circuit_key(name)))
        except CoordinationUnavailable:
            return self._go_alone(lambda: self._alone.get(name))

    def swap_sync(self, name: str, known: str | None, new: str) -> bool:
        """Do what :meth:`swap` does, in a thread."""
        if self._sync_redis is None or self._is_alone():
            return self._swap_alone(name, known, new)
        try:
            with translated():
                done = evaluate_sync(self._sync_redis, _SWAP, *_arguments(name, known, new)) == 1
        except CoordinationUnavailable:
            return self._go_alone(lambda: self._swap_alone(name, self._alone.get(name), new))
        return self._remember(name, new, done=done)

    def owner(self) -> str:
        """Return this process's identity."""
        return str(ProcessId.own())

    def is_gone(self, owner: str) -> bool:
        """Tell whether that process certainly exists no more."""
        process = ProcessId.parse(owner)
        return process is not None and is_provably_dead(process)

    def _is_alone(self) -> bool:
        return time.monotonic() < self._alone_until

    def _go_alone(self, otherwise: Callable[[], T]) -> T:
        self._alone_until = time.monotonic() + ALONE_SECONDS
        return otherwise()

    def _swap_alone(self, name: str, known: str | None, new: str) -> bool:
        if self._alone.get(name) != known:
            return False
        self._alone[name] = new
        return True

    def _remember(self, name: str, new: str, *, done: bool) -> bool:
        # What this process wrote last is what it goes on with while Redis is away.
        if done:
            self._alone[name] = new
        return done


async def circuit_texts(redis: AsyncRedis, names: Sequence[str]) -> list[str | None]:
    """Return the stored states of some circuits, for whoever watches. Raises CoordinationUnavailable."""
    with translated():
        return [_text(await redis.get(circuit_key(name))) for name in names]


async def circuit_names(redis: AsyncRedis, system: str) -> list[str]:
    """Return the names of all circuits of one system. Raises CoordinationUnavailable."""
    prefix = circuit_key("")
    with translated():
        return [str(key).removeprefix(prefix) async for key in redis.scan_iter(match=f"{prefix}{system}:*", count=500)]


def circuit_key(name: str) -> str:
    """Return the key of a circuit in Redis."""
    return f"vmh:circuit:{name}"


def _arguments(name: str, known: str | None, new: str) -> tuple[str, str, str, str]:
    return circuit_key(name), known or "", new, str(KEPT_MILLISECONDS)


def _text(answer: object) -> str | None:
    return str(answer) if answer is not None else None
