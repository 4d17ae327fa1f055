"""Passes in a process of their own that can be killed: forked from a server that has everything imported."""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from typing import Any

from vmh_sync.beteiligte import batch as stages
from vmh_sync.beteiligte.composition import PARTS
from vmh_sync.engine.passes.opening import open_context
from vmh_sync.systems.advoware.client import AdvowareClient

TIMEOUT = 60.0


def _stop_once_before(call: str) -> None:
    """Let this process stop itself (SIGSTOP) when it is about to make that call of the Advoware client."""
    original = getattr(AdvowareClient, call)

    async def stopped(*args: Any, **kwargs: Any) -> Any:
        setattr(AdvowareClient, call, original)
        os.kill(os.getpid(), signal.SIGSTOP)
        return await original(*args, **kwargs)

    setattr(AdvowareClient, call, stopped)


def _stop_once_in_the_queue_of(call: str) -> None:
    """Let this process stop itself while that call of the Advoware client waits for a free slot."""
    original = getattr(AdvowareClient, call)

    async def queued(self: AdvowareClient, *args: Any, **kwargs: Any) -> Any:
        setattr(AdvowareClient, call, original)
        slots, taken = self._connection._transport._slots, 0
        while not slots.locked():
            taken += await slots.acquire()
        waiting = asyncio.create_task(original(self, *args, **kwargs))
        while not slots._waiters:  # noqa: ASYNC110 - no event tells that it has come to the queue
            await asyncio.sleep(0)
        os.kill(os.getpid(), signal.SIGSTOP)
        for _ in range(taken):
            slots.release()
        return await waiting

    setattr(AdvowareClient, call, queued)


def _pass(
    environment: Mapping[str, str], ids: Sequence[str], pipe: Connection, stops_before: str | None, in_queue: bool
) -> None:
    os.environ.update(environment)
    if stops_before is not None:
        (_stop_once_in_the_queue_of if in_queue else _stop_once_before)(stops_before)
    pipe.recv()  # "go": by now the caller knows our pid and has laid its trap

    async def run() -> list[Any]:
        async with open_context(f"crash-{os.getpid()}") as context:
            batch = await stages.fetch(context, PARTS, ids)
            stages.diff(PARTS, stages.map_fields(batch))
            return await stages.write(context, PARTS, batch)

    pipe.send([(str(outcome.result), outcome.error) for outcome in asyncio.run(run())])


class KillablePass:
    """One pass over given ids in its own process.

    ``stops_before`` is a call before which it stops itself; with ``in_queue`` while that call waits for a free slot.
    """

    def __init__(
        self,
        context: ForkServerContext,
        environment: Mapping[str, str],
        ids: Sequence[str],
        stops_before: str | None = None,
        *,
        in_queue: bool = False,
    ) -> None:
        self._pipe, child = context.Pipe()
        self._process: BaseProcess = context.Process(
            target=_pass, args=(dict(environment), list(ids), child, stops_before, in_queue)
        )
        self._process.start()
        child.close()

    def kill(self) -> None:
        """End the process if it is still there, stopped or not."""
        self._process.kill()
        self._process.join(TIMEOUT)

    @property
    def pid(self) -> int:
        """The process id, known before the pass begins."""
        assert self._process.pid is not None
        return self._process.pid

    def go(self) -> list[tuple[str, str | None]] | None:
        """Let the pass run; returns its outcomes, or ``None`` when it was killed."""
        self.begin()
        return self.end()

    def begin(self) -> None:
        """Let the pass run, and do not wait for it."""
        self._pipe.send("go")

    def end(self) -> list[tuple[str, str | None]] | None:
        """Wait until the pass is over; returns as :meth:`go`."""
        self._process.join(TIMEOUT)
        assert self._process.exitcode is not None, "the pass hangs"
        if self._process.exitcode == -signal.SIGKILL:
            return None
        assert self._process.exitcode == 0, "the pass broke"
        return list(self._pipe.recv())
