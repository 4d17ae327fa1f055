"""Which records may be the ones that unanswered creates made, if a person has typed over them since. Pure.

Only records that were not there before come into question. Nobody can tell one that was typed over from one that a
person made while the request never arrived, so the caller tells what is replaced.
"""

from collections.abc import Hashable, Mapping
from difflib import SequenceMatcher
from typing import TypeVar

_MUCH_ALIKE = 0.7

Create = TypeVar("Create", bound=Hashable)


def most_likely(sent: Mapping[Create, str], candidates: Mapping[Create, Mapping[int, str]]) -> dict[Create, int]:
    """Return the record of each create, as far as there is one, by its id; no record stands for two.

    ``sent`` are the values in the order in which they were sent, ``candidates`` what the records say now that may be a
    create's. What is much alike belongs together, most alike first; of the rest what was made first to what was sent
    first.
    """
    ranked = []
    for order, (create, value) in enumerate(sent.items()):
        for number, says in candidates[create].items():
            alike = SequenceMatcher(None, value, says, autojunk=False).ratio()
            unlike = alike < _MUCH_ALIKE
            ranked.append((unlike, 0.0 if unlike else -alike, order, number, create))
    found: dict[Create, int] = {}
    for *_, number, create in sorted(ranked, key=lambda one: one[:4]):
        if create not in found and number not in found.values():
            found[create] = number
    return found
