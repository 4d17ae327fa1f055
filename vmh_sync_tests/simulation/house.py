"""The product's processes in the simulation: sensors, schedules, gateway and runs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from unittest import mock

import dagster as dg

from vmh_sync.adressen.part import PART as ADDRESSES
from vmh_sync.bankverbindungen.part import PART as ACCOUNTS
from vmh_sync.beteiligte.pipeline import PartyPipeline
from vmh_sync.beteiligte.selection import dirty
from vmh_sync.children.pipeline import ChildPipeline
from vmh_sync.children.selection import moved_since
from vmh_sync.coordination.connection import AsyncRedis
from vmh_sync.coordination.doorbell import Doorbell
from vmh_sync.coordination.errors import CoordinationUnavailable
from vmh_sync.engine.passes.entity_pipeline import EntityPipeline
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.selecting.draining import Waiting, should_launch
from vmh_sync.gateway.events.webhooks import NeverValid, ids_in
from vmh_sync.gateway.launches.intake import Intake
from vmh_sync.gateway.launches.launch import Launcher
from vmh_sync.gateway.launches.launch_debouncer import LaunchDebouncer
from vmh_sync.orchestration.jobs.sync_job import read_batch, write_batch
from vmh_sync.orchestration.run_config import SyncRunConfig
from vmh_sync.orchestration.triggers import dirty_sensor
from vmh_sync.store.errors import StoreError
from vmh_sync.store.queue.inbox import InboxEvent, Lane
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync_tests.inmemory.loop import Process
from vmh_sync_tests.inmemory.redis import AsyncClient
from vmh_sync_tests.inmemory.world import World
from vmh_sync_tests.simulation.dagster_model import Dagster, SimulatedRun

GATEWAY_HEAD_START = timedelta(seconds=3)
PIPELINES: dict[str, EntityPipeline[Any]] = {
    "beteiligte": PartyPipeline(),
    "adressen": ChildPipeline(ADDRESSES),
    "bankverbindungen": ChildPipeline(ACCOUNTS),
}
_ENTITY_OF = {"CBeteiligte": "beteiligte", "CAdressen": "adressen", "CBankverbindungen": "bankverbindungen"}


async def _dirty_parties(context: PassContext, since: datetime) -> Sequence[str]:
    return await dirty(context, since, honour_retries=True)


async def _moved_addresses(context: PassContext, since: datetime) -> Sequence[str]:
    return await moved_since(context, ADDRESSES.kind, since)


async def _moved_accounts(context: PassContext, since: datetime) -> Sequence[str]:
    return await moved_since(context, ACCOUNTS.kind, since)


_CHANGED: dict[str, Callable[[PassContext, datetime], Awaitable[Sequence[str]]]] = {
    "beteiligte": _dirty_parties,
    "adressen": _moved_addresses,
    "bankverbindungen": _moved_accounts,
}


class House:
    """All processes of the product. ``born`` is told of each new one, so that somebody may kill it."""

    def __init__(self, world: World, born: Callable[[Process], None]) -> None:
        self.world = world
        self.dagster = Dagster(world.loop, self._start)
        self._born = born
        self._cursors: dict[str, str | None] = {}
        self._gateway: tuple[Process, Intake, LaunchDebouncer] | None = None
        self._register_webhooks()

    # Runs

    def _start(self, run: SimulatedRun) -> None:
        run.process = self._process(run.run_id)
        self.world.loop.start(run.process, self._run(run))

    async def _run(self, run: SimulatedRun) -> None:
        context = self.world.context(cast("Process", run.process))
        pipeline = PIPELINES[run.entity]
        with contextlib.suppress(dg.Failure, CoordinationUnavailable, StoreError):
            work = await read_batch(context, pipeline, SyncRunConfig(selection=run.selection))
            pipeline.map_fields(work.batch)
            pipeline.diff(work.batch)
            await write_batch(context, pipeline, work)
        self.dagster.ended(run)

    # Sensors and schedules: each tick is a process of its own

    def tick_sensor(self, entity: str) -> None:
        """Let the sensor of an entity look at EspoCRM and at the inbox."""
        self._spawn(f"sensor-{entity}", self._sensor(entity))

    async def _sensor(self, entity: str) -> None:
        noted = 0
        with contextlib.suppress(ForeignSystemError, CoordinationUnavailable):
            noted, cursor, held_back = await dirty_sensor.note_changed(entity, _CHANGED[entity], self._cursor(entity))
            self._cursors[entity] = cursor
            if held_back is not None:
                return
        self._launch_pending(entity, fresh=noted > 0)

    def _cursor(self, entity: str) -> str | None:
        return self._cursors.get(entity)

    def _launch_pending(self, entity: str, *, fresh: bool) -> None:
        """As ``orchestration/launching.pending_run``, which asks a real Dagster."""
        for lane, selection in ((Lane.LIVE, "pending"), (Lane.BULK, "backlog")):
            self._launch_lane(entity, lane, selection, fresh=fresh)

    def _launch_lane(self, entity: str, lane: Lane, selection: str, *, fresh: bool) -> None:
        now = self.world.clock.now()
        with self.world.store.reading() as tx:
            mark, oldest = tx.inbox.launch_mark(entity, now, lane), tx.inbox.oldest_pending(entity, now, lane)
            workers = frozenset(tx.inbox.workers())
        if mark is None or oldest is None:
            return
        if not fresh and timedelta(0) <= now - oldest < GATEWAY_HEAD_START:
            return
        if should_launch(Waiting(mark=mark, workers=workers), self.dagster.launched_for(entity, selection)):
            self.dagster.launch_now(entity, selection, mark)

    def tick_schedule(self, entity: str, selection: str) -> None:
        """Let a schedule launch a selection."""
        self.dagster.launch_now(entity, selection)

    @contextlib.contextmanager
    def sensors_in_memory(self) -> Any:
        """Let the sensors open their context in this world."""

        @contextlib.asynccontextmanager
        async def opened(name: str, settings: object) -> AsyncIterator[PassContext]:
            del name, settings
            yield self.world.context(self._process("sensor"))

        settings = mock.Mock()
        with (
            mock.patch.object(dirty_sensor, "open_context", opened),
            mock.patch.object(dirty_sensor, "PassSettings", settings),
        ):
            yield

    # Gateway

    def _register_webhooks(self) -> None:
        crm = self.world.crm.crm
        admin = crm.account_named("vmh_sync")
        for entity in _ENTITY_OF:
            for action in ("create", "update", "delete"):
                url = f"https://gateway.example.org/{_ENTITY_OF[entity]}/{action}"
                self.world.crm._api.webhooks.register(admin, {"event": f"{entity}.{action}", "url": url})

    def deliver(self, *, away: bool) -> None:
        """EspoCRM sends what is due; with ``away`` nobody answers at the gateway."""
        for batch in self.world.crm._api.webhooks.due_batches():
            if away:
                self.world.crm._api.webhooks.settle(batch, 0)
            else:
                entity, action = batch.url.rsplit("/", 2)[1:]
                self._spawn_at_gateway(self._receive(batch, entity, action))

    async def _receive(self, batch: Any, entity: str, action: str) -> None:
        _, intake, debouncer = cast("tuple[Process, Intake, LaunchDebouncer]", self._gateway)
        status = 200
        try:
            events = [InboxEvent(espo_id=i, action=action, source="webhook") for i in ids_in(batch.body)]  # type: ignore[arg-type]
            await intake.put(entity, events)
        except NeverValid:
            status = 400
        except StoreError:
            status = 503
        else:
            debouncer.notice(entity, len(events))
        self.world.crm._api.webhooks.settle(batch, status)

    def _spawn_at_gateway(self, work: Coroutine[Any, Any, None]) -> None:
        if self._gateway is None or self._gateway[0].dead:
            process = self._process("gateway")
            bell = Doorbell(cast("AsyncRedis", AsyncClient(self.world.memory)))
            debouncer = LaunchDebouncer(bell, cast("Launcher", self.dagster))
            self._gateway = (process, Intake(self.world.opened_store()), debouncer)
        self.world.loop.start(self._gateway[0], work)

    # How it is done

    def _spawn(self, name: str, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        return self.world.loop.start(self._process(name), work)

    def _process(self, name: str) -> Process:
        process = self.world.process()
        process.name = f"{process.name}-{name}"
        self._born(process)
        return process

    def waits(self) -> bool:
        """Whether something waits in an inbox or a run is not over."""
        now = self.world.clock.now()
        with self.world.store.reading() as tx:
            pending = any(tx.inbox.pending_count(entity, now) or tx.inbox.claimed_count(entity) for entity in PIPELINES)
        return pending or any(run.ended is None for run in self.dagster.open)
