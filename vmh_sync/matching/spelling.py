"""How names are folded and how near two spellings are. Distance and phonetics come from kept libraries."""

import re
import unicodedata
from functools import lru_cache

import cologne_phonetics
from rapidfuzz.distance import OSA

_UMLAUTS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "&": " und ", "+": " und ", "'": "", "’": ""}
    | {"ı": "i", "ł": "l", "ø": "oe", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d"}
)
_ONE_SOUND = (("ph", "f"), ("ks", "x"), ("chr", "kr"), ("th", "t"))
"""Spellings of one sound that lie several letters apart: Aleksandr and Alexander, Philipp and Filip."""
_SLIP_FROM = 5
"""Shorter names that differ in one letter are different names (Jan, Jon)."""
_TWO_SLIPS_FROM = 10
_SHORTEST = 2
_HEARD_FROM = 4
"""Shorter names sound alike too easily (Lau, Loh)."""
_SOUNDS_WITHIN = 2
"""Names that sound alike are alike only within so many edits: Meier and Mayr, but not Weber and Weifert."""


@lru_cache(maxsize=200_000)
def fold(text: str) -> str:
    """Return small letters and digits without accents, words apart by one blank; umlauts written out."""
    plain = unicodedata.normalize("NFC", text).casefold().translate(_UMLAUTS)
    return " ".join(re.split(r"[\W_]+", bare(plain))).strip()


def bare(text: str) -> str:
    """Return the text without accents; an umlaut is its letter alone."""
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))


@lru_cache(maxsize=200_000)
def sound(word: str) -> str:
    """Return how a folded word sounds in German (Kölner Phonetik), empty where it has no letters that it knows."""
    return "".join(code for _, code in cologne_phonetics.encode(word))


def nearly(one: str, other: str) -> bool:
    """Whether two folded words are one name in two spellings: a slip of the pen, or the same sound."""
    shorter, longer = sorted((len(one), len(other)))
    if shorter < _SLIP_FROM or longer - shorter > _SOUNDS_WITHIN or _digits(one) != _digits(other):
        return False
    allowed = 2 if shorter >= _TWO_SLIPS_FROM else 1
    pairs = ((one, other), (_heard(one), _heard(other)))
    distance = min(OSA.distance(a, b, score_cutoff=_SOUNDS_WITHIN) for a, b in pairs)
    return distance <= allowed or (distance <= _SOUNDS_WITHIN and bool(sound(one)) and sound(one) == sound(other))


def sound_alike(one: str, other: str) -> bool:
    """Whether two names are said the same, however short: Meier and Mayr."""
    return min(len(one), len(other)) >= _HEARD_FROM and bool(sound(one)) and sound(one) == sound(other)


def _heard(word: str) -> str:
    for spelled, short in _ONE_SOUND:
        word = word.replace(spelled, short)
    return word


def one_letter_apart(one: str, other: str) -> bool:
    """Whether two short words differ in one letter: a slip (Uwe, Uew) or two names (Jan, Jon)."""
    return min(len(one), len(other)) >= _SHORTEST and OSA.distance(one, other, score_cutoff=1) == 1


def _digits(word: str) -> str:
    """The digits of a name: they tell one of a series from the next."""
    return "".join(char for char in word if char.isdigit())
