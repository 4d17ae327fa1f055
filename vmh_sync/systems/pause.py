"""Holding back: after certain failures a client refuses its own calls for a while instead of making them worse."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from vmh_sync.clock import Clock
from vmh_sync.systems.errors import ForeignSystemError, NoAnswerError, NotSentError


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

    def __init__(self, clock: Clock, transient: type[ForeignSystemError]) -> None:
        self._pause = Pause(clock)
        self._transient = transient
        self._silent = 0

    def check(self) -> None:
        """Raise the failure while the pause lasts."""
        self._pause.check()

    @contextmanager
    def broken_by_an_answer(self, where: str, unanswered: type[ForeignSystemError]) -> Iterator[None]:
        """Count an attempt, and raise the client's own error for one without an answer.

        ``unanswered``: what it raises when the request may have been processed. An answer counts whatever it says.
        """
        try:
            yield
        except NotSentError as error:
            self._unanswered()
            raise self._transient(f"{where}: {error}") from None
        except NoAnswerError as error:
            self._unanswered()
            raise unanswered(f"{where}: {error}") from None
        self._silent = 0

    def _unanswered(self) -> None:
        self._silent += 1
        if self._silent >= SILENT_ATTEMPTS:
            self._pause.start(
                SILENCE_PAUSE_SECONDS, lambda left: self._transient("no answers (held back)", retry_after=left)
            )
