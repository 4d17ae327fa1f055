"""The whole world in one process: both systems and Google, our database, Redis, virtual time and the product's passes.

Everything of the product is real but what it was given from outside: the network (``network.py``), Redis
(``redis.py``), the database engine (``database.py``), time and threads (``loop.py``).
"""

import contextlib
import random
import types
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast
from unittest import mock
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from vmh_sync.coordination import circuits as circuits_module
from vmh_sync.coordination import leases as leases_module
from vmh_sync.coordination.circuits import SharedCircuits
from vmh_sync.coordination.connection import AsyncRedis
from vmh_sync.coordination.doorbell import Doorbell
from vmh_sync.coordination.leases import Leases
from vmh_sync.engine.counting.call_counts import CallCounter
from vmh_sync.engine.passes.opening import token_cache
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.writing import create_once as create_once_module
from vmh_sync.sandbox.crm import CrmConfig, CrmHooks, WebhookConfig, create_crm_app
from vmh_sync.sandbox.google import GoogleConfig, create_google
from vmh_sync.sandbox.office import CONFIGURATOR_PATH, OfficeConfig, create_office
from vmh_sync.settings import AdvowareSettings, EspoCrmSettings, SyncSettings
from vmh_sync.store import Store
from vmh_sync.store.pairs import intents as intents_module
from vmh_sync.systems import circuit as circuit_module
from vmh_sync.systems.advoware.client import AdvowareClient
from vmh_sync.systems.advoware.token import TokenSource
from vmh_sync.systems.espocrm.client import EspoClient
from vmh_sync.systems.retry import RetryPolicy
from vmh_sync_tests.inmemory.database import memory_store
from vmh_sync_tests.inmemory.loop import Died, Process, VirtualLoop
from vmh_sync_tests.inmemory.network import BASE, AsyncWire, Wire
from vmh_sync_tests.inmemory.redis import AsyncClient, Memory

T = TypeVar("T")
Json = dict[str, Any]

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
LEASE_SECONDS = 30.0
ZONE = ZoneInfo("Europe/Berlin")


@dataclass
class VirtualClock:
    """Our clock: what the loop says, and by how much it is wrong."""

    loop: VirtualLoop
    wrong_by: timedelta = timedelta()

    def now(self) -> datetime:
        """Return the current moment, aware, in UTC."""
        return START + timedelta(seconds=self.loop.time()) + self.wrong_by


@contextlib.contextmanager
def virtual_time(loop: VirtualLoop) -> Iterator[None]:
    """Let the few places that look at the machine's clocks, or draw lots, take the loop's."""
    clock = types.SimpleNamespace(monotonic=loop.time)
    with contextlib.ExitStack() as patches:
        for module, name, instead in (
            (leases_module, "now", loop.time),
            (leases_module, "wall", lambda: START.timestamp() + loop.time()),
            (leases_module, "random", loop.rng),
            (create_once_module, "time", clock),
            (circuits_module, "time", clock),
            (circuit_module, "time", clock),
            (intents_module, "uuid4", lambda: UUID(int=loop.rng.getrandbits(128))),
        ):
            patches.enter_context(mock.patch.object(module, name, instead))
        yield


@dataclass
class World:
    """Both systems, our services, and the processes that work with them. ``seed`` decides everything that is left.

    There is one at a time: it takes the clocks of the process for itself until :meth:`close`.
    """

    seed: int = 0
    rules: SyncSettings = field(default_factory=lambda: SyncSettings(_env_file=None))
    field_changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    trace: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.loop = VirtualLoop(self.rng)
        self.clock = VirtualClock(self.loop)
        true_clock = VirtualClock(self.loop)
        self.office_config = OfficeConfig(clock=true_clock, seed=1)
        office_app, self.office = create_office(self.office_config)
        crm_app = create_crm_app(CrmConfig(clock=true_clock, seed=1, webhooks=WebhookConfig(interval=0)))
        self.crm = CrmHooks(crm_app)
        google_app, self.google = create_google(GoogleConfig(clock=true_clock, user_quota=None, project_quota=None))
        apps = {"advoware": office_app, "espocrm": crm_app, "google": google_app}
        self.wire = Wire(self.loop, apps, trace=self.trace.append)  # type: ignore[arg-type]
        self.memory = Memory(lambda: START.timestamp() + self.loop.time())
        self.store: Store = memory_store(self.clock)
        self.advoware_settings = _advoware(self.office_config)
        self.espo_settings = EspoCrmSettings(
            _env_file=None,
            api_base_url=BASE.format(name="espocrm") + "/api/v1",
            api_key=SecretStr(self.crm.crm.credentials()["api_key"]),
        )
        self._runs = 0
        self._patches = contextlib.ExitStack()
        self._patches.enter_context(virtual_time(self.loop))

    # Processes

    def process(self, *, dies_at: int | None = None) -> Process:
        """Return a new process of the product; ``dies_at``: how many callbacks it lives."""
        self._runs += 1
        return Process(f"p{self._runs}", dies_at)

    def context(self, process: Process) -> PassContext:
        """Return what a pass of this process works with: real clients, store and leases."""
        redis = cast("AsyncRedis", AsyncClient(self.memory))
        circuits = SharedCircuits(redis)
        calls = CallCounter()
        retry = RetryPolicy(random=self.rng)
        http = AsyncWire(self.wire)
        tokens = TokenSource(
            self.advoware_settings,
            http=http,
            cache=token_cache(redis, self.advoware_settings, self.clock),
            clock=self.clock,
            circuits=circuits,
        )
        return PassContext(
            run_id=process.name,
            clock=self.clock,
            store=self.opened_store(),
            leases=Leases(redis, LEASE_SECONDS, owner=process.name),
            advoware=AdvowareClient(
                self.advoware_settings, tokens=tokens, http=http, clock=self.clock, observer=calls, retry=retry
            ),
            espo=EspoClient(
                self.espo_settings, http=http, clock=self.clock, observer=calls, circuits=circuits, retry=retry
            ),
            rules=self.rules,
            espo_settings=self.espo_settings,
            zone=ZONE,
            calls=calls,
            field_changes=self.field_changes,
            bell=Doorbell(redis),
        )

    def opened_store(self) -> Store:
        """Return our database as a process opens it: what another one was about when it was killed does not matter."""
        return Store(self.store._reader, self.store._writer, self.clock)

    def run(self, work: Callable[[PassContext], Awaitable[T]], process: Process | None = None) -> T:
        """Let one process do its work to the end; raises :class:`Died` when it is killed meanwhile."""
        mine = process or self.process()

        async def alone() -> T:
            return await work(self.context(mine))

        return self.loop.run_for(mine, alone())

    def close(self) -> None:
        """Clear up."""
        self.wire.cut = self.memory.away = True
        self.loop.bury()
        self._patches.close()
        self.store.close()
        self.loop.close()


def _advoware(office: OfficeConfig) -> AdvowareSettings:
    base = BASE.format(name="advoware")
    return AdvowareSettings(
        _env_file=None,
        kanzlei=office.kanzlei,
        database=office.database,
        user=office.user,
        password=SecretStr(office.password),
        app_id=office.app_id,
        api_key=SecretStr(office.api_key),
        product_id=office.product,
        role=office.role,
        configurator_url=base + CONFIGURATOR_PATH,
        timezone=ZONE,
        write_protection=False,
    )


__all__ = ["Died", "World"]
