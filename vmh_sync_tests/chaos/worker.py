"""A worker of the product in its own process: passes over everything that is there, until it is told to end."""

import asyncio
import contextlib
import os
import signal
from collections import Counter
from collections.abc import Mapping
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess

from vmh_sync.beteiligte import batch as stages
from vmh_sync.beteiligte.composition import PARTS
from vmh_sync.beteiligte.selection import Selection, select
from vmh_sync.coordination.errors import CoordinationUnavailable, LeaseLost
from vmh_sync.engine.opening import open_context
from vmh_sync.store.errors import StoreError
from vmh_sync.systems.errors import ForeignSystemError

OUTAGES = (ForeignSystemError, StoreError, CoordinationUnavailable, LeaseLost)
"""What ends a run that Dagster then starts again: not a fault of the product while a service is away."""


def _work(environment: Mapping[str, str], pipe: Connection) -> None:
    os.environ.update(environment)
    while pipe.recv() == "pass":
        try:
            asyncio.run(_one_pass())
            pipe.send("done")
        except OUTAGES as error:
            pipe.send(f"outage: {type(error).__name__}")


async def _one_pass() -> None:
    async with open_context(f"chaos-{os.getpid()}") as context:
        ids = await select(context, Selection.ALL)
        batch = await stages.fetch(context, PARTS, ids)
        stages.diff(PARTS, stages.map_fields(batch))
        await stages.write(context, PARTS, batch)


class Worker:
    """One worker; it makes a pass whenever it is asked to and is not busy."""

    def __init__(self, context: ForkServerContext, environment: Mapping[str, str]) -> None:
        self._pipe, child = context.Pipe()
        self._process: BaseProcess = context.Process(target=_work, args=(dict(environment), child), daemon=True)
        self._process.start()
        child.close()
        self.busy = False
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

    def ask(self) -> None:
        """Ask for a pass, unless one is under way."""
        self.notice()
        if not self.busy and self.lives:
            with contextlib.suppress(ConnectionError):  # killed at this very moment
                self._pipe.send("pass")
                self.busy = True

    def notice(self, seconds: float = 0) -> bool:
        """See whether the pass has ended; waits up to ``seconds``. Returns whether the worker is free or dead."""
        if self.busy and self._pipe.poll(seconds):
            with contextlib.suppress(EOFError, ConnectionError):
                self.ends[self._pipe.recv()] += 1
            self.busy = False
        return not self.busy or not self.lives

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.join()
