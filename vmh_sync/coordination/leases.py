"""Leases: at most one writer per record, and a dead one is replaced (sync-semantics.md 3, design.md 3 invariant 4)."""

import asyncio
import logging
import random
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from vmh_sync import fence
from vmh_sync.background import carried_out, stop
from vmh_sync.coordination.connection import AsyncRedis, evaluate
from vmh_sync.coordination.errors import CoordinationUnavailable, LeaseLost, translated
from vmh_sync.coordination.process import ProcessId, is_provably_dead
from vmh_sync.watchdog import waiting

_log = logging.getLogger(__name__)

SEPARATOR = "#"
_POLL_SECONDS = (0.02, 0.25)
A_MOMENT = 1 / 30
"""The share of a lease's life for which Redis's answer that it is ours is enough where nothing leaves."""
TOO_LITTLE = 0.2
"""The share of a lease's life that has to be left for a write to be begun at all."""

EXTEND = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0
"""
RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""
REPLACE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  return 1
end
return 0
"""


def now() -> float:
    """Return seconds that also pass while this process, or this machine, is stopped."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def wall() -> float:
    """Return the seconds by which Redis reckons: a clock that is put forward ends keys early."""
    return time.time()


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment on both clocks."""

    elapsed: float
    wall: float

    @classmethod
    def present(cls) -> "Moment":
        """Return this moment."""
        return cls(now(), wall())

    def seconds_since(self, earlier: "Moment") -> float:
        """Return how much time may have passed since then, on whichever clock more did."""
        return max(self.elapsed - earlier.elapsed, self.wall - earlier.wall)


@dataclass(slots=True, eq=False)
class Lease:
    """A lease that is held. Call :meth:`ensure` before every foreign write; while it is held it fences all of them.

    ``_asked`` is the last moment before Redis granted the full time: the key over there lives at least as long as that
    time from then on.
    """

    name: str
    _key: str
    _token: str
    _seconds: float
    _redis: AsyncRedis
    _asked: Moment | None = field(default=None)
    _lost: bool = field(default=False)
    _ended: bool = field(default=False)

    async def ensure(self) -> None:
        """Prolong the lease by its full time. Raises LeaseLost when it is not ours any more or Redis cannot tell."""
        self._check()
        asked = Moment.present()
        try:
            with translated():
                held = await evaluate(self._redis, EXTEND, self._key, self._token, self.milliseconds)
        except CoordinationUnavailable as error:
            raise LeaseLost(f"the lease {self.name} cannot be confirmed: {error}") from None
        self._check()
        if not held:
            self._lost = True
            raise LeaseLost(f"the lease {self.name} ran out or was taken over")
        self.held_since(asked)

    async def confirm(self) -> None:
        """Ask as :meth:`ensure` does, unless Redis has said a moment ago that it is ours. Before a write, ensure."""
        self._check()
        if self._asked is None or Moment.present().seconds_since(self._asked) > self._seconds * A_MOMENT:
            await self.ensure()

    def seconds_left(self) -> float:
        """Return how long a write may take that leaves now; raises LeaseLost when it must not leave any more."""
        self._check()
        left = self._seconds - Moment.present().seconds_since(self._asked) if self._asked is not None else 0.0
        if left < self._seconds * TOO_LITTLE:
            raise LeaseLost(f"too little is left of the lease {self.name} for a write")
        return left

    def held_since(self, asked: Moment) -> None:
        """Take note that Redis granted the full time, asked at ``asked``."""
        if self._asked is None or asked.elapsed >= self._asked.elapsed:
            self._asked = asked

    def end(self) -> None:
        """Take note that the block is over: nothing leaves under this lease any more, and it is not renewed."""
        self._ended = True

    @property
    def milliseconds(self) -> str:
        """The lease's life as Redis takes it."""
        return str(max(1, round(self._seconds * 1000)))

    @property
    def lost(self) -> bool:
        """True as soon as the loss was noticed; only :meth:`ensure` gives certainty."""
        return self._lost

    @property
    def ended(self) -> bool:
        """True when nobody needs it any more."""
        return self._ended

    def _check(self) -> None:
        if self._lost:
            raise LeaseLost(f"the lease {self.name} was lost")
        if self._ended:
            raise LeaseLost(f"the lease {self.name} was given back")


class Leases:
    """Hands out leases by name.

    Takes a Redis client, the life of a lease in seconds, and the owner, by default this process. A lease is renewed
    in the background every third of its life. A holder that is certainly dead (same host and boot, process gone) is
    replaced at once; any other after its lease has run out. ``guard`` is asked before any lease is taken; what it
    raises, :meth:`hold` raises.
    """

    def __init__(
        self,
        redis: AsyncRedis,
        seconds: float,
        owner: str | None = None,
        *,
        guard: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        if seconds <= 0:
            raise ValueError("a lease needs a life of more than 0 seconds")
        self._redis = redis
        self._seconds = seconds
        self._owner = owner
        self._guard = guard

    @asynccontextmanager
    async def hold(self, name: str, wait: float = 0) -> AsyncIterator[Lease | None]:
        """Hold the lease ``name`` during the block; None when it is still somebody else's after ``wait`` seconds.

        Raises CoordinationUnavailable when Redis does not answer. At the end the lease is released if it is still ours.
        """
        await self.ask_guard()
        token = f"{self._owner or ProcessId.own()}{SEPARATOR}{secrets.token_hex(8)}"
        lease = Lease(name, lease_key(name), token, self._seconds, self._redis)
        held = False
        try:
            with waiting(wait):
                held = await self._acquire(lease, wait)
        finally:
            if not held:
                # Also when cancelled: the request may have reached Redis although its answer did not reach us.
                await carried_out(self._release(lease))
        if not held:
            yield None
            return
        renewal = asyncio.create_task(self._renew(lease))
        fence.put_up(lease)
        try:
            yield lease
        finally:
            fence.take_down(lease)
            lease.end()
            await carried_out(self._give_back(lease, renewal))

    async def _give_back(self, lease: Lease, renewal: "asyncio.Task[None]") -> None:
        await stop(renewal)
        await self._release(lease)

    async def ask_guard(self) -> None:
        """Ask whether leases may be taken at all; raises what the guard raises. A run asks before it begins."""
        if self._guard is not None:
            await self._guard()

    async def holder(self, name: str) -> str | None:
        """Return the owner of a lease (host, boot, process; no personal data), None if it can be had.

        A process that is certainly gone holds nothing: whoever asks first must not leave its records alone.
        """
        with translated():
            token = await self._redis.get(lease_key(name))
        return str(token).rpartition(SEPARATOR)[0] if token and not owner_is_dead(str(token)) else None

    async def _acquire(self, lease: Lease, wait: float) -> bool:
        deadline = asyncio.get_running_loop().time() + wait
        pause = _POLL_SECONDS[0]
        while not await self._try(lease):
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return False
            # Uneven pauses, so that many waiters do not ask in step.
            await asyncio.sleep(min(left, pause * (0.5 + random.random())))  # noqa: S311 - not a secret
            pause = min(pause * 2, _POLL_SECONDS[1])
        return True

    async def _try(self, lease: Lease) -> bool:
        asked = Moment.present()
        held = await self._ask(lease)
        if held:
            lease.held_since(asked)
        return held

    async def _ask(self, lease: Lease) -> bool:
        with translated():
            if await self._redis.set(lease._key, lease._token, nx=True, px=int(lease.milliseconds)):
                return True
            current = await self._redis.get(lease._key)
            if current == lease._token:
                return True  # the client repeated the request after its first answer was lost
            if not isinstance(current, str) or not owner_is_dead(current):  # text, as the connection decodes
                return False
            replaced = await evaluate(self._redis, REPLACE, lease._key, current, lease._token, lease.milliseconds)
        if replaced:
            _log.warning("lease %s taken over from a process that is gone", lease.name)
        return bool(replaced)

    async def _renew(self, lease: Lease) -> None:
        # The flag besides the cancel: a cancel may be swallowed below (see vmh_sync.background).
        while True:
            await asyncio.sleep(self._seconds / 3)
            if lease.ended:
                return
            try:
                await lease.ensure()
            except LeaseLost:
                if lease.lost:
                    _log.warning("lease %s was lost", lease.name)
                    return
                # Redis did not answer: it may again before the lease runs out.

    async def _release(self, lease: Lease) -> None:
        try:
            with translated():
                await evaluate(self._redis, RELEASE, lease._key, lease._token)
        except CoordinationUnavailable:
            _log.warning("lease %s could not be released, it runs out by itself", lease.name)


def lease_key(name: str) -> str:
    """Return the key of a lease in Redis."""
    return f"vmh:lease:{name}"


def owner_is_dead(token: str) -> bool:
    """Tell whether the process that wrote a lease's token is certainly gone."""
    process = ProcessId.parse(token.rpartition(SEPARATOR)[0])
    return process is not None and is_provably_dead(process)
