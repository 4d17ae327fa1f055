"""How long a tick of a sensor may ask a foreign system.

Dagster gives a tick 60 s, and two of our sensors' threads are all there are: three sensors that wait for a system that
takes connections and stays silent (a client's time-out times its attempts) would hold up every other one.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from vmh_sync.systems.errors import Transient

T = TypeVar("T")
SECONDS = 20.0


class TickOver(Transient):
    """A system did not answer while the tick lasted; the next tick asks again."""

    people = "Das System antwortet zu langsam oder gar nicht; der nächste Blick fragt wieder."


async def in_time(look: Awaitable[T]) -> T:
    """Await a look that only reads; raises :class:`TickOver` after ``SECONDS``."""
    try:
        async with asyncio.timeout(SECONDS):
            return await look
    except TimeoutError:
        raise TickOver(f"no answer within {SECONDS:.0f} s") from None
