"""A run's sign of life: a key in Redis that ends by itself when the run's host is lost.

It keeps nobody from anything (leases do that). Whoever looks after runs learns from it that one will never end, long
before its time is up. It is not taken away at the end of an op: the next one of the same run renews it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from vmh_sync.background import stop
from vmh_sync.coordination.connection import AsyncRedis, SyncRedis
from vmh_sync.coordination.errors import CoordinationUnavailable, translated

LASTS_SECONDS = 120
"""For so long a run may be silent: its host may be busy, or between two ops."""

_RENEWED_SECONDS = 20.0


def _key(run_id: str) -> str:
    return f"vmh:run:{run_id}"


def is_silent(redis: SyncRedis, run_id: str) -> bool:
    """Tell whether nothing has been heard of a run. Raises ``CoordinationUnavailable``."""
    with translated():
        return not redis.exists(_key(run_id))


@asynccontextmanager
async def alive(redis: AsyncRedis, run_id: str) -> AsyncIterator[None]:
    """Give the sign during the block. When Redis does not answer, that is for others to tell."""

    async def give() -> None:
        with suppress(CoordinationUnavailable), translated():
            await redis.set(_key(run_id), "1", ex=LASTS_SECONDS)

    async def keep_giving() -> None:
        while True:
            await asyncio.sleep(_RENEWED_SECONDS)
            await give()

    await give()
    renewal = asyncio.create_task(keep_giving())
    try:
        yield
    finally:
        await stop(renewal)
