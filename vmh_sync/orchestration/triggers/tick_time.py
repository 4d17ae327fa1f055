"""How long a tick of a sensor may ask a foreign system.

Dagster gives a tick 60 s, and two of our sensors' threads are all there are: three sensors that wait for a system that
takes connections and stays silent (a client's time-out times its attempts) would hold up every other one. One that
answers, page after page, is listened to for longer: a look that is broken off begins anew in the next tick, so that
many changes at once would never be taken.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from vmh_sync.systems.errors import Transient

T = TypeVar("T")
SECONDS = 20.0
"""Of silence."""
LONGEST = 50.0
"""Of the whole look."""


class TickOver(Transient):
    """A system did not answer while the tick lasted; the next tick asks again."""

    people = "Das System antwortet zu langsam oder gar nicht; der nächste Blick fragt wieder."


async def in_time(look: Awaitable[T], answered: Callable[[], int] = int) -> T:
    """Await a look that only reads; raises :class:`TickOver` after ``SECONDS`` without a further answer.

    ``answered`` tells how many requests of the look were answered so far.
    """
    loop = asyncio.get_running_loop()
    last = loop.time() + LONGEST
    try:
        async with asyncio.timeout(SECONDS) as limit:
            timer: asyncio.TimerHandle | None = None

            def listen(heard: int) -> None:
                nonlocal timer
                now = answered()
                if now != heard and not limit.expired():
                    limit.reschedule(min(loop.time() + SECONDS, last))
                timer = loop.call_later(SECONDS / 10, listen, now)

            listen(answered())
            try:
                return await look
            finally:
                if timer is not None:
                    timer.cancel()
    except TimeoutError:
        raise TickOver(f"no answer within {SECONDS:.0f} s, or not all within {LONGEST:.0f} s") from None
