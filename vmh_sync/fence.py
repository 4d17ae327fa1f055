"""Fences around foreign writes: no request leaves after its lease has ended (sync-semantics.md 3).

Whoever holds a lease puts up a fence; every write that is sent below, in this task, in tasks and (through
:func:`carried`) in threads that it starts, is checked against it at the last moment before sending, and gets a deadline
that lies before the lease's end. Writers have nothing to pass on and so nothing to forget.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from typing import Protocol, TypeVar

T = TypeVar("T")


class Fence(Protocol):
    """Something that ends, and with it the permission to write."""

    def seconds_left(self) -> float:
        """Return how long a write that leaves now may take; raises when it must not leave any more."""
        ...


_refusal: ContextVar[Exception | None] = ContextVar("refusal of writes", default=None)
_fences: ContextVar[tuple[Fence, ...]] = ContextVar("fences of writes", default=())


def put_up(fence: Fence) -> None:
    """Check every write from here on against ``fence``."""
    _fences.set((*_fences.get(), fence))


def take_down(fence: Fence) -> None:
    """Check writes from here on no more; what was started meanwhile stays behind the fence."""
    # Not by a token: a block may end in another context than it began in.
    _fences.set(tuple(one for one in _fences.get() if one is not fence))


def seconds_for_a_write() -> float | None:
    """Return how long a write that leaves now may take, None without a fence; raises what the fences raise."""
    return min((fence.seconds_left() for fence in _fences.get()), default=None)


@contextmanager
def nothing_written(refusal: Exception) -> Iterator[None]:
    """Refuse every foreign write of the block by raising ``refusal``: what only looks must not be able to write."""
    before = _refusal.get()
    _refusal.set(refusal)
    try:
        yield
    finally:
        _refusal.set(before)


def require_writing() -> None:
    """Raise where writing is refused (:func:`nothing_written`); the clients ask before each write."""
    refusal = _refusal.get()
    if refusal is not None:
        raise refusal


@contextmanager
def over_comes_first() -> Iterator[None]:
    """Let what fails in the block fail as the fences' end when they have ended by then; raises what the fences raise.

    Whoever was stopped for longer than its lease meets many errors, all of them about a record that is somebody else's
    by now: none of them says anything about the record, and none may be noted on it.
    """
    try:
        yield
    except Exception:
        seconds_for_a_write()
        raise


def carried(call: Callable[[], T]) -> Callable[[], T]:
    """Return ``call`` as it has to be given to a thread, so that its writes stay behind our fences."""
    return partial(copy_context().run, call)
