"""How far a pass is: who waits for it, in this process, hears of every record that was read or is done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum


class Step(StrEnum):
    """What happened to a record of the pass."""

    READ = "read"
    DONE = "done"


Listener = Callable[[Step, int], None]

_listener: ContextVar[Listener | None] = ContextVar("listener to a pass", default=None)


@contextmanager
def listened(by: Listener) -> Iterator[None]:
    """Let ``by`` hear of the records of a pass inside this block; it must return at once and not raise."""
    token = _listener.set(by)
    try:
        yield
    finally:
        _listener.reset(token)


def went_through(step: Step, records: int = 1) -> None:
    """Say that records were read or are done, if anybody listens."""
    listener = _listener.get()
    if listener is not None and records:
        listener(step, records)
