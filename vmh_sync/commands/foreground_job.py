"""Runs a Dagster job in the foreground, so that Ctrl-C ends it in order.

Dagster turns Ctrl-C into an exception of its own that an event loop swallows, and starts helpers (for its logs) that
write a trace when the terminal interrupts them. So the job runs in a thread beside: Dagster leaves the signals alone
there, the helpers inherit that thread's blocked signal, and the main thread waits.
"""

import contextvars
import signal
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

UNWIND_SECONDS = 8.0
"""How long an interrupted job may take to give its leases back."""


def in_foreground(run: Callable[[], T]) -> T:
    """Return what ``run`` returns, or raise what it raises; ``KeyboardInterrupt`` when a person ends it meanwhile."""
    result: list[T] = []
    problem: list[BaseException] = []

    def aside() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            result.append(run())
        except BaseException as error:
            problem.append(error)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(aside,), name="pass", daemon=True)
    thread.start()
    try:
        thread.join()
    except KeyboardInterrupt:
        thread.join(UNWIND_SECONDS)
        raise
    if problem:
        raise problem[0]
    return result[0]
