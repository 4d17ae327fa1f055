"""A pause that began while the clock was ahead is over when the clock is right again."""

from datetime import UTC, datetime, timedelta

import pytest

from vmh_sync.clock import ManualClock
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.pause import Pause


def test_a_pause_lasts_its_seconds_and_never_until_a_clock_that_was_wrong() -> None:
    clock = ManualClock(datetime(2027, 3, 2, 12, tzinfo=UTC))
    pause = Pause(clock)
    pause.start(30, lambda left: ForeignSystemError(f"{left:.0f} s left"))
    clock.advance(timedelta(seconds=10))
    with pytest.raises(ForeignSystemError, match="20 s left"):
        pause.check()

    clock.advance(-timedelta(days=365))

    pause.check()
