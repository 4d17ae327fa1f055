"""From events in the inbox to one run: ring, launch, gather for a moment what comes next (dagster.md 3).

The answer to a webhook never waits for this. Whatever goes wrong is only logged: the events are in the inbox, and the
inbox's sensor finds them.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping

from vmh_sync.background import let_end
from vmh_sync.coordination.doorbell import Doorbell
from vmh_sync.coordination.errors import CoordinationUnavailable
from vmh_sync.engine.selecting.crowd import Arrivals
from vmh_sync.entities import job_of
from vmh_sync.gateway.launches.launch import BEFORE_START, Launcher, LaunchFailed
from vmh_sync.orchestration.run_tags import PENDING_TAG, Trigger

_log = logging.getLogger(__name__)

GATHER_SECONDS = 0.05
"""From one ring to the next. The first event waits for nobody: the run claims when it starts."""
CROWD_SECONDS = 2.0
"""The same while a crowd arrives: run after run would take both cores from the answers, and all places from the bulk
lane. A run of edits takes less than that, and an edit that the watch finds in the crowd rings from its own process."""
BELL_SECONDS = 20.0
"""How long one launch answers for everything; the run silences the bell before it claims."""

FINISH_SECONDS = 25.0
"""Longer than a launch may take; what is left then is found by the sensor."""


class LaunchDebouncer:
    """Rings the bells of entities; belongs to one event loop. ``held_back`` tells whether runs are useless now.

    ``configs``: what a run is launched with, for entities whose events are not in the inbox.
    """

    def __init__(
        self,
        bell: Doorbell | None,
        launcher: Launcher,
        gather_seconds: float = GATHER_SECONDS,
        held_back: Callable[[], Awaitable[bool]] | None = None,
        trigger: Trigger = Trigger.WEBHOOK,
        configs: Mapping[str, Mapping[str, object]] | None = None,
    ) -> None:
        self._trigger = trigger
        self._configs = configs or {}
        self._held_back = held_back
        self._bell = bell
        self._launcher = launcher
        self._gather_seconds = gather_seconds
        self._arrivals: defaultdict[str, Arrivals] = defaultdict(Arrivals)
        self._gathering: dict[str, asyncio.Task[None]] = {}
        self._rung: dict[str, float] = {}
        self._launching: set[asyncio.Task[None]] = set()
        self.launched = 0
        self.failed = 0

    def notice(self, entity: str, events: int = 1) -> None:
        """Take note that something waits, so much more than before; returns at once."""
        crowd = self._arrivals[entity].crowd(events, asyncio.get_running_loop().time())
        if entity not in self._gathering:
            pause = CROWD_SECONDS if crowd else self._gather_seconds
            self._gathering[entity] = asyncio.create_task(self._gather(entity, pause))

    async def finish(self) -> None:
        """Let what was noticed be launched; what takes too long is left to the sensor."""
        while tasks := [*self._gathering.values(), *self._launching]:
            if not await let_end(*tasks, seconds=FINISH_SECONDS):
                return

    async def _gather(self, entity: str, pause: float) -> None:
        try:
            since = asyncio.get_running_loop().time() - self._rung.get(entity, -pause)
            await asyncio.sleep(pause - since)  # a time that is over does not wait
        finally:
            # Before the bell: what arrives from now on gathers anew.
            self._gathering.pop(entity, None)
            self._rung[entity] = asyncio.get_running_loop().time()
        task = asyncio.create_task(self._ring(entity))
        self._launching.add(task)
        task.add_done_callback(self._launching.discard)

    async def _ring(self, entity: str) -> None:
        try:
            if self._held_back is not None and await self._held_back():
                return  # a login was refused: a run could do nothing, the sensor launches when it may be tried
            if self._bell is None or not await self._bell.ring(entity, BELL_SECONDS):
                return
            await self._launch(entity, self._bell)
        except CoordinationUnavailable as problem:
            _log.warning("%s: no bell, the sensor will launch: %s", entity, problem)

    async def _launch(self, entity: str, bell: Doorbell) -> None:
        try:
            if await self._on_its_way(entity):
                return
            config = self._configs.get(entity, {"selection": "pending"})
            run_id = await self._launcher.launch(job_of(entity), config, self._trigger, {PENDING_TAG: "yes"})
        except LaunchFailed as problem:
            self.failed += 1
            _log.warning("%s: not launched, the sensor will do it: %s", entity, problem)
            await bell.silence(entity)
            return
        self.launched += 1
        _log.info("%s: run %s launched by %s", entity, run_id, self._trigger)

    async def _on_its_way(self, entity: str) -> bool:
        """Whether a run waits for its place that will claim what waits, longer perhaps than a bell lasts."""
        runs = await self._launcher.active_runs(job_of(entity))
        return any(run.status in BEFORE_START and run.tags.get(PENDING_TAG) == "yes" for run in runs)
