"""What a calendar pass works with, opened together and closed together."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TypeVar

from vmh_sync.clock import Clock, SystemClock
from vmh_sync.coordination.allowance import Allowance
from vmh_sync.coordination.circuits import SharedCircuits
from vmh_sync.coordination.connection import SyncRedis, connect, connect_sync
from vmh_sync.coordination.doorbell import Doorbell
from vmh_sync.coordination.leases import Leases
from vmh_sync.coordination.rate import TokenBucket
from vmh_sync.coordination.sign_of_life import alive
from vmh_sync.engine.counting.call_counts import CallCounter
from vmh_sync.engine.installation.known_installation import KnownGoogle, KnownInstallation, read_known
from vmh_sync.engine.passes.opening import at_work, house_leases, open_database, token_cache
from vmh_sync.fence import carried
from vmh_sync.kalender.changed_lately import ChangedLately
from vmh_sync.kalender.model import CalendarRules, DeadlineRule, Strategy
from vmh_sync.services.valkey import ensure_redis
from vmh_sync.settings import (
    AdvowareSettings,
    CalendarSyncSettings,
    EspoCrmSettings,
    GoogleCalendarSettings,
    SettingsError,
    SyncSettings,
    VmhSettings,
    load,
    load_or_note,
)
from vmh_sync.store.store import Store
from vmh_sync.systems.advoware.client import AdvowareClient, open_advoware
from vmh_sync.systems.circuit import ThreadLoginCircuit
from vmh_sync.systems.espocrm.client import EspoClient, open_espocrm
from vmh_sync.systems.google_calendar.calendars import CalendarDirectory, CalendarTemplate
from vmh_sync.systems.google_calendar.client import GoogleCalendarClient
from vmh_sync.systems.google_calendar.quota import PATCH
from vmh_sync.systems.google_calendar.retry import Retrier, google_policy
from vmh_sync.systems.google_calendar.service import ServiceFactory
from vmh_sync.systems.retry import RetryPolicy

T = TypeVar("T")

_GOOGLE_RETRY = google_policy()


@dataclass(frozen=True, slots=True)
class CalendarSettings:
    """All settings a calendar pass needs, read once."""

    house: VmhSettings
    advoware: AdvowareSettings
    google: GoogleCalendarSettings
    sync: CalendarSyncSettings
    passes: SyncSettings
    espocrm: EspoCrmSettings | None = None

    @classmethod
    def read(cls) -> "CalendarSettings":
        """Read them from the environment; raises ``SettingsError`` that names every missing or bad one.

        Without EspoCRM appointments are synced all the same; only nobody is told by a task.
        """
        problems: list[str] = []
        house, advoware = load_or_note(VmhSettings, problems), load_or_note(AdvowareSettings, problems)
        google, sync = load_or_note(GoogleCalendarSettings, problems), load_or_note(CalendarSyncSettings, problems)
        passes = load_or_note(SyncSettings, problems)
        if house is None or advoware is None or google is None or sync is None or passes is None:
            raise SettingsError("\n".join(problems))
        return cls(house, advoware, google, sync, passes, _espocrm())

    def rules(self) -> CalendarRules:
        """Return what the pure core needs of them."""
        sync = self.sync
        return CalendarRules(
            zone=self.google.time_zone,
            advoware_zone=self.advoware.timezone,
            neutral_title=sync.neutral_title,
            attach_file_number=sync.attach_file_number,
            show_preparation=sync.show_preparation,
            stretch_by_preparation=sync.stretch_by_preparation,
            window_years_back=sync.window_years_back,
            window_years_ahead=sync.window_years_ahead,
            default_strategy=Strategy(sync.strategy),
            write_protection=self.advoware.write_protection,
            write_allowed_default=sync.write_allowed,
            empty_list_tolerance=sync.empty_list_tolerance,
            mass_change_records=sync.mass_change_records,
            mass_change_share=sync.mass_change_share,
            deadlines=tuple(
                DeadlineRule(
                    rule.name,
                    text=tuple(rule.text),
                    notiz=tuple(rule.notiz),
                    ort=tuple(rule.ort),
                    akte=tuple(rule.akte),
                    ganztags=rule.ganztags,
                )
                for rule in sync.deadline_rules
            ),
            deadlines_from_google=sync.deadlines_from_google,
        )


def _espocrm() -> EspoCrmSettings | None:
    try:
        return load(EspoCrmSettings)
    except SettingsError:
        return None


@dataclass(slots=True)
class TaskDesk:
    """What writing a task for a person needs of a pass."""

    run_id: str
    clock: Clock
    store: Store
    espo: EspoClient
    espo_settings: EspoCrmSettings
    longest_request: timedelta
    told: dict[str, object] = field(default_factory=dict)


class GoogleSide:
    """Google Calendar for coroutines: the synchronous client runs in a bounded number of threads."""

    def __init__(self, client: GoogleCalendarClient, directory: CalendarDirectory, threads: ThreadPoolExecutor) -> None:
        self.client = client
        self.directory = directory
        self._threads = threads

    async def run(self, call: Callable[[], T]) -> T:
        """Run one blocking call in a thread of ours; raises what it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, carried(call))


@dataclass(slots=True)
class CalendarContext:
    """Everything that a calendar pass needs; ``run_id`` is Dagster's, so that audit rows lead back to the run.

    ``longest_request`` is the longest time after which a request that was sent may still take effect: a Termin whose
    creation was not answered is not created again before that (:mod:`vmh_sync.engine.writing.create_once`). ``desk`` is
    there when EspoCRM is set up. ``alive`` gives the run's sign of life during a block. ``lately``: what this pass has
    read in colleagues' calendars to tell moved events from deleted ones; ``beyond_reach``: which of them it could not
    read, and whether somebody may still work with it.
    """

    run_id: str
    clock: Clock
    store: Store
    leases: Leases
    advoware: AdvowareClient
    google: GoogleSide
    rules: CalendarRules
    settings: CalendarSyncSettings
    kanzlei: str
    calls: CallCounter
    bell: Doorbell
    alive: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
    quota_per_minute: int = 600
    longest_request: timedelta = timedelta(seconds=150)
    desk: TaskDesk | None = None
    lately: ChangedLately = field(default_factory=ChangedLately)
    beyond_reach: dict[str, bool] = field(default_factory=dict)

    def wants_full_content(self, kuerzel: str, asked: bool | None) -> bool:
        """Tell whether an employee's events show content: what the call asks for, else the settings."""
        if asked is not None:
            return asked
        anonymised = {name.upper() for name in self.settings.anonymised_kuerzel}
        return self.settings.full_content and kuerzel.upper() not in anonymised


@asynccontextmanager
async def open_calendar(
    run_id: str,
    settings: CalendarSettings | None = None,
    clock: Clock | None = None,
    *,
    retry: RetryPolicy = _GOOGLE_RETRY,
) -> AsyncIterator[CalendarContext]:
    """Open clients, store and leases for one calendar pass.

    Raises ``SettingsError``, ``ServiceAccountError`` (a missing or broken key file), ``StoreUnavailable`` or
    ``CoordinationUnavailable``. Foreign calls are counted, and the counts stored at the end. The block is watched:
    raises ``Stalled`` when nothing goes on in it for too long.
    """
    settings = settings or CalendarSettings.read()
    async with at_work(run_id, settings.house), open_calendar_sides(run_id, settings, clock, retry) as context:
        yield context


@asynccontextmanager
async def open_calendar_sides(
    run_id: str, settings: CalendarSettings, clock: Clock | None = None, retry: RetryPolicy = _GOOGLE_RETRY
) -> AsyncIterator[CalendarContext]:
    """Open the same, for several blocks :func:`at_work` one after another on one event loop."""
    clock = clock or SystemClock()
    store = open_database(settings.house, clock)
    url = ensure_redis(settings.house.home, settings.house.redis_url)
    redis, sync_redis = connect(url), connect_sync(url)
    circuits = SharedCircuits(redis, sync_redis)
    calls = CallCounter()
    try:
        known = await asyncio.to_thread(read_known, store, KnownInstallation)
        (await asyncio.to_thread(read_known, store, KnownGoogle)).check()
        with _threads(settings.sync.employees_at_once) as threads:
            google = _google(settings, sync_redis, circuits, calls, clock, threads, retry)
            cache = token_cache(redis, settings.advoware, clock)
            async with (
                open_advoware(
                    settings.advoware, token_cache=cache, clock=clock, observer=calls, circuits=circuits
                ) as advoware,
                _desk(run_id, settings, store, clock, calls, circuits) as desk,
            ):
                yield CalendarContext(
                    run_id=run_id,
                    clock=clock,
                    store=store,
                    leases=house_leases(redis, store, settings.house),
                    advoware=advoware,
                    google=google,
                    rules=settings.rules(),
                    settings=settings.sync,
                    kanzlei=settings.advoware.kanzlei,
                    calls=calls,
                    bell=Doorbell(redis),
                    alive=partial(alive, redis, run_id),
                    quota_per_minute=settings.google.quota_per_minute,
                    longest_request=timedelta(seconds=max(settings.passes.create_settle_seconds, known.settle_seconds)),
                    desk=desk,
                )
    finally:
        calls.store(store)
        await redis.aclose()
        sync_redis.close()
        store.close()


@asynccontextmanager
async def _desk(
    run_id: str, settings: CalendarSettings, store: Store, clock: Clock, calls: CallCounter, circuits: SharedCircuits
) -> AsyncIterator[TaskDesk | None]:
    if settings.espocrm is None:
        yield None
        return
    async with open_espocrm(settings.espocrm, clock=clock, observer=calls, circuits=circuits) as espo:
        longest = timedelta(seconds=settings.passes.create_settle_seconds)
        yield TaskDesk(run_id, clock, store, espo, settings.espocrm, longest)


@contextmanager
def _threads(number: int) -> Iterator[ThreadPoolExecutor]:
    """Give threads for Google's client; the end of the block does not wait for one that hangs in a call."""
    threads = ThreadPoolExecutor(number, "google")
    try:
        yield threads
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


QUOTA_RESERVE = 0.02
"""The share of Google's quota that is left unused.

The bucket counts when a request may leave, Google counts when it arrives. What left earlier and is still on its way
falls into a later minute; that is at most what is under way at once, one request per thread of every process. Two
percent of 600 are 12 units: three processes with four threads each.
"""


def quota_bucket(redis: SyncRedis, per_minute: int) -> TokenBucket:
    """Return Google's bucket, shared by all processes; the burst is small, so that the steady flow uses the rate."""
    burst = max(PATCH, min(10, per_minute // 100))
    rate = max(per_minute - math.ceil(per_minute * QUOTA_RESERVE), burst + 1)
    return TokenBucket(redis, "google", rate=rate, per_seconds=60.0, burst=burst)


def _google(
    settings: CalendarSettings,
    redis: SyncRedis,
    circuits: SharedCircuits,
    calls: CallCounter,
    clock: Clock,
    threads: ThreadPoolExecutor,
    retry: RetryPolicy,
) -> GoogleSide:
    quota = quota_bucket(redis, settings.google.quota_per_minute).acquire
    account = ServiceFactory(settings.google)

    def client(services: ServiceFactory) -> GoogleCalendarClient:
        # Between processes the lease per Kürzel keeps the writers of one calendar apart.
        retrier = Retrier(policy=retry, clock=clock)
        circuit = ThreadLoginCircuit(services.login_name, clock, circuits)
        return GoogleCalendarClient(services, quota, retrier=retrier, observer=calls, circuit=circuit)

    worker = client(account)
    subject = settings.google.subject
    owner = client(ServiceFactory(settings.google, subject=subject)) if subject else None
    template = CalendarTemplate(
        settings.google.name_template,
        settings.google.time_zone.key,
        tuple(settings.google.acl_rules),
        settings.google.ids,
    )
    limit = settings.google.new_calendars_per_hour
    budget = Allowance(redis, "new-calendars", limit=limit, per=timedelta(hours=1), clock=clock)
    directory = CalendarDirectory(worker, account.service_account_email, template, owner=owner, budget=budget.take)
    return GoogleSide(worker, directory, threads)


def full_read_age(kuerzel: str, days: int) -> timedelta:
    """Return after how long a calendar is read as a whole: spread by Kürzel, never all at once."""
    return timedelta(days=days) * (0.75 + 0.25 * (math.fsum(map(ord, kuerzel)) % 24) / 24)
