"""Dagster as the product relies on it: a queue of runs, some at once, dead ones noticed after a while.

Correctness must not come from it, so it is as unhelpful as it may be: a run may wait long, die before it claims, and
be launched twice.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from vmh_sync.engine.selecting.draining import LOOK_BACK, Launched
from vmh_sync.gateway.launches.launch import Run
from vmh_sync.orchestration.run_tags import PENDING_TAG, Trigger
from vmh_sync_tests.inmemory.loop import Process, VirtualLoop

AT_ONCE = 3
NOTICED_AFTER = 60.0
"""Seconds after which a run whose process is gone counts as failed."""


@dataclass(eq=False)
class SimulatedRun:
    """One run and the process that works on it."""

    run_id: str
    entity: str
    selection: str
    mark: str | None
    begun: float | None = None
    ended: float | None = None
    process: Process | None = None


@dataclass(eq=False)
class Dagster:
    """``start`` makes a process work on a run and calls back when that is over."""

    loop: VirtualLoop
    start: Callable[[SimulatedRun], None]
    runs: list[SimulatedRun] = field(default_factory=list)
    open: list[SimulatedRun] = field(default_factory=list)
    """Those that wait or work: a week has thousands that are over, and everybody asks every few seconds."""
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def launch_now(self, entity: str, selection: str, mark: str | None = None) -> str:
        """Put a run into the queue; returns its id."""
        run = SimulatedRun(f"run{next(self._numbers)}", entity, selection, mark)
        self.runs.append(run)
        self.open.append(run)
        self.turn()
        return run.run_id

    def turn(self) -> None:
        """Notice what died, and start what waits."""
        now = self.loop.time()
        for run in self.open:
            if run.process is not None and run.process.dead and now - (run.begun or 0.0) > NOTICED_AFTER:
                run.ended = now
        self.open = [run for run in self.open if run.ended is None]
        working = [run for run in self.open if run.begun is not None]
        waiting = [run for run in self.open if run.begun is None]
        for run in waiting[: max(0, AT_ONCE - len(working))]:
            run.begun = now
            self.start(run)

    def ended(self, run: SimulatedRun) -> None:
        """A run told that it is over."""
        run.ended = self.loop.time()
        self.turn()

    def launched_for(self, entity: str, selection: str) -> list[Launched]:
        """Return the runs for what waits in an inbox, the newest first."""
        now = self.loop.time()
        asked = (entity, selection)
        under_way = [run for run in reversed(self.open) if (run.entity, run.selection) == asked and run.ended is None]
        mine = (run for run in reversed(self.runs) if (run.entity, run.selection) == asked)
        over = list(itertools.islice((run for run in mine if run.ended is not None), LOOK_BACK))
        return [
            Launched(
                run_id=run.run_id,
                mark=run.mark,
                started=run.begun is not None,
                over=run.ended is not None,
                age_seconds=now - (run.ended or run.begun or now),
            )
            for run in (*under_way, *over)
        ]

    # As the gateway's launcher

    async def launch(self, job: str, config: Mapping[str, Any], trigger: Trigger, tags: Mapping[str, str]) -> str:
        """Launch a run for the gateway."""
        del trigger, tags
        return self.launch_now(job.removeprefix("sync_"), str(config["selection"]))

    async def active_runs(self, job: str) -> list[Run]:
        """Return the runs that are not over."""
        return [
            Run(run.run_id, "QUEUED" if run.begun is None else "STARTED", tags={PENDING_TAG: "yes"})
            for run in self.open
            if run.entity == job.removeprefix("sync_") and run.ended is None and run.selection == "pending"
        ]
