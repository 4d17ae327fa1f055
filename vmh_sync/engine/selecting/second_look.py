"""An empty list from which something would follow is read a second time (specification, sync-semantics.md 2).

A system that leaves out a whole list for one answer would otherwise let us create everything in it once more, or take
all of it away on the other side.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


async def second_look(
    first: Sequence[T], again: Callable[[], Awaitable[Sequence[T]]], *, something_follows: bool
) -> Sequence[T]:
    """Return ``first``, or what ``again`` reads when ``first`` is empty and something would follow from that.

    So an empty list is returned only if two answers in a row say so, or if nothing depends on it.
    """
    return first if first or not something_follows else await again()
