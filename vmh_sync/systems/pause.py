"""Holding back: after certain failures a client refuses its own calls for a while instead of making them worse."""

from collections.abc import Callable
from datetime import datetime, timedelta

from vmh_sync.clock import Clock
from vmh_sync.systems.errors import ForeignSystemError


class Pause:
    """Remembers a failure until a moment; every check before that moment raises it anew."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: datetime | None = None
        self._seconds = 0.0
        self._failure: Callable[[float], ForeignSystemError] | None = None

    def start(self, seconds: float, failure: Callable[[float], ForeignSystemError]) -> None:
        """Hold back for ``seconds``; ``failure`` builds the error from the seconds that are still left."""
        self._until = self._clock.now() + timedelta(seconds=seconds)
        self._seconds = seconds
        self._failure = failure

    def check(self) -> None:
        """Raise the remembered failure if the pause is not over."""
        if self._until is None or self._failure is None:
            return
        left = (self._until - self._clock.now()).total_seconds()
        # More left than there ever was: the clock has been set back since, and nobody knows how long ago it began.
        if 0 < left <= self._seconds:
            failure = self._failure(left)
            failure.held_back = True
            raise failure
        self._until = self._failure = None


SILENT_ATTEMPTS = 6
SILENCE_PAUSE_SECONDS = 5.0


class Silence:
    """Shared patience with a system that does not answer at all.

    Without it each of hundreds of callers would wait out its own time-outs, one batch after the other. After six
    attempts in a row, of whichever callers, that brought no answer, all attempts of the next five seconds fail at
    once; the failure names the seconds left, so that callers who repeat wait for the end of the pause.
    """

    def __init__(self, clock: Clock, failure: Callable[[float], ForeignSystemError]) -> None:
        self._pause = Pause(clock)
        self._failure = failure
        self._silent = 0

    def check(self) -> None:
        """Raise the failure while the pause lasts."""
        self._pause.check()

    def answered(self) -> None:
        """Take note of an answer, whatever it says."""
        self._silent = 0

    def unanswered(self) -> None:
        """Take note of an attempt without an answer."""
        self._silent += 1
        if self._silent >= SILENT_ATTEMPTS:
            self._pause.start(SILENCE_PAUSE_SECONDS, self._failure)
