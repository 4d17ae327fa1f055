"""What is too much to have been typed: an import, a mass action, what piled up while nobody looked.

It waits in the inbox's bulk lane, so that an edit beside it waits no longer than on a quiet day. Nothing is left out by
that, and a record that somebody edits while it waits there moves to the front.
"""

from collections import Counter
from collections.abc import Iterable

MOST_TYPED = 20
"""Records that one person may change within one look back (a few seconds) and still be taken for typing."""
MOST_EDITS = 50
"""Records that one run of the live lane takes: its place is free again after a few seconds."""
TYPED_A_SECOND = 2.0
"""Records that a whole firm may change by typing, for longer than a moment."""
SENSOR = "sensor"
WATCH = "watch"
LOOKS = (SENSOR, WATCH)
"""Sources that tell a crowd themselves: what they have put into the live lane was typed, whatever else waits there."""


def is_crowd(number: float) -> bool:
    """Return whether so many records changed at once that no person can have typed that."""
    return number > MOST_TYPED


def crowded(users: Iterable[str | None]) -> frozenset[str | None]:
    """Return the users who stand here too often for a person; ``users``: who changed each record of one look."""
    return frozenset(user for user, number in Counter(users).items() if is_crowd(number))


class Arrivals:
    """How many events came lately, less what is typed meanwhile; moments are seconds of any clock that only goes on."""

    def __init__(self) -> None:
        self._level = 0.0
        self._at = 0.0

    def crowd(self, number: int, now: float) -> bool:
        """Take note of so many events; returns whether a crowd arrives. It is forgotten ten seconds after its last."""
        left = max(0.0, self._level - TYPED_A_SECOND * (now - self._at))
        self._level, self._at = min(left + number, 2.0 * MOST_TYPED), now
        return is_crowd(self._level)
