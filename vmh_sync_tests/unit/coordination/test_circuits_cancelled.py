"""Who is cancelled while it asks for leave to try a login."""

import asyncio
from contextlib import suppress

from vmh_sync.clock import SystemClock
from vmh_sync.coordination.circuits import SharedCircuits
from vmh_sync.coordination.connection import AsyncRedis
from vmh_sync.systems.circuit import LoginCircuit


async def test_who_is_cancelled_before_its_leave_is_told_holds_nobody_back(redis: AsyncRedis) -> None:
    class Slow(SharedCircuits):
        async def swap(self, name: str, known: str | None, new: str) -> bool:
            done = await super().swap(name, known, new)
            reached.set()
            await asyncio.sleep(0)
            return done

    reached = asyncio.Event()
    entering = asyncio.create_task(LoginCircuit("advoware:1", SystemClock(), Slow(redis)).enter())
    await reached.wait()
    entering.cancel()
    with suppress(asyncio.CancelledError):
        await entering
    async with asyncio.timeout(5):
        assert await LoginCircuit("advoware:1", SystemClock(), SharedCircuits(redis)).enter()
