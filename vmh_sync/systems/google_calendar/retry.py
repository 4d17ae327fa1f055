"""When to try again, and after how long (specification, kalender.md 1: "exponential backoff and fresh jitter")."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from vmh_sync.clock import Clock, SystemClock
from vmh_sync.systems.google_calendar.errors import GoogleCalendarError, TransientError
from vmh_sync.systems.retry import RetryPolicy
from vmh_sync.watchdog import waiting

T = TypeVar("T")


class Replay(Enum):
    """What may be repeated without harm."""

    SAFE = "safe"  # reads, and writes that a second arrival does not double (client id, etag, upsert)
    NEVER = "never"  # a second arrival doubles the effect: repeat only what certainly was not carried out


def google_policy(attempts: int = 6) -> RetryPolicy:
    """Return how patiently Google is asked again: waits from 1 s to 64 s, and up to 120 s when Google asks for it."""
    return RetryPolicy(attempts, first_wait=1.0, longest_wait=64.0, longest_asked=120.0)


@dataclass(slots=True)
class Retrier:
    """Runs a call until it succeeds, fails for good or the attempts are used up.

    ``sleep`` (of the calling thread) and ``clock`` are injected so that tests do not wait.
    """

    policy: RetryPolicy = field(default_factory=google_policy)
    sleep: Callable[[float], None] = time.sleep
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
        if not isinstance(error, TransientError):
            return None
        if replay is Replay.NEVER and not error.certainly_not_done:
            return None
        return self.policy.wait_after(number + 1, error.retry_after)
