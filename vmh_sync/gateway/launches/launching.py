"""Opens what launches runs: the way to Dagster, and the bell before it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from vmh_sync.clock import Clock
from vmh_sync.coordination.connection import AsyncRedis
from vmh_sync.coordination.doorbell import Doorbell
from vmh_sync.engine.installation.held_logins import held_back_logins
from vmh_sync.engine.installation.installation_mark import installation_mark
from vmh_sync.engine.passes.opening import PassSettings
from vmh_sync.entities import KALENDER
from vmh_sync.gateway.launches.launch import Launcher
from vmh_sync.gateway.launches.launch_debouncer import LaunchDebouncer
from vmh_sync.kalender.calendars import Calendars
from vmh_sync.orchestration.run_tags import Trigger

DAGSTER_SECONDS = 20.0


@asynccontextmanager
async def open_launcher(settings: PassSettings) -> AsyncIterator[Launcher]:
    """Make a launcher with connections of its own; Dagster need not be up yet."""
    timeout = httpx.Timeout(DAGSTER_SECONDS, connect=3.0)
    async with httpx.AsyncClient(base_url=settings.house.dagster_url, timeout=timeout, trust_env=False) as http:
        yield Launcher(http, installation_mark(settings.house))


def make_debouncer(
    redis: AsyncRedis | None, launcher: Launcher, settings: PassSettings, clock: Clock, trigger: Trigger
) -> LaunchDebouncer:
    """Make the debouncer of a process; without Redis it launches nothing, and the sensor does. ``trigger``: why."""
    if redis is None:
        return LaunchDebouncer(None, launcher, trigger=trigger)

    async def held_back() -> bool:
        refused = await held_back_logins(redis, settings.advoware, settings.espocrm, clock)
        return any(login.system != "google" for login in refused)

    configs = {KALENDER.name: Calendars(rung=True).run_config()}
    return LaunchDebouncer(Doorbell(redis), launcher, held_back=held_back, trigger=trigger, configs=configs)
