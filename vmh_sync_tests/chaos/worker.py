"""A worker of the product in its own process: passes over parties and calendars, until it is told to end."""

import asyncio
import contextlib
import functools
import os
import signal
from collections import Counter
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from typing import Any

from vmh_sync.beteiligte import batch as stages
from vmh_sync.beteiligte.composition import PARTS
from vmh_sync.beteiligte.selection import Selection, select
from vmh_sync.coordination import connection
from vmh_sync.coordination.errors import CoordinationUnavailable, LeaseLost
from vmh_sync.engine.passes.opening import open_context
from vmh_sync.engine.writing import create_once
from vmh_sync.kalender.context import CalendarSettings, open_calendar
from vmh_sync.kalender.employee.employee_work import SyncOptions
from vmh_sync.kalender.employee.sync_employee import sync_employee
from vmh_sync.kalender.reading import employees
from vmh_sync.store.errors import StoreError
from vmh_sync.systems.advoware import client as advoware_client
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.espocrm import client as espocrm_client
from vmh_sync.systems.retry import RetryPolicy
from vmh_sync_tests.fixtures.chancery import QUICK

OUTAGES = (ForeignSystemError, StoreError, CoordinationUnavailable, LeaseLost)
"""What ends a run that Dagster then starts again: not a fault of the product while a service is away."""

Job = tuple[str, Sequence[str]]
"""``parties`` with the ids (none: everything), or ``calendars`` with the Kürzel."""


def hurry() -> None:
    """Make everything in this process that has no setting wait a tenth as long as in production."""
    patient = functools.partial(RetryPolicy, first_wait=0.05, longest_wait=0.5)
    redis: dict[str, Any] = {**connection._options(), "socket_connect_timeout": 0.3, "socket_timeout": 0.5}
    for module, name, value in (
        (create_once, "LOOK_AGAIN_AFTER", (0.0, 0.03, 0.1)),
        (advoware_client, "RetryPolicy", patient),
        (espocrm_client, "RetryPolicy", patient),
        (connection, "_options", lambda: redis),
    ):
        assert hasattr(module, name), f"{module.__name__} has no {name} any more"
        setattr(module, name, value)


def _work(environment: Mapping[str, str], pipe: Connection) -> None:
    os.environ.update(environment)
    hurry()
    while True:
        try:
            what, which = pipe.recv()
        except EOFError:
            return
        try:
            asyncio.run(_one_pass(which) if what == "parties" else _calendars(which))
            pipe.send(f"{what} done")
        except OUTAGES as error:
            pipe.send(f"{what} outage: {type(error).__name__}")


async def _one_pass(which: Sequence[str]) -> None:
    async with open_context(f"chaos-{os.getpid()}") as context:
        ids = list(which) or await select(context, Selection.ALL)
        batch = await stages.fetch(context, PARTS, ids)
        stages.diff(PARTS, stages.map_fields(batch))
        await stages.write(context, PARTS, batch)


async def _calendars(kuerzel: Sequence[str]) -> None:
    async with open_calendar(f"chaos-{os.getpid()}", CalendarSettings.read(), retry=QUICK) as context:
        chosen = await employees.select(context, kuerzel)
        for employee in chosen.employees:
            await sync_employee(context, employee, SyncOptions())


class Worker:
    """One worker; it makes a pass whenever it is asked to and is not busy. ``pipe`` is readable when one has ended."""

    def __init__(self, context: ForkServerContext, environment: Mapping[str, str]) -> None:
        self.pipe, child = context.Pipe()
        self._process: BaseProcess = context.Process(target=_work, args=(dict(environment), child), daemon=True)
        self._process.start()
        child.close()
        self.busy: Job | None = None
        self.ends: Counter[str] = Counter()

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def lives(self) -> bool:
        """Whether the process is still there."""
        return self._process.is_alive()

    @property
    def broke(self) -> bool:
        """Whether it ended by itself: a pass met something that nobody foresaw."""
        return not self.lives and self._process.exitcode != -signal.SIGKILL

    def ask(self, job: Job) -> None:
        """Ask for a pass, unless one is under way."""
        self.notice()
        if self.busy is None and self.lives:
            with contextlib.suppress(ConnectionError):  # killed at this very moment
                self.pipe.send(job)
                self.busy = job

    def notice(self, seconds: float = 0) -> bool:
        """See whether the pass has ended; waits up to ``seconds``. Returns whether the worker is free or dead."""
        if self.busy is not None and self.pipe.poll(seconds):
            with contextlib.suppress(EOFError, ConnectionError):
                self.ends[self.pipe.recv()] += 1
            self.busy = None
        return self.busy is None or not self.lives

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.join()
        self.pipe.close()
