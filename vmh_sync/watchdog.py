"""The watch over a run: one in which nothing goes on for a set time ends itself and says where it stood.

What goes on is told by those at whom it happens: a foreign call was answered (``Transport``, Google's client), our
database took a transaction, a lease was granted. A wait that is meant and bounded (Retry-After, a quota, somebody
else's lease, the life of an unanswered request) is announced with :func:`waiting` and is no standstill. Both reach the
watch through the context, also from threads that :func:`asyncio.to_thread` starts, and cost one addition.

The watch is a thread of its own, so that it also sees a run whose event loop stands.
"""

import asyncio
import concurrent.futures.thread  # noqa: F401 - registers its end of the process before ours
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from contextvars import ContextVar
from types import CodeType, FrameType
from typing import Any, NoReturn

from vmh_sync import interrupt

_log = logging.getLogger(__name__)

GRACE_SECONDS = 60.0
"""How long a run that was told to end may take for it, such as to give its leases back."""
_LONGEST_TICK = 1.0
_CANCEL_EVERY = 1.0
_EXIT_CODE = 70
"""``EX_SOFTWARE`` of sysexits.h."""


_process_ends = threading.Event()
_guarded: set[int] = set()
"""Processes (a fork is another one) that have somebody who waits for their end."""
# What is registered last is called first: before concurrent.futures waits for its threads, which may take for ever.
threading._register_atexit(_process_ends.set)  # type: ignore[attr-defined]


class Stalled(Exception):
    """Nothing went on in a run for too long; trying again may help. ``str`` is German."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"Der Lauf kam {seconds:.0f} Sekunden lang nicht voran und wurde beendet; er kann wiederholt werden. "
            "Wo er stand, steht im Protokoll."
        )


class Progress:
    """What went on in one run: a number that grows, and the waits that were announced. Used from any thread."""

    def __init__(self) -> None:
        self.count = 0
        self._waits: dict[object, float] = {}

    def note(self) -> None:
        """Take note that something went on. A lost addition of two threads does no harm: the number moved."""
        self.count += 1

    @contextmanager
    def waiting(self, seconds: float) -> Iterator[None]:
        """Take note of a wait that is meant, until it is over or has lasted for ``seconds``."""
        wait = object()
        self._waits[wait] = time.monotonic() + seconds
        try:
            yield
        finally:
            del self._waits[wait]
            self.note()

    def waits_at(self, moment: float) -> bool:
        """Tell whether a wait that was announced still lasts at a moment of the monotonic clock."""
        return any(until > moment for until in list(self._waits.values()))


_current: ContextVar[Progress | None] = ContextVar("progress of the run", default=None)


def went_on() -> None:
    """Say that something went on in the run that this belongs to, if it is watched."""
    progress = _current.get()
    if progress is not None:
        progress.note()


@contextmanager
def waiting(seconds: float) -> Iterator[None]:
    """Announce a wait of at most ``seconds`` that is meant."""
    progress = _current.get()
    with nullcontext() if progress is None else progress.waiting(seconds):
        yield


@asynccontextmanager
async def watched(name: str, seconds: float) -> AsyncIterator[Progress]:
    """Watch what happens in this block, in this task. ``name`` names it in the log.

    When nothing goes on for ``seconds``, the stacks of all tasks and threads go into the log (places in the code, no
    values) and the task is cancelled until it ends: leases are given back on the way. Raises :class:`Stalled` then.
    When even that does not help for :data:`GRACE_SECONDS`, the process ends: leases of a dead process are free, and
    Dagster's daemon fails its run.
    """
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("only a task can be watched")
    watch = _Watch(name, seconds, task, asyncio.get_running_loop())
    token = _current.set(watch.progress)
    watch.start()
    unregister = interrupt.register(asyncio.get_running_loop(), task)
    try:
        yield watch.progress
    except asyncio.CancelledError:
        if not watch.over():
            raise
        while task.cancelling():
            task.uncancel()
        raise Stalled(seconds) from None
    finally:
        unregister()
        watch.over()
        _current.reset(token)


class _Watch(threading.Thread):
    def __init__(self, name: str, seconds: float, task: "asyncio.Task[Any]", loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(name=f"watch over {name}", daemon=True)
        self.progress = Progress()
        self._seconds = seconds
        self._task = task
        self._loop = loop
        self._over = threading.Event()
        self._cancelling = threading.Lock()
        self._fired = False

    def over(self) -> bool:
        """End the watch; returns whether it has told the run to end."""
        with self._cancelling:
            self._over.set()
            return self._fired

    def run(self) -> None:
        if not self._stands_still():
            return
        _log.error(
            "%s: nothing went on for %.0f s, it is ended. It stood here:\n%s",
            self.name,
            self._seconds,
            _where(self._loop),
        )
        until = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < until:
            try:
                self._loop.call_soon_threadsafe(self._cancel)
            except RuntimeError:
                break  # the loop is closed, so the run is over
            if self._over.wait(_CANCEL_EVERY):
                break
        else:
            _log.critical("%s: it does not end, so the process does:\n%s", self.name, _where(self._loop))
            os._exit(_EXIT_CODE)
        _leave_no_process_behind(self.name, self._loop)

    def _cancel(self) -> None:
        with self._cancelling:
            if not self._over.is_set():
                self._fired = True
                self._task.cancel()

    def _stands_still(self) -> bool:
        """Look until the run is over (False) or stood still for too long (True)."""
        tick = min(_LONGEST_TICK, self._seconds / 10)
        still, seen, looked = 0.0, self.progress.count, time.monotonic()
        while not self._over.wait(tick):
            moment = time.monotonic()
            if self.progress.count != seen or self.progress.waits_at(moment):
                still, seen = 0.0, self.progress.count
            else:
                # A process that was stopped for an hour did not stand still for an hour.
                still += min(moment - looked, 2 * tick)
            looked = moment
            if still >= self._seconds:
                return True
        return False


def _leave_no_process_behind(name: str, loop: asyncio.AbstractEventLoop) -> None:
    """End the process if it waits at the end of the loop, or its own, for a thread that hangs, as Python does."""
    deadline = None
    while not loop.is_closed():
        time.sleep(_CANCEL_EVERY)
        if not (_process_ends.is_set() or _closing(loop)):
            deadline = None
        elif deadline is None:
            deadline = time.monotonic() + GRACE_SECONDS
        elif time.monotonic() > deadline:
            _end_with_hanging_thread(name)
    if os.getpid() not in _guarded:  # one is enough for a process, however many runs of it stood still
        _guarded.add(os.getpid())
        _process_ends.wait()
        time.sleep(GRACE_SECONDS)
        _end_with_hanging_thread(name)


def _end_with_hanging_thread(name: str) -> NoReturn:
    _log.critical("%s: a thread hangs at the end of the process:\n%s", name, _threads())
    os._exit(_EXIT_CODE)


def _closing(loop: asyncio.AbstractEventLoop) -> bool:
    """Tell whether ``asyncio.run`` waits for the threads of the loop: it has no bound for that (Python 3.11)."""
    return bool(getattr(loop, "_executor_shutdown_called", False)) and not loop.is_closed()


def _where(loop: asyncio.AbstractEventLoop) -> str:
    try:
        tasks = asyncio.all_tasks(loop)
    except RuntimeError:
        tasks = set()  # they changed too quickly; the threads are told anyway
    lines = [f"{len(tasks)} tasks"]
    for task in tasks:
        lines += [f"task {task.get_name()}", *(_place(code, line) for code, line in _awaits(task.get_coro()))]
    return "\n".join([*lines, _threads()])


def _threads() -> str:
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    lines = []
    for ident, frame in sys._current_frames().items():
        lines += [f"thread {names.get(ident, ident)}", *_frames(frame)]
    return "\n".join(lines)


def _frames(frame: FrameType) -> list[str]:
    return [_place(one.f_code, line) for one, line in traceback.walk_stack(frame)]


def _awaits(work: Any) -> Iterator[tuple[CodeType, int]]:
    """Follow what a coroutine awaits, down to the innermost one of Python's."""
    while work is not None:
        frame = getattr(work, "cr_frame", None) or getattr(work, "gi_frame", None) or getattr(work, "ag_frame", None)
        if frame is not None:
            yield frame.f_code, frame.f_lineno
        work = getattr(work, "cr_await", None) or getattr(work, "gi_yieldfrom", None)


def _place(code: CodeType, line: int | None) -> str:
    return f"  {code.co_filename}:{line} {code.co_qualname}"
