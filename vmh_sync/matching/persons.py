"""Names of persons."""

from enum import IntEnum

from vmh_sync.matching.spelling import fold, nearly

_PARTICLES = frozenset({"von", "vom", "van", "de", "dem", "den", "der", "zu", "zum", "zur"})
TITLES = _PARTICLES | frozenset(
    {"dr", "prof", "dipl", "ing", "med", "dent", "vet", "jur", "rer", "nat", "phil", "mag", "dres", "ra", "rain", "rae"}
    | {"freiherr", "freifrau", "graf", "graefin"}
)
_NAMES_TOO = frozenset({"freiherr", "graf"})
"""Titles that are family names where nothing follows them."""
_YOUNGER = frozenset({"jun", "jr", "junior", "jg", "ii"})
_YOUNGEST = frozenset({"iii"})
_OLDER = frozenset({"sen", "sr", "senior"})
_GENERATIONS = _YOUNGER | _YOUNGEST | _OLDER
_SHORT_FORM_FROM = 3


class Fit(IntEnum):
    """How two names fit."""

    DIFFERENT = 0
    UNTOLD = 1  # one of them is not told
    ALIKE = 2
    SAME = 3


def name_words(name: str) -> list[str]:
    """Return the words of a name without titles, particles and the words for father and son."""
    words = fold(name).split()
    last = words[-1:] if words[-1:] and words[-1] in _NAMES_TOO else []
    return [word for word in words if word not in TITLES | _GENERATIONS] + last or words


def in_one_word(name: str) -> str:
    """Return a name with its particles as one word: ``van der Berg`` and ``Vanderberg`` are the same."""
    return "".join(word for word in fold(name).split() if word not in (TITLES | _GENERATIONS) - _PARTICLES)


def generation(name: str) -> int:
    """Return 1 for a name with "jun." or "II", 2 with "III", -1 with "sen.", 0 without any."""
    words = set(fold(name).split()[1:])
    return bool(words & _YOUNGER) + 2 * bool(words & _YOUNGEST) - bool(words & _OLDER)


def family_fit(one: list[str], other: list[str]) -> Fit:
    """Compare family names; one half of a double name is alike."""
    if not one or not other:
        return Fit.UNTOLD
    if sorted(one) == sorted(other) or "".join(one) == "".join(other):
        return Fit.SAME
    if set(one) < set(other) or set(other) < set(one) or nearly("".join(one), "".join(other)):
        return Fit.ALIKE
    return Fit.ALIKE if _half_alike(one, other) else Fit.DIFFERENT


def _half_alike(one: list[str], other: list[str]) -> bool:
    """One half of a double name, with a slip in it."""
    if (len(one) == 1) == (len(other) == 1):
        return False
    single, several = (one, other) if len(one) == 1 else (other, one)
    return any(nearly(single[0], word) for word in several)


def first_fit(one: list[str], other: list[str]) -> Fit:
    """Compare first names; an initial, a short form and one of several names are alike."""
    told = family_fit(one, other)
    if told is not Fit.DIFFERENT:
        return told
    short, long = sorted((one[0], other[0]), key=len)
    starts = long.startswith(short) and (len(short) == 1 or len(short) >= _SHORT_FORM_FROM)
    return Fit.ALIKE if starts else Fit.DIFFERENT
