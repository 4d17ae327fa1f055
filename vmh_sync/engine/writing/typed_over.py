"""Which record may be the one that an unanswered create made, if a person has typed over it since. Pure.

Only records that were not there before come into question. Nobody can tell one that was typed over from one that a
person made while the request never arrived, so the caller tells what is replaced.
"""

from collections.abc import Mapping
from difflib import SequenceMatcher

_MUCH_ALIKE = 0.7


def most_likely(sent: str, candidates: Mapping[int, str]) -> int | None:
    """Return the id of the one much like what was sent, else of the first that was made; ``None`` without any."""

    def rank(number: int) -> tuple[bool, int]:
        alike = SequenceMatcher(None, sent, candidates[number], autojunk=False).ratio()
        return alike < _MUCH_ALIKE, number

    return min(candidates, key=rank, default=None)
