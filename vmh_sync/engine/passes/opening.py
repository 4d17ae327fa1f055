"""Opens what a pass works with, and closes it again."""

import asyncio
import gc
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from vmh_sync.clock import Clock, SystemClock
from vmh_sync.coordination.circuits import SharedCircuits
from vmh_sync.coordination.connection import AsyncRedis, connect
from vmh_sync.coordination.doorbell import Doorbell
from vmh_sync.coordination.leases import Leases
from vmh_sync.coordination.shared_token import SharedToken
from vmh_sync.engine.counting.call_counts import CallCounter
from vmh_sync.engine.installation.field_tables import field_changes
from vmh_sync.engine.installation.known_installation import KnownEspocrm, KnownInstallation, read_known
from vmh_sync.engine.installation.redis_identity import guard_of, place_of
from vmh_sync.engine.passes.modified_stamps import keep_stamp_clock, read_stamp_clock
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.fence import nothing_written
from vmh_sync.services.valkey import ensure_redis
from vmh_sync.settings import AdvowareSettings, EspoCrmSettings, SettingsError, SyncSettings, VmhSettings, load_or_note
from vmh_sync.store import Store, open_store, upgrade
from vmh_sync.systems.advoware.client import open_advoware
from vmh_sync.systems.advoware.token import StoredToken
from vmh_sync.systems.errors import ShadowOperation
from vmh_sync.systems.espocrm.client import open_espocrm
from vmh_sync.systems.espocrm.query import ListLimits
from vmh_sync.systems.espocrm.stamp_clock import StampClock
from vmh_sync.watchdog import watched

NEW_OBJECTS = 5_000
"""After how many Python searches them for garbage."""


@dataclass(frozen=True, slots=True)
class PassSettings:
    """All settings a pass needs, read once."""

    house: VmhSettings
    sync: SyncSettings
    advoware: AdvowareSettings
    espocrm: EspoCrmSettings

    @classmethod
    def read(cls) -> "PassSettings":
        """Read them from the environment; raises ``SettingsError`` that names every missing or bad one."""
        problems: list[str] = []
        house, sync = load_or_note(VmhSettings, problems), load_or_note(SyncSettings, problems)
        advoware, espocrm = load_or_note(AdvowareSettings, problems), load_or_note(EspoCrmSettings, problems)
        if house is None or sync is None or advoware is None or espocrm is None:
            raise SettingsError("\n".join(problems))
        return cls(house, sync, advoware, espocrm)


def open_database(settings: VmhSettings, clock: Clock | None = None) -> Store:
    """Open our database as the settings say; it must have been migrated (``vmh-sync db upgrade``)."""
    return open_store(settings.database, clock)


def open_migrated(settings: VmhSettings, clock: Clock | None = None) -> Store:
    """Open our database and bring it to this version's schema first."""
    upgrade(settings.database)
    return open_database(settings, clock)


@asynccontextmanager
async def open_context(
    run_id: str, settings: PassSettings | None = None, clock: Clock | None = None
) -> AsyncIterator[PassContext]:
    """Open clients, store and leases for one pass.

    ``run_id`` is Dagster's run id. Raises ``SettingsError``, ``StoreUnavailable`` or ``CoordinationUnavailable``.
    Foreign calls are counted, and the counts stored at the end. The block is watched: raises ``Stalled`` when nothing
    goes on in it for too long.
    """
    settings = settings or PassSettings.read()
    async with at_work(run_id, settings.house), open_sides(run_id, settings, clock) as context:
        yield context


@asynccontextmanager
async def at_work(run_id: str, settings: VmhSettings) -> AsyncIterator[None]:
    """Watch the block (raises ``Stalled``), and in shadow operation refuse its foreign writes. For one task."""
    spare_what_stays(with_dagster=False)
    async with watched(f"run {run_id}", settings.stall_seconds), shadow(settings):
        yield


@cache
def spare_what_stays(*, with_dagster: bool) -> None:
    """Take what is loaded out of Python's search for garbage; once a process, or garbage would stay, too.

    ``with_dagster``: once more for who runs a job: a pass in the foreground has chosen its records before Dagster was
    there.

    Dagster and the clients are 280,000 objects that live as long as the process; to walk over them again and again
    took a seventh of an unchanged pass. What is new is searched more rarely than Python would: a batch makes many
    objects that stay until it ends (docs/profiles.md).
    """
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)


@asynccontextmanager
async def shadow(settings: VmhSettings) -> AsyncIterator[None]:
    """In shadow operation (``VMH_SHADOW``) refuse every foreign write of the block."""
    if not settings.shadow:
        yield
        return
    with nothing_written(ShadowOperation("writes are refused in shadow operation")):
        yield


@asynccontextmanager
async def open_sides(run_id: str, settings: PassSettings, clock: Clock | None = None) -> AsyncIterator[PassContext]:
    """Open the same, for several blocks :func:`at_work` one after another on one event loop."""
    clock = clock or SystemClock()
    changes = field_changes(settings.sync.field_tables, settings.house.entities)
    store = open_database(settings.house, clock)
    redis = connect(ensure_redis(settings.house.home, settings.house.redis_url))
    circuits = SharedCircuits(redis)
    calls = CallCounter()
    try:
        known, limits, stamps = await asyncio.to_thread(_read_known, store)
        tokens = token_cache(redis, settings.advoware, clock)
        async with (
            open_advoware(
                settings.advoware,
                token_cache=tokens,
                clock=clock,
                observer=calls,
                circuits=circuits,
                search=known.search,
            ) as advoware,
            open_espocrm(
                settings.espocrm, clock=clock, observer=calls, circuits=circuits, stamp_clock=stamps, limits=limits
            ) as espo,
        ):
            context = PassContext(
                run_id=run_id,
                clock=clock,
                store=store,
                leases=house_leases(redis, store, settings.house),
                advoware=advoware,
                espo=espo,
                rules=settings.sync,
                espo_settings=settings.espocrm,
                zone=settings.advoware.timezone,
                calls=calls,
                field_changes=known.field_changes(changes),
                known=known,
                bell=Doorbell(redis),
            )
            try:
                yield context
            finally:
                await context.together.end()
        await asyncio.to_thread(keep_stamp_clock, store, stamps)
    finally:
        calls.store(store)
        await redis.aclose()
        store.close()


def _read_known(store: Store) -> tuple[KnownInstallation, ListLimits, StampClock]:
    """Return what is known of this installation. Raises ``SettingsError`` where it is not one to be synced with."""
    known, known_espocrm = read_known(store, KnownInstallation), read_known(store, KnownEspocrm)
    known.check()
    known_espocrm.check()
    return known, known_espocrm.limits, read_stamp_clock(store)


def house_leases(redis: AsyncRedis, store: Store, settings: VmhSettings) -> Leases:
    """Return the leases of a pass: only from the Redis that belongs to our database."""
    guard = guard_of(redis, store, place_of(settings.redis_url, settings.home))
    return Leases(redis, settings.lease_seconds, guard=guard)


def token_cache(redis: AsyncRedis, settings: AdvowareSettings, clock: Clock) -> SharedToken[StoredToken]:
    """Return the token cache that all processes with the same login share."""
    # Another firm, login or address must never get this token.
    login = [
        settings.kanzlei,
        settings.database,
        settings.user,
        settings.app_id,
        settings.configurator_url,
        settings.api_base_url,
        settings.security_gateway_url,
    ]
    name = hashlib.sha256(json.dumps(login).encode()).hexdigest()[:16]
    return SharedToken(
        redis,
        f"advoware:{name}",
        serialise=StoredToken.to_json,
        parse=StoredToken.from_json,
        lifetime=lambda token: (token.expires_at - _utc(clock)).total_seconds(),
    )


def _utc(clock: Clock) -> datetime:
    return clock.now().astimezone(UTC)
