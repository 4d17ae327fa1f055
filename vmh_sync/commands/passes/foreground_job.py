"""Runs a Dagster job in the foreground, so that Ctrl-C ends it in order.

Dagster turns Ctrl-C into an exception of its own that an event loop swallows, and starts helpers (for its logs) that
write a trace when the terminal interrupts them. So the job runs in a thread beside: Dagster leaves the signals alone
there, the helpers inherit that thread's blocked signal, and the main thread waits.
"""

import contextvars
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")

UNWIND_SECONDS = 8.0
"""How long an interrupted job may take to give its leases back."""


def in_foreground(run: Callable[[], T]) -> T:
    """Return what ``run`` returns, or raise what it raises; ``KeyboardInterrupt`` when a person ends it meanwhile."""
    beside = ThreadPoolExecutor(1, thread_name_prefix="pass", initializer=_leave_interrupts_to_others)
    job = beside.submit(contextvars.copy_context().run, run)
    try:
        return job.result()
    except KeyboardInterrupt:
        wait([job], UNWIND_SECONDS)
        raise
    finally:
        beside.shutdown(wait=False)


def _leave_interrupts_to_others() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
