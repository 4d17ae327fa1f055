"""When the gateway rings for what waits."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from vmh_sync.coordination.doorbell import Doorbell
from vmh_sync.gateway.launches.launch import Launcher, Run
from vmh_sync.gateway.launches.launch_debouncer import CROWD_SECONDS, LaunchDebouncer
from vmh_sync.orchestration.run_tags import Trigger
from vmh_sync_tests.inmemory.loop import Process, VirtualLoop


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
        for _ in range(5):
            gathering.notice("beteiligte")
        await gathering.finish()
        assert bell.rings == expected


CLAIMS_AFTER, ENDS_AFTER = 0.4, 1.2
"""Seconds of a run on two cores."""


@dataclass
class House:
    """Dagster and the bell on virtual time: a run silences the bell when it claims, and ends by itself."""

    rung: bool = False
    launched: list[float] = field(default_factory=list)
    under_way: list[Run] = field(default_factory=list)
    most_under_way: int = 0

    async def ring(self, entity: str, ttl: float) -> bool:
        del entity, ttl
        before, self.rung = self.rung, True
        return not before

    async def active_runs(self, job: str) -> Sequence[Run]:
        del job
        return self.under_way

    async def launch(self, job: str, config: Mapping[str, Any], trigger: Trigger, tags: Mapping[str, str]) -> str:
        del config, trigger
        loop = asyncio.get_running_loop()
        self.launched.append(loop.time())
        run = Run(f"{job}{len(self.launched)}", "STARTING", tags=tags)
        self.under_way.append(run)
        self.most_under_way = max(self.most_under_way, len(self.under_way))
        loop.call_later(CLAIMS_AFTER, self._claims, run)
        return run.run_id

    def _claims(self, run: Run) -> None:
        self.rung = False
        place = self.under_way.index(run)
        self.under_way[place] = at_work = replace(run, status="STARTED")
        asyncio.get_running_loop().call_later(ENDS_AFTER - CLAIMS_AFTER, self.under_way.remove, at_work)


def launches(*deliveries: tuple[float, int]) -> list[float]:
    """Return when runs are launched."""
    return house_after(*deliveries).launched


def house_after(*deliveries: tuple[float, int]) -> House:
    """Return how it went with deliveries at their moments, of so many events each."""
    house, loop = House(), VirtualLoop(random.Random(1))

    async def gateway() -> None:
        ringing = LaunchDebouncer(cast("Any", house), cast("Any", house))
        for at, events in deliveries:
            await asyncio.sleep(at - loop.time())
            ringing.notice("beteiligte", events)
        await ringing.finish()

    loop.run_for(Process("gateway"), gateway())
    loop.bury()
    return house


def test_a_burst_launches_one_run_in_two_seconds_however_it_is_cut_into_deliveries() -> None:
    seconds = 10
    for rate, events in ((50, 50), (500, 5), (200, 1)):
        burst = [(number / rate, events) for number in range(rate * seconds)]
        assert len(launches(*burst)) <= seconds / CROWD_SECONDS + 2


def test_edits_that_people_type_are_launched_at_once_whoever_typed_before_them() -> None:
    typed = [(number * 0.75, 1) for number in range(20)]
    assert launches(*typed) == [at for at, _ in typed]


def test_a_program_that_changes_three_records_a_second_leaves_the_bulk_lane_its_place() -> None:
    """Until it counts as a crowd it may take both places of the entity; from then on one."""
    changes = [(2 + number / 3, 1) for number in range(3 * 600)]
    assert house_after((0, 50), *changes).most_under_way == 1


@pytest.mark.parametrize("after", [2.01, 2.1, 2.5, 3.5, 5.0, 12.0])
def test_an_edit_after_a_burst_waits_two_seconds_at_most_and_soon_not_at_all(after: float) -> None:
    burst = [(number / 50, 50) for number in range(100)]
    claims = [at + CLAIMS_AFTER for at in launches(*burst, (after, 1))]
    waited = min(claim for claim in claims if claim >= after) - after
    assert waited <= CLAIMS_AFTER + (CROWD_SECONDS if after < 4 else 0) + 1e-6


def test_ten_seconds_after_a_burst_edits_are_launched_as_ever() -> None:
    burst = [(number / 50, 50) for number in range(100)]
    assert launches(*burst, (12.5, 1), (13.25, 1))[-2:] == [12.5, 13.25]
