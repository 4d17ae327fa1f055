"""When the gateway rings for what waits."""

import asyncio
from typing import cast

from vmh_sync.coordination.doorbell import Doorbell
from vmh_sync.gateway.launches.launch import Launcher
from vmh_sync.gateway.launches.launch_debouncer import LaunchDebouncer


class Bell:
    """Counts; somebody else launches."""

    def __init__(self) -> None:
        self.rings = 0
        self.rung = asyncio.Event()

    async def ring(self, entity: str, ttl: float) -> bool:
        del entity, ttl
        self.rings += 1
        self.rung.set()
        return False


def debouncer(bell: Bell, gather_seconds: float) -> LaunchDebouncer:
    return LaunchDebouncer(cast("Doorbell", bell), cast("Launcher", None), gather_seconds)


async def test_the_first_event_waits_for_nobody() -> None:
    bell = Bell()
    debouncer(bell, 3600).notice("beteiligte")
    async with asyncio.timeout(60):
        await bell.rung.wait()


async def test_what_comes_within_the_time_after_a_ring_costs_one_more() -> None:
    bell = Bell()
    gathering = debouncer(bell, 0.05)
    for expected in (1, 2):
        for _ in range(20):
            gathering.notice("beteiligte")
        await gathering.finish()
        assert bell.rings == expected
