"""Ending what runs beside us: nothing here waits for a task without bound.

One ``cancel()`` is not enough. Until Python 3.12 ``asyncio.wait_for``, under every call of redis-py, may swallow a
cancel that arrives together with its answer; whoever then awaits the task waits for ever (case: a lease's block that
ended while its renewal talked to Redis). So every background task is ended through :func:`stop`, which cancels again
until the task has ended, and a loop besides looks at a flag of its own.
"""

import asyncio
import logging
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

_log = logging.getLogger(__name__)

T = TypeVar("T")
U = TypeVar("U")

PATIENCE_SECONDS = 15.0
"""Longer than Redis's time-outs of 3 and 5 seconds together with one repetition."""
_FIRST_NUDGE = 0.01
_LONGEST_NUDGE = 1.0

_kept: set[asyncio.Task[Any]] = set()
"""The loop itself keeps only weak references to tasks."""


async def stop(*tasks: "asyncio.Task[Any]", seconds: float = PATIENCE_SECONDS) -> bool:
    """Cancel tasks until they have ended. Returns False, and says so in the log, when one has not after ``seconds``.

    Their results and exceptions are dropped. When the caller is cancelled meanwhile, its own cancel goes on.
    """
    loop = asyncio.get_running_loop()
    deadline, nudge = loop.time() + seconds, _FIRST_NUDGE
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        left = deadline - loop.time()
        if left <= 0:
            _log.error("%d background tasks did not end within %.0f s and are left alone", len(pending), seconds)
            return False
        _, pending = await asyncio.wait(pending, timeout=min(nudge, left))
        nudge = min(nudge * 2, _LONGEST_NUDGE)
    _look_at(*tasks)
    return True


async def let_end(*tasks: "asyncio.Task[Any]", seconds: float = PATIENCE_SECONDS) -> bool:
    """Let tasks end by themselves for ``seconds``, then :func:`stop` them. Returns whether they did end by themselves.

    Their results and exceptions are dropped.
    """
    pending = {task for task in tasks if not task.done()}
    if pending:
        _, pending = await asyncio.wait(pending, timeout=seconds)
    _look_at(*(task for task in tasks if task.done()))
    if not pending:
        return True
    _log.warning("%d background tasks did not end within %.0f s and are stopped", len(pending), seconds)
    await stop(*pending)
    return False


async def all_of(*work: Awaitable[T]) -> list[T]:
    """Wait for all of it; where one fails, the others are ended before its error goes on.

    ``asyncio.gather`` leaves them running, past the end of the block that closes what they work with.
    """
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return await asyncio.gather(*tasks)  # noqa: TID251
    except BaseException:
        for task in tasks:
            if not task.cancelling():  # else it is giving back what it holds: a second cancel would break that off
                task.cancel()
        await let_end(*tasks)
        raise


async def both(one: Awaitable[T], other: Awaitable[U]) -> tuple[T, U]:
    """Wait as :func:`all_of` for two of different kinds."""
    first, second = asyncio.ensure_future(one), asyncio.ensure_future(other)
    await all_of(first, second)
    return first.result(), second.result()


async def carried_out(work: "Coroutine[Any, Any, None]", seconds: float = PATIENCE_SECONDS) -> None:
    """Carry out a last duty, such as giving a lease back, even when the caller is cancelled meanwhile.

    Waits at most ``seconds``. Raises what ``work`` raises; a cancel of the caller is passed on at once, the work goes
    on beside it.
    """
    task = asyncio.create_task(work)
    _kept.add(task)
    task.add_done_callback(_forget)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if done:
        task.result()
        return
    _log.error("a last duty did not end within %.0f s", seconds)
    task.cancel()


def _forget(task: "asyncio.Task[Any]") -> None:
    _kept.discard(task)
    _look_at(task)


def _look_at(*tasks: "asyncio.Task[Any]") -> None:
    """Mark exceptions as seen, so that asyncio does not complain about them."""
    for task in tasks:
        if task.done() and not task.cancelled():
            task.exception()
