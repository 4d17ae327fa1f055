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
        self._failure: Callable[[float], ForeignSystemError] | None = None

    def start(self, seconds: float, failure: Callable[[float], ForeignSystemError]) -> None:
        """Hold back for ``seconds``; ``failure`` builds the error from the seconds that are still left."""
        self._until = self._clock.now() + timedelta(seconds=seconds)
        self._failure = failure

    def check(self) -> None:
        """Raise the remembered failure if the pause is not over."""
        if self._until is None or self._failure is None:
            return
        left = (self._until - self._clock.now()).total_seconds()
        if left > 0:
            raise self._failure(left)
        self._until = self._failure = None
