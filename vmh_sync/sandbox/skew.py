"""The clock of a machine that nobody set right."""

from datetime import datetime, timedelta

from vmh_sync.clock import Clock


class SkewedClock:
    """A clock that is ahead of another by a fixed span (a negative one: behind)."""

    def __init__(self, clock: Clock, ahead: timedelta) -> None:
        self._clock = clock
        self._ahead = ahead

    def now(self) -> datetime:
        """Return the moment that this clock shows, aware."""
        return self._clock.now() + self._ahead
