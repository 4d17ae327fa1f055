"""When to try again, and after how long (specification, kalender.md 1: "exponential backoff and fresh jitter")."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import TypeVar

from vmh_sync.clock import Clock, SystemClock
from vmh_sync.systems.google_calendar.errors import GoogleCalendarError, TransientError
from vmh_sync.watchdog import waiting

T = TypeVar("T")


class Replay(Enum):
    """What may be repeated without harm."""

    SAFE = "safe"  # reads, and writes that a second arrival does not double (client id, etag, upsert)
    NEVER = "never"  # a second arrival doubles the effect: repeat only what certainly was not carried out


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long: attempts in all, first pause, longest backoff, longest wait Google may ask for."""

    attempts: int = 6
    base_seconds: float = 1.0
    cap_seconds: float = 64.0
    longest_wait_seconds: float = 120.0


@dataclass(slots=True)
class Retrier:
    """Runs a call until it succeeds, fails for good or the attempts are used up.

    ``sleep``, ``rng`` and ``clock`` are injected so that tests neither wait nor guess.
    """

    policy: RetryPolicy = field(default_factory=RetryPolicy)
    sleep: Callable[[float], None] = time.sleep
    rng: random.Random = field(default_factory=random.SystemRandom)
    clock: Clock = field(default_factory=SystemClock)

    def call(self, attempt: Callable[[int], T], replay: Replay) -> T:
        """Call ``attempt(n)`` with n = 0, 1, …; return its result.

        Raises the last error: at once when it is not transient, when ``replay`` forbids a repetition, or when
        Google asks for a longer wait than the policy allows. ``after_lost_answer`` of the raised error is set
        when an earlier attempt may have been carried out.
        """
        lost = False
        for number in range(self.policy.attempts):
            try:
                return attempt(number)
            except GoogleCalendarError as error:
                error.after_lost_answer = lost
                pause = self._pause(error, number, replay)
                if pause is None:
                    raise
                lost = lost or not error.certainly_not_done
                with waiting(pause):
                    self.sleep(pause)
        raise AssertionError("the last attempt either returns or raises")

    def _pause(self, error: GoogleCalendarError, number: int, replay: Replay) -> float | None:
        """Return the seconds to wait before the next attempt, None to give up."""
        if not isinstance(error, TransientError) or number + 1 >= self.policy.attempts:
            return None
        if replay is Replay.NEVER and not error.certainly_not_done:
            return None
        backoff = min(self.policy.cap_seconds, self.policy.base_seconds * 2.0**number)
        jitter = self.rng.random() * self.policy.base_seconds
        asked = error.retry_after or 0.0
        if asked > self.policy.longest_wait_seconds:
            return None
        return max(backoff, asked) + jitter


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """Read a ``Retry-After`` header (seconds or HTTP date); None when there is none or it is unreadable.

    ``now`` is aware; a date in the past gives 0.
    """
    if not header:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(header) - now).total_seconds())
    except (ValueError, TypeError):
        return None
