"""What the endpoints share: settings, database, Redis, Dagster, the Advoware client."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from fastapi import FastAPI, Request

from vmh_sync.background import stop
from vmh_sync.clock import Clock, SystemClock
from vmh_sync.coordination.circuits import SharedCircuits
from vmh_sync.coordination.connection import AsyncRedis, connect
from vmh_sync.engine.counting.call_counts import CallCounter
from vmh_sync.engine.passes.opening import PassSettings, open_database, token_cache
from vmh_sync.gateway.keys import KeyRing
from vmh_sync.gateway.launches.code_server import CodeServerQuestion
from vmh_sync.gateway.launches.intake import Intake
from vmh_sync.gateway.launches.launch import Launcher
from vmh_sync.gateway.launches.launch_debouncer import LaunchDebouncer
from vmh_sync.gateway.launches.launching import make_debouncer, open_launcher
from vmh_sync.orchestration.run_tags import Trigger
from vmh_sync.services.valkey import EmbeddedServiceError, ensure_redis
from vmh_sync.store.errors import StoreError
from vmh_sync.store.store import Store
from vmh_sync.systems.advoware.client import AdvowareClient, open_advoware

_log = logging.getLogger(__name__)

COUNTS_EVERY_SECONDS = 15.0


@dataclass(slots=True)
class GatewayServices:
    """Everything that the endpoints work with; one per process. ``redis`` is None when there is none."""

    settings: PassSettings
    clock: Clock
    keys: KeyRing
    webhook_secrets: dict[str, str] = field(repr=False)
    path_token: str | None = field(repr=False)
    store: Store
    redis: AsyncRedis | None
    launcher: Launcher
    code_server: CodeServerQuestion
    debouncer: LaunchDebouncer
    intake: Intake
    advoware: AdvowareClient
    calls: CallCounter
    google_quota: int
    calendar_turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held from the look whether a calendar is synced until its run is launched: of equal requests at once, one."""


@asynccontextmanager
async def open_services(settings: PassSettings, keys: KeyRing, google_quota: int) -> AsyncIterator[GatewayServices]:
    """Open everything; ``google_quota`` is what the firm may spend in a minute.

    Neither database, Redis nor Dagster has to be up yet: each request says what is missing.
    """
    clock = SystemClock()
    store = open_database(settings.house, clock)
    calls = CallCounter()
    async with AsyncExitStack() as stack:
        stack.callback(store.close)
        redis = await _redis(settings)
        if redis is not None:
            stack.push_async_callback(redis.aclose)
        launcher = await stack.enter_async_context(open_launcher(settings))
        circuits = SharedCircuits(redis)
        tokens = token_cache(redis or connect("unix:///nonexistent"), settings.advoware, clock)
        advoware = await stack.enter_async_context(
            open_advoware(settings.advoware, token_cache=tokens, clock=clock, observer=calls, circuits=circuits)
        )
        secrets, token = settings.espocrm.webhook_secrets, settings.espocrm.webhook_path_token
        services = GatewayServices(
            settings=settings,
            clock=clock,
            keys=keys,
            webhook_secrets={webhook_id: secret.get_secret_value() for webhook_id, secret in secrets.items()},
            path_token=token.get_secret_value() if token else None,
            store=store,
            redis=redis,
            launcher=launcher,
            code_server=CodeServerQuestion(launcher),
            debouncer=make_debouncer(redis, launcher, settings, clock, Trigger.WEBHOOK),
            intake=Intake(store),
            advoware=advoware,
            calls=calls,
            google_quota=google_quota,
        )
        async with _at_work(services):
            yield services


@asynccontextmanager
async def _at_work(services: GatewayServices) -> AsyncIterator[None]:
    counting = asyncio.create_task(_store_counts(services))
    try:
        yield
    finally:
        await stop(counting)
        await services.code_server.finish()
        await services.intake.finish()
        await services.debouncer.finish()
        await _store_now(services)


async def _redis(settings: PassSettings) -> AsyncRedis | None:
    try:
        url = await asyncio.to_thread(ensure_redis, settings.house.home, settings.house.redis_url)
    except EmbeddedServiceError as problem:
        _log.error("no Redis, so no launch by webhook; the sensor still works: %s", problem)
        return None
    return connect(url)


async def _store_counts(services: GatewayServices) -> None:
    while True:
        await asyncio.sleep(COUNTS_EVERY_SECONDS)
        await _store_now(services)


async def _store_now(services: GatewayServices) -> None:
    try:
        await asyncio.to_thread(services.calls.store, services.store)
    except StoreError as problem:
        _log.warning("counts of foreign calls not stored: %s", problem)


def services_of(request: Request) -> GatewayServices:
    """Return what the endpoints of the app share, that answers this request."""
    app: FastAPI = request.app
    services: GatewayServices = app.state.services
    return services


def fingerprint(secret: str) -> bytes:
    """Return a digest of fixed length, so that comparing takes the same time for any length."""
    return hashlib.sha256(secret.encode()).digest()
