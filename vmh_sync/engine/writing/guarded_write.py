"""The write window: look, compare, send, with nothing in between (specification, sync-semantics.md 3).

Advoware takes whole records only, so a PUT made from an older read would put back what a person changed since. Every
change of an existing record therefore goes through :func:`guarded_write`: it looks at the target, compares it with
what the plan was made from and sends directly afterwards, laid over what it has just seen. Whatever else a record needs
(tasks, lists, our database, the lease) comes before the look.

What remains is the time between the answer to the look and the arrival of the request. ``rowId`` is opaque, so an edit
in that time cannot be told from its absence: no interface of Advoware closes this window.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from vmh_sync.engine.passes.pass_context import WriteGate
from vmh_sync.sync.base import Side
from vmh_sync.systems.errors import Conflict

T = TypeVar("T")
R = TypeVar("R")


class TargetMoved(Conflict):
    """The target is no longer as the plan saw it; nothing was sent: read again, plan again."""

    retryable = True
    people = "Der Datensatz wurde während des Abgleichs von anderer Stelle geändert; der Abgleich wird wiederholt."


async def guarded_write(
    gate: WriteGate,
    side: Side,
    *,
    look: Callable[[], Awaitable[T | None]],
    unmoved: Callable[[T], bool],
    send: Callable[[T], Awaitable[R]],
) -> R:
    """Send a write that was planned from an earlier read; returns what ``send`` returns.

    ``look`` reads the target, ``unmoved`` compares it with what the plan was made from, ``send`` gets the freshest
    record. Raises :class:`TargetMoved` when the target is gone or differs, ``LeaseLost`` before anything is read, and
    whatever ``look`` and ``send`` raise.
    """
    await gate.ready()
    fresh = await look()
    if fresh is None or not unmoved(fresh):
        raise TargetMoved(f"{side}: changed since the plan was made")
    with gate.counted(side):
        return await send(fresh)
