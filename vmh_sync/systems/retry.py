"""Repeating what may be repeated: exponential backoff with jitter.

Written here instead of taken from a library because the wait must honour Retry-After, must be injectable (tests do
not wait), and because only the error class decides: a client raises its transient error only when a repetition
cannot do harm (reads always; writes only when they were certainly not processed).
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.watchdog import waiting

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently a call is repeated; all times in seconds. The same rule for all three systems."""

    attempts: int = 4
    first_wait: float = 0.5
    """The first wait; each further one is twice as long. As much again, at most, is added at random to each."""
    longest_wait: float = 15.0
    longest_asked: float | None = None
    """The longest Retry-After that is waited for; ``None``: as long as ``longest_wait``."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Random = field(default_factory=Random)

    def wait_after(self, attempt: int, retry_after: float | None) -> float | None:
        """Seconds to wait after failed attempt number ``attempt`` (1 is the first); None means give up.

        A longer Retry-After than ``longest_asked`` also means give up: the caller comes back later anyway. The random
        part comes on top of it: all who were told the same moment must not come back at once.
        """
        longest_asked = self.longest_wait if self.longest_asked is None else self.longest_asked
        if attempt >= self.attempts or (retry_after or 0.0) > longest_asked:
            return None
        backoff = min(self.longest_wait, self.first_wait * 2.0 ** (attempt - 1))
        return max(backoff, retry_after or 0.0) + self.first_wait * self.random.random()


async def repeat(policy: RetryPolicy, transient: type[ForeignSystemError], once: Callable[[bool], Awaitable[T]]) -> T:
    """Run ``once`` until it returns, fails with something else than ``transient``, or the policy gives up.

    ``once`` is told whether this is a repetition. Raises whatever ``once`` raised last.
    """
    attempt = 0
    while True:
        try:
            return await once(attempt > 0)
        except transient as error:
            attempt += 1
            wait = policy.wait_after(attempt, error.retry_after)
            if wait is None:
                raise
        with waiting(wait):
            await policy.sleep(wait)
