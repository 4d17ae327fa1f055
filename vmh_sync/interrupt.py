"""Ctrl-C: one sentence and exit code 130, at whatever moment it comes. Imports nothing slow.

The first one unwinds as usual, so that leases are given back; the second one, or ten seconds, end the process at once.
A killed process leaves nothing that the next pass does not repair, so nothing is lost by that either.
"""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from vmh_sync.interrupt_words import INTERRUPTED, SENTENCE

if TYPE_CHECKING:
    import asyncio  # takes a while: the program begins here

PATIENCE_SECONDS = 10.0

_happened = threading.Event()
_tasks: "list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]]" = []


@contextmanager
def armed() -> Iterator[None]:
    """Take over Ctrl-C in this process; enter it first of all, in the main thread."""
    before = signal.signal(signal.SIGINT, _on_interrupt)
    try:
        yield
    except BaseException as ended:
        if is_interrupt(ended):
            end()
        raise
    finally:
        signal.signal(signal.SIGINT, before)


def only_ends() -> None:
    """From here on Ctrl-C only ends the process: its work is done, and Python is about to take itself apart."""
    signal.signal(signal.SIGINT, lambda *_: end())


def happened() -> bool:
    """Whether this process was interrupted."""
    return _happened.is_set()


def is_interrupt(error: BaseException) -> bool:
    """Whether an exception means that the person pressed Ctrl-C; Dagster has a class of its own for it."""
    ended = isinstance(error, SystemExit) and error.code == INTERRUPTED
    by_dagster = type(error).__name__ == "DagsterExecutionInterruptedError"
    return happened() or ended or by_dagster or isinstance(error, KeyboardInterrupt)


def end() -> NoReturn:
    """Say the sentence and end the process, without waiting for threads."""
    _silence()
    sys.stdout.flush()
    sys.stderr.write(f"{SENTENCE}\n")
    sys.stderr.flush()
    os._exit(INTERRUPTED)


def register(loop: "asyncio.AbstractEventLoop", task: "asyncio.Task[Any]") -> Callable[[], None]:
    """Let Ctrl-C cancel a task that runs in another thread; returns what ends that."""
    entry = (loop, task)
    _tasks.append(entry)
    return lambda: _tasks.remove(entry)


def _cancel_tasks() -> None:
    for loop, task in tuple(_tasks):
        with suppress(RuntimeError):  # the loop is closed: it is over
            loop.call_soon_threadsafe(task.cancel)


def _on_interrupt(_number: int, _frame: FrameType | None) -> None:
    if _happened.is_set():
        end()
    _happened.set()
    _silence()
    last = threading.Timer(PATIENCE_SECONDS, end)
    last.daemon = True
    last.start()
    _cancel_tasks()
    raise KeyboardInterrupt


def _silence() -> None:
    # What is cut off complains; the person wants to read one sentence.
    logging.disable(logging.CRITICAL)
    sys.unraisablehook = lambda _: None
