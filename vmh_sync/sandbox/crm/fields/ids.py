"""Record ids as EspoCRM makes them: 17 hex digits that grow with time."""

import random

from vmh_sync.clock import Clock


class IdMaker:
    """Makes ids of 8 hex digits of seconds, 5 of microseconds and 4 random ones.

    Ids made one after the other within one second still grow, so that "newest first" is stable.
    The random part comes from ``rng``; the same seed and clock give the same ids.
    """

    def __init__(self, clock: Clock, rng: random.Random) -> None:
        self._clock = clock
        self._rng = rng
        self._second = -1
        self._micro = 0

    def new(self) -> str:
        """Return an id that was not returned before."""
        now = self._clock.now()
        second = int(now.timestamp())
        if second == self._second:
            self._micro = max(self._micro + 1, now.microsecond)
        else:
            self._second, self._micro = second, now.microsecond
        return f"{second:08x}{self._micro % 0x100000:05x}{self._rng.randrange(0x10000):04x}"

    def key(self) -> str:
        """Return 32 hex digits: an API key or a secret of the simulated system."""
        return f"{self._rng.getrandbits(128):032x}"
