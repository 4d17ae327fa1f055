"""One login token for all processes: however many callers see a 401, one of them asks for a new one."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from vmh_sync.coordination.connection import AsyncRedis
from vmh_sync.coordination.errors import CoordinationUnavailable, translated
from vmh_sync.coordination.leases import Leases

T = TypeVar("T")

_LOCK_SECONDS = 15.0
PATIENCE_SECONDS = 120.0
"""How long a caller waits for another one's fetch."""


class SharedToken(Generic[T]):
    """A token kept in Redis.

    ``serialise`` and ``parse`` turn it into text and back (``parse`` raises ValueError or KeyError for text it does
    not know: then there is no token), ``lifetime`` tells for how many seconds it may be kept.
    """

    def __init__(
        self,
        redis: AsyncRedis,
        name: str,
        *,
        serialise: Callable[[T], str],
        parse: Callable[[str], T],
        lifetime: Callable[[T], float],
    ) -> None:
        self._redis = redis
        self._name = name
        self._key = f"vmh:token:{name}"
        self._serialise = serialise
        self._parse = parse
        self._lifetime = lifetime
        self._leases = Leases(redis, _LOCK_SECONDS)
        self._under_way: asyncio.Task[tuple[T, bool]] | None = None

    async def get(self) -> T | None:
        """Return the token all processes share at the moment, None if there is none. Raises CoordinationUnavailable."""
        with translated():
            text = await self._redis.get(self._key)
        if text is None:
            return None
        try:
            return self._parse(str(text))
        except (ValueError, KeyError):
            return None

    async def refresh(self, stale: T | None, fetch: Callable[[], Awaitable[T]]) -> T:
        """Return a token other than ``stale``: the newer one somebody has fetched meanwhile, else ``fetch()``'s.

        At most one fetch runs at a time, over all processes. When it fails, every caller of this process that waited
        for it gets its exception, and the next caller tries again. Raises CoordinationUnavailable when Redis does not
        answer, or when another process did not finish its fetch in time.
        """
        while True:
            if self._under_way is None or self._under_way.done():
                self._under_way = asyncio.create_task(self._newer_than(stale, fetch))
            # Shielded: one caller that gives up must not take the fetch away from the others.
            token, fetched = await asyncio.shield(self._under_way)
            if fetched or stale is None or self._serialise(token) != self._serialise(stale):
                return token

    async def _newer_than(self, stale: T | None, fetch: Callable[[], Awaitable[T]]) -> tuple[T, bool]:
        known = await self._other_than(stale)
        if known is not None:
            return known, False
        async with self._leases.hold(f"token:{self._name}", wait=PATIENCE_SECONDS) as lease:
            if lease is None:
                raise CoordinationUnavailable(f"another process did not finish its request for the token {self._name}")
            known = await self._other_than(stale)
            if known is not None:
                return known, False
            token = await fetch()
            lifetime = self._lifetime(token)
            if lifetime > 0:
                with translated():
                    await self._redis.set(self._key, self._serialise(token), px=max(1, round(lifetime * 1000)))
            return token, True

    async def _other_than(self, stale: T | None) -> T | None:
        current = await self.get()
        if current is None or (stale is not None and self._serialise(current) == self._serialise(stale)):
            return None
        return current
