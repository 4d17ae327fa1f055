"""The process of the watch: looks every second, pauses when EspoCRM is away, and lets others watch when it dies.

One watch works for the whole house; further ones stand by and take over when its lease is free. It writes into our
inbox and its own cursor only, so it may be killed at any moment: what was stored is launched by the sensor, what was
not is found by the next look.
"""

import asyncio
import logging
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from vmh_sync.background import stop
from vmh_sync.clock import Clock, SystemClock
from vmh_sync.coordination.connection import AsyncRedis, connect
from vmh_sync.coordination.errors import CoordinationUnavailable
from vmh_sync.coordination.leases import Lease
from vmh_sync.coordination.watch_sign import WatchSign, give_sign, read_sign, take_sign_away
from vmh_sync.engine.passes.opening import PassSettings, open_context
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.entities import UnusableEntity, add_packages, with_records
from vmh_sync.gateway.launches.launch_debouncer import LaunchDebouncer
from vmh_sync.gateway.launches.launching import make_debouncer, open_launcher
from vmh_sync.orchestration.run_tags import Trigger
from vmh_sync.services.file_errors import explained
from vmh_sync.services.log_format import log_to_stderr
from vmh_sync.services.signs_of_life import give_pulses
from vmh_sync.services.valkey import EmbeddedServiceError, ensure_redis
from vmh_sync.settings import LogSettings, SettingsError, VmhSettings, load
from vmh_sync.store.errors import StoreError
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.tasks.assignee import own_user
from vmh_sync.watch.look import EntityWatch
from vmh_sync.watchdog import Stalled, waiting

_log = logging.getLogger(__name__)

LEASE = "watch"
SESSION_SECONDS = 600.0
"""Then everything is opened anew: settings, our user, what is known of the installation."""
STANDBY_SECONDS = 2.0
SIGN_SECONDS = 5.0
BOOKS_SECONDS = 60.0
"""How often cursor and counts of calls are stored."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
_TROUBLE = (
    StoreError,
    CoordinationUnavailable,
    EmbeddedServiceError,
    ForeignSystemError,
    SettingsError,
    Stalled,
    OSError,
)


def main(pulse: int | None = None) -> int:
    """Watch until a signal comes; returns the exit code: 0 also when there is nothing to do, 2 for bad settings.

    ``pulse``: a file descriptor into which is written as long as the event loop turns.
    """
    try:
        log_to_stderr(load(LogSettings))
        settings = PassSettings.read()
        add_packages(settings.house.entities)
    except (SettingsError, UnusableEntity) as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    if why := switched_off(settings):
        _log.info("%s", why)
        return 0
    return asyncio.run(_until_signal(settings, SystemClock(), pulse))


def check() -> int:
    """Return 0 when some process watches or pauses, 1 when there is no sign of one: for a container's health check."""

    async def sign() -> WatchSign | None:
        house = load(VmhSettings)
        redis = connect(ensure_redis(house.home, house.redis_url))
        try:
            return await read_sign(redis)
        finally:
            await redis.aclose()

    try:
        return 0 if asyncio.run(sign()) is not None else 1
    except _TROUBLE as problem:
        sys.stderr.write(f"{problem}\n")
        return 1


def switched_off(settings: PassSettings) -> str | None:
    """Return why there is no watch with these settings (German), None when there is one."""
    if settings.house.shadow:
        return "Kein Beobachter im Schattenbetrieb (VMH_SHADOW)."
    if settings.house.watch_seconds == 0:
        return "Der Beobachter ist abgeschaltet (VMH_WATCH_SECONDS=0)."
    return None


async def _until_signal(settings: PassSettings, clock: Clock, pulse: int | None) -> int:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await watch_until(ended, settings, clock, pulse)
    return 0


async def watch_until(ended: asyncio.Event, settings: PassSettings, clock: Clock, pulse: int | None = None) -> None:
    """Watch until the event comes; wherever that finds us, our sign of life goes then."""
    watching, ending = asyncio.create_task(watch_for_ever(settings, clock)), asyncio.create_task(ended.wait())
    pulses = [asyncio.create_task(give_pulses(pulse))] if pulse is not None else []
    await asyncio.wait({watching, ending}, return_when=asyncio.FIRST_COMPLETED)
    if watching.done():
        watching.result()
    await stop(watching, ending, *pulses)
    with suppress(EmbeddedServiceError, CoordinationUnavailable):  # without Redis nobody can read the sign either
        async with _redis(settings) as redis:
            await take_sign_away(redis)


@asynccontextmanager
async def _redis(settings: PassSettings) -> AsyncIterator[AsyncRedis]:
    redis = connect(await asyncio.to_thread(ensure_redis, settings.house.home, settings.house.redis_url))
    try:
        yield redis
    finally:
        await redis.aclose()


async def watch_for_ever(settings: PassSettings, clock: Clock) -> None:
    """Open session after session; what goes wrong is said, and tried again after a growing pause."""
    pause = FIRST_PAUSE
    while True:
        try:
            await _session(settings, clock)
            pause = FIRST_PAUSE
        except _TROUBLE as problem:
            _log.warning("watch: again in %.0f s: %s", pause, _why(problem))
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)


def _why(problem: Exception) -> str:
    return explained(problem) if isinstance(problem, OSError) else str(problem)


async def _session(settings: PassSettings, clock: Clock) -> None:
    """Watch for :data:`SESSION_SECONDS`, or stand by for a moment while another process watches."""
    async with open_context(LEASE, settings, clock) as context, context.leases.hold(LEASE) as lease:
        if lease is None:
            with waiting(STANDBY_SECONDS):
                await asyncio.sleep(STANDBY_SECONDS)
            return
        async with _bell(settings, clock) as (redis, debouncer):
            await _Round(context, redis, lease, debouncer, settings.house.watch_seconds).until(SESSION_SECONDS)


@asynccontextmanager
async def _bell(settings: PassSettings, clock: Clock) -> AsyncIterator[tuple[AsyncRedis, LaunchDebouncer]]:
    async with _redis(settings) as redis, open_launcher(settings) as launcher:
        debouncer = make_debouncer(redis, launcher, settings, clock, Trigger.WATCH)
        try:
            yield redis, debouncer
        finally:
            await debouncer.finish()


@dataclass(slots=True)
class _Round:
    """Looks again and again, evenly spaced."""

    context: PassContext
    redis: AsyncRedis
    lease: Lease
    debouncer: LaunchDebouncer
    every: float
    signed: float = float("-inf")
    booked: float = float("-inf")
    pause: float = FIRST_PAUSE

    async def until(self, seconds: float) -> None:
        """Look until so many seconds are over or the lease is lost. Raises what database and Redis raise."""
        end = time.monotonic() + seconds
        watches: Sequence[EntityWatch] = ()
        while time.monotonic() < end and not self.lease.lost:
            began = time.monotonic()
            try:
                if not watches:
                    user = await own_user(self.context)
                    watches = [EntityWatch(self.context, one, self.debouncer.notice, user) for one in with_records()]
                await _each_to_its_end(watches)
            except ForeignSystemError as problem:
                await self._rest(problem)
                continue
            self.pause = FIRST_PAUSE
            await self._sign(None)
            await self._keep_books(watches)
            await self._sleep(began + self.every - time.monotonic())
        await self._keep_books(watches, now=True)

    async def _rest(self, problem: ForeignSystemError) -> None:
        """Wait until EspoCRM may be asked again; a refused login is shared, so asking again costs no call."""
        _log.warning("watch: pauses for %.0f s: %s", self.pause, problem)
        self.signed = float("-inf")
        await self._sign(problem.message_for_people)
        await self._sleep(min(LONGEST_PAUSE, max(self.pause, problem.retry_after or 0.0)))
        self.pause = min(LONGEST_PAUSE, self.pause * 2)

    async def _sign(self, paused: str | None) -> None:
        if time.monotonic() - self.signed >= SIGN_SECONDS:
            self.signed = time.monotonic()
            await give_sign(self.redis, WatchSign(self.context.clock.now(), paused))

    async def _keep_books(self, watches: Sequence[EntityWatch], *, now: bool = False) -> None:
        if now or time.monotonic() - self.booked >= BOOKS_SECONDS:
            self.booked = time.monotonic()
            await asyncio.to_thread(self._store, watches)

    def _store(self, watches: Sequence[EntityWatch]) -> None:
        for watch in watches:
            watch.keep_cursor()
        self.context.calls.store(self.context.store)

    async def _sleep(self, seconds: float) -> None:
        if seconds > 0:
            with waiting(seconds):
                await asyncio.sleep(seconds)


async def _each_to_its_end(watches: Sequence[EntityWatch]) -> None:
    """Let all look, and end; raises afterwards what one of them raised. None is looked through twice at a time."""
    looks = (watch.look() for watch in watches)
    for told in await asyncio.gather(*looks, return_exceptions=True):  # noqa: TID251 - it waits for all of them
        if isinstance(told, BaseException):
            raise told
