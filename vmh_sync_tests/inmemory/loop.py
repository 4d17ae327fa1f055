"""An event loop on virtual time: nothing waits, a seed decides who comes next, and processes can be killed.

Every simulated process is a context in which its tasks run. Within one process callbacks run in the order that asyncio
promises; between processes the seed chooses. A process that was killed never runs again, not even its ``finally``
blocks, until :meth:`VirtualLoop.bury` clears up behind the simulation. Threads do not exist: what the product gives
to one runs as a callback of its own, so that a kill may fall before it, and between it and its result.
"""

import asyncio
import contextvars
import heapq
import random
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")

STUCK_AFTER = 2_000_000
"""Callbacks without an end of the work that was asked for: something runs in a circle."""


class Died(BaseException):
    """Raised through the calls of a process that dies in the middle of them; no ``except Exception`` may see it."""


class Standstill(AssertionError):
    """All processes wait for something that nobody will bring."""


@dataclass(eq=False)
class Process:
    """A simulated process. ``dies_at``: the callback of its life before which it is killed."""

    name: str
    dies_at: int | None = None
    steps: int = 0
    dead: bool = False
    stopped_until: float = 0.0

    def kill(self) -> None:
        """End it as SIGKILL does: now, and without a last word."""
        self.dead = True


_process: contextvars.ContextVar[Process | None] = contextvars.ContextVar("simulated process", default=None)


def own_process() -> Process | None:
    """Return the simulated process that runs now."""
    return _process.get()


def _settle(future: asyncio.Future[Any], result: object, error: BaseException | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)


class VirtualLoop(asyncio.BaseEventLoop):
    """``time()`` jumps to the next timer when nothing is ready; ``rng`` chooses between processes that are ready."""

    # What every loop of asyncio keeps, and no stub tells.
    _ready: deque[Any]
    _scheduled: list[Any]

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self.rng = rng
        self._virtual = 0.0
        self._clock_resolution = 1e-9
        self.callbacks = 0
        self._processes: list[Process] = []
        self._left_behind: list[asyncio.Handle] = []
        # What nobody holds any more would be collected, and that runs the ``finally`` blocks of the dead.
        self._held: set[asyncio.Task[Any]] = set()

    def time(self) -> float:
        """Return the virtual seconds since the beginning."""
        return self._virtual

    def pass_time(self, seconds: float) -> None:
        """Let time pass while a process holds everybody up: a blocking call, or a clock that is put forward."""
        self._virtual += seconds

    # Processes

    def start(self, process: Process, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Start the work of a process."""
        self._processes.append(process)
        context = contextvars.copy_context()
        context.run(_process.set, process)
        return self.create_task(work, context=context)

    def run_for(self, process: Process, work: Coroutine[Any, Any, T]) -> T:
        """Run everybody until this work of ``process`` is over; raises :class:`Died` when the process was killed."""
        task = self.start(process, work)
        before = self.callbacks
        self.run_while(lambda: not (task.done() or process.dead) and self.callbacks - before < STUCK_AFTER)
        if process.dead:
            raise Died(process.name)
        if not task.done():
            raise AssertionError(f"{process.name}: no end after {STUCK_AFTER} callbacks")
        return task.result()

    def run_until(self, moment: float) -> None:
        """Run everybody until a virtual moment; what happens at that very moment is included."""
        while self._ready or (self._scheduled and self._scheduled[0]._when <= moment):
            self._turn()
        self._virtual = max(self._virtual, moment)

    def run_while(self, going: Callable[[], bool]) -> None:
        """Run everybody as long as ``going()``; raises when all of them wait for nothing."""
        asyncio._set_running_loop(self)
        try:
            while going():
                self._one_callback()
        finally:
            asyncio._set_running_loop(None)

    def _turn(self) -> None:
        asyncio._set_running_loop(self)
        try:
            self._one_callback()
        finally:
            asyncio._set_running_loop(None)

    def bury(self) -> None:
        """End everything that is left, of the dead too: their tasks are cancelled where nothing can be reached."""
        for process in self._processes:
            process.dead, process.dies_at, process.stopped_until = False, None, 0.0
        self._ready.extend(self._left_behind)
        for _ in range(50):
            left = [task for task in asyncio.all_tasks(self) if not task.done()]
            if not left:
                break
            for task in left:
                task.cancel()
            end = self.callbacks + 1000
            with suppress(Standstill):
                self.run_while(lambda end=end: self.callbacks < end)  # type: ignore[misc]
        self._scheduled.clear()
        self._ready.clear()
        self._held.clear()

    # How asyncio uses it

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> "asyncio.Future[T]":
        """Run ``func`` as a callback of its own and hand its result over in another one."""
        del executor
        future: asyncio.Future[T] = self.create_future()

        def work() -> None:
            try:
                result = func(*args)
            except Died:
                process = own_process()
                if process is not None:
                    process.kill()
            except BaseException as error:  # noqa: BLE001 - as a thread pool does
                self.call_soon(_settle, future, None, error)
            else:
                self.call_soon(_settle, future, result, None)

        self.call_soon(work)
        return future

    def _one_callback(self) -> None:
        self._let_time_pass()
        handle = self._next()
        if handle is None or handle._cancelled:
            return
        process = handle._context.get(_process)  # type: ignore[attr-defined]
        if process is not None:
            if process.dies_at is not None and process.steps >= process.dies_at:
                process.kill()
            if process.dead:
                self._left_behind.append(handle)
                self._held |= asyncio.all_tasks(self)
                return
            process.steps += 1
        self.callbacks += 1
        handle._run()
        if process is not None and process.dead:
            self._held |= asyncio.all_tasks(self)

    def _let_time_pass(self) -> None:
        scheduled = self._scheduled
        while not self._ready and scheduled:
            timer = heapq.heappop(scheduled)
            timer._scheduled = False
            if timer._cancelled:
                continue
            self._virtual = max(self._virtual, timer._when)
            self._ready.append(timer)
        while scheduled and scheduled[0]._when <= self._virtual:
            timer = heapq.heappop(scheduled)
            timer._scheduled = False
            if not timer._cancelled:
                self._ready.append(timer)
        if not self._ready:
            raise Standstill("everybody waits, and nothing is ever going to come")

    def _next(self) -> asyncio.Handle | None:
        ready = self._ready
        if len(ready) == 1 and not self._is_stopped(ready[0]):
            return ready.popleft()
        first: dict[int, int] = {}
        for place, handle in enumerate(ready):
            if not self._is_stopped(handle):
                first.setdefault(id(handle._context.get(_process)), place)
        if not first:
            self._wake_up()
            return None
        places = list(first.values())
        place = places[0] if len(places) == 1 else self.rng.choice(places)
        handle = ready[place]
        del ready[place]
        return handle

    def _is_stopped(self, handle: Any) -> bool:
        process = handle._context.get(_process)
        return process is not None and process.stopped_until > self._virtual and not process.dead

    def _wake_up(self) -> None:
        """All that are ready are stopped: let time pass until somebody runs again or a timer is due."""
        ends = [p.stopped_until for h in self._ready if (p := h._context.get(_process)) is not None]
        timers = [timer._when for timer in self._scheduled[:1]]
        self._virtual = max(self._virtual, min(ends + timers))

    def _process_events(self, event_list: Any) -> None:
        """Nothing comes from outside."""

    def _write_to_self(self) -> None:
        """Nobody sleeps who would have to be woken."""
