"""A side that refuses a whole write does not say which value it minds: then each is sent alone.

So only the bad one stays behind (specification, sync-semantics.md 1: a refused value is quarantined, everything else of
the record goes on).
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from vmh_sync.sync.planning.plan import FieldChange
from vmh_sync.systems.advoware.errors import Rejected

R = TypeVar("R")


async def send_what_is_taken(
    current: R, changes: Sequence[FieldChange], send: Callable[[R, Sequence[FieldChange]], Awaitable[R]]
) -> tuple[R, dict[str, str]]:
    """Send ``changes`` to Advoware, one by one if it refuses them together.

    ``send`` gets the record as it stands and returns it as it stands then. Returns that record and Advoware's own
    reason for each field that it refused. Raises whatever else ``send`` raises.
    """
    try:
        return await send(current, changes), {}
    except Rejected as whole:
        if len(changes) == 1:
            return current, {changes[0].field: whole.said}
    refused: dict[str, str] = {}
    for change in changes:
        try:
            current = await send(current, [change])
        except Rejected as refusal:
            refused[change.field] = refusal.said
    return current, refused
