"""Employees and their calendars in the world in memory: people of both sides, and real passes that may be hindered."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

from vmh_sync.coordination.circuits import SharedCircuits
from vmh_sync.coordination.connection import AsyncRedis, SyncRedis
from vmh_sync.coordination.doorbell import Doorbell
from vmh_sync.coordination.errors import CoordinationUnavailable
from vmh_sync.engine.counting.call_counts import CallCounter
from vmh_sync.kalender import batch as passes
from vmh_sync.kalender.calendars import Calendars
from vmh_sync.kalender.context import CalendarContext, CalendarSettings, GoogleSide, TaskDesk
from vmh_sync.settings import CalendarSyncSettings, VmhSettings
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync.systems.circuit import ThreadLoginCircuit
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.google_calendar.calendars import CalendarDirectory, CalendarTemplate
from vmh_sync.systems.google_calendar.client import GoogleCalendarClient
from vmh_sync.systems.google_calendar.quota import unlimited
from vmh_sync.systems.google_calendar.retry import Retrier
from vmh_sync.systems.retry import RetryPolicy
from vmh_sync_tests.fixtures.chancery import Chancery
from vmh_sync_tests.inmemory.firm import MOST_PASSES, SETTLED, UNHINDERED, Firm, Hindrance, Json, Running
from vmh_sync_tests.inmemory.google_wire import services_for
from vmh_sync_tests.inmemory.loop import Process
from vmh_sync_tests.inmemory.network import Request
from vmh_sync_tests.inmemory.redis import AsyncClient
from vmh_sync_tests.inmemory.world import START, World


class CalendarFirm(Firm):
    """Both calendars of some employees, and the product's passes over them.

    ``unseen``: what people typed into a Termin and our PUT replaced in the known window (docs/guarantees.md).
    """

    def __init__(self, world: World, sync: CalendarSyncSettings) -> None:
        super().__init__(world)
        self._services = services_for(world)
        self._settings = CalendarSettings(
            house=VmhSettings(_env_file=None),
            advoware=world.advoware_settings,
            google=self._services.settings,
            sync=sync,
            passes=world.rules,
            espocrm=world.espo_settings,
        )
        self.unseen: set[str] = set()
        self._seen: dict[Any, frozenset[str]] = {}
        self.chancery = MemoryChancery(self)

    def context(self, process: Process) -> CalendarContext:
        """Return what a pass of this process works with: real clients, store and leases."""
        world, given = self.world, self.world.context(process)
        redis = cast("AsyncRedis", AsyncClient(world.memory))
        settle = timedelta(seconds=world.rules.create_settle_seconds)
        return CalendarContext(
            run_id=process.name,
            clock=world.clock,
            store=given.store,
            leases=given.leases,
            advoware=given.advoware,
            google=self._google(given.calls, redis),
            rules=self._settings.rules(),
            settings=self._settings.sync,
            kanzlei=self._settings.advoware.kanzlei,
            calls=given.calls,
            bell=Doorbell(redis),
            longest_request=settle,
            desk=TaskDesk(process.name, world.clock, given.store, given.espo, world.espo_settings, settle),
        )

    def _google(self, calls: CallCounter, redis: AsyncRedis) -> GoogleSide:
        world, services = self.world, self._services
        circuits = SharedCircuits(redis, cast("SyncRedis", world.memory))
        client = GoogleCalendarClient(
            services,
            unlimited,
            retrier=Retrier(RetryPolicy(3, random=world.rng), sleep=world.loop.pass_time, clock=world.clock),
            observer=calls,
            circuit=ThreadLoginCircuit(services.login_name, world.clock, circuits, sleep=world.loop.pass_time),
        )
        directory = CalendarDirectory(client, services.service_account_email, CalendarTemplate(), budget=lambda: True)
        return GoogleSide(client, directory, cast("Any", None))

    # Passes

    def begin_pass(self, kuerzel: Sequence[str] = (), hindrance: Hindrance = UNHINDERED) -> Running:
        """Start a pass over some employees, over everybody without any."""

        async def work(process: Process) -> list[RecordOutcome]:
            context, which = self.context(process), Calendars(kuerzel=list(kuerzel), allow_mass_change=True)
            try:
                batch = await passes.fetch(context, which)
            except (ForeignSystemError, CoordinationUnavailable):
                return []  # the op fails, and with it the run; the next one begins anew
            done = await passes.write(context, passes.diff(passes.map_fields(batch)))
            return done.outcomes

        return self.start(work, hindrance)

    def come_to_rest(self) -> None:
        """Passes over everybody, and time between them, until one writes nothing, fails nowhere and leaves nothing.

        What only a person can answer stays asked.
        """
        self.finish()
        for _ in range(MOST_PASSES):
            self.world.loop.pass_time(SETTLED.total_seconds())
            before = self.world.wire.writes
            self.begin_pass()
            outcomes = self.finish()
            left = [one for one in outcomes if one.later or (one.error and one.result is not Result.SKIPPED)]
            if self.world.wire.writes == before and not left:
                return
        told = [(one.id, one.result, one.error) for one in left]
        raise AssertionError("\n".join([f"no rest: {told}", *self.world.trace]))

    # What happens to requests

    def _around(self, request: Request) -> Callable[[], None]:
        """Note what a PUT takes back that was typed after the look directly before it."""
        if request.system != "advoware" or request.method != "PUT":
            return lambda: None
        seen = self._seen.get(asyncio.current_task(self.world.loop), frozenset())
        before = self._said()

        def after() -> None:
            self.unseen |= before - seen - self._said()

        return after

    def _note(self, request: Request) -> None:
        if request.system == "advoware":
            self._seen[asyncio.current_task(self.world.loop)] = self._said()

    def _said(self) -> frozenset[str]:
        rows = self.world.office._office.termine.values()
        return frozenset(str(row[name]) for row in rows for name in ("text", "ort") if row[name])


def two_employees(**settings: Any) -> Iterator[CalendarFirm]:
    """Yield a firm of two employees whose calendars are there, with these settings, for fixtures."""
    firm = CalendarFirm(World(), CalendarSyncSettings(_env_file=None, **settings))
    for kuerzel in ("AH", "SB"):
        firm.chancery.employee(kuerzel)
    firm.come_to_rest()
    yield firm
    firm.world.close()


class MemoryChancery(Chancery):
    """What people do and what stands where, as :class:`Chancery` tells it, without any server."""

    def __init__(self, firm: CalendarFirm) -> None:
        world = firm.world
        told = world.trace.append
        hooks = {"office": world.office, "google": world.google, "crm": world.crm}
        doors = SimpleNamespace(**{name: Door(one, told) for name, one in hooks.items()})
        super().__init__(cast("Any", doors), world.store)
        self._firm = firm
        self.clock = world.clock  # type: ignore[assignment]
        self.today = START.date()

    # Of one system's state they render what is asked for, and not all of it.

    def termine(self) -> dict[int, Json]:
        """All appointments in Advoware."""
        return {number: dict(row) for number, row in self._firm.world.office._office.termine.items()}

    def calendar(self, kuerzel: str = "SB") -> Json | None:
        """One employee's calendar."""
        google = self._firm.world.google
        found = (one for one in google.api.world.calendars.values() if one.summary == f"AW-{kuerzel}")
        return next((google._calendar_state(one) for one in found), None)

    def events(self, kuerzel: str = "SB") -> dict[str, Json]:
        """The living events, a series once: single occurrences that were changed belong to it."""
        return {key: one for key, one in super().events(kuerzel).items() if "recurringEventId" not in one}

    def run(self, work: Callable[[CalendarContext], Any]) -> Any:
        """Let a process of its own do something."""
        process = self._firm.world.process()
        return self._firm.world.loop.run_for(process, work(self._firm.context(process)))


class Door:
    """The back door of one system, as ``ControlClient`` offers it over HTTP."""

    def __init__(self, hooks: Any, trace: Callable[[str], None]) -> None:
        self._hooks = hooks
        self._trace = trace

    def state(self) -> Json:
        """Everything the system holds."""
        return cast("Json", self._hooks.state())

    def edit(self, entity: str, action: str = "update", **more: Any) -> Json:
        """Do what a person at that system does; AssertionError where it is refused."""
        self._trace(f"somebody: {action} {entity} {more}")
        return cast("Json", self._hooks.edit({"entity": entity, "action": action, **more}))

    def seed(self, **body: Any) -> Json:
        """Add records as if they had always been there."""
        return cast("Json", self._hooks.seed(body))
