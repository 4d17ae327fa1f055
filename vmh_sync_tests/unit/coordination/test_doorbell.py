"""The doorbell: one launch for many events."""

import asyncio

from vmh_sync.coordination.connection import AsyncRedis
from vmh_sync.coordination.doorbell import Doorbell


async def test_one_of_many_rings_launches(redis: AsyncRedis) -> None:
    bell = Doorbell(redis)
    rings = await asyncio.gather(*(bell.ring("beteiligte", 20) for _ in range(20)))
    assert sorted(rings) == [False] * 19 + [True]
    assert await bell.ring("adressen", 20)


async def test_after_silence_it_rings_again(redis: AsyncRedis) -> None:
    bell = Doorbell(redis)
    assert await bell.ring("beteiligte", 20)
    await bell.silence("beteiligte")
    assert await bell.ring("beteiligte", 20)


async def test_a_bell_nobody_answers_stops_by_itself(redis: AsyncRedis) -> None:
    bell = Doorbell(redis)
    await bell.ring("beteiligte", 20)
    assert 15_000 < await redis.pttl("vmh:bell:beteiligte") <= 20_000
