"""Whole numbers in texts that people and foreign systems give.

``str.isdigit`` also takes ``²`` and digits of other scripts, and ``int`` refuses thousands of digits: both would end
whatever reads such a text.
"""

LARGEST = 2**63 - 1
"""What a number of ours may be: a database holds no larger one."""

_LONGEST = len(str(LARGEST))


def whole_number(text: object) -> int | None:
    """Return the number that a text consists of; ``None`` for anything else, and for one larger than any of ours."""
    digits = str(text)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST):
        return None
    number = int(digits)
    return number if number <= LARGEST else None
