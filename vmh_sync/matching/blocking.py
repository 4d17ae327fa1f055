"""Keys under which two parties meet, so that not everybody is compared with everybody.

Two parties are compared when they share one key. Each kind of fault that people make leaves at least one key whole:
a slip in the family name leaves its neighbour without that letter, a name written by ear leaves its sound, a married
name leaves birth date, e-mail, phone and account, a wrong birth date leaves the name.
"""

from collections.abc import Iterator

from vmh_sync.matching.comparable import ComparableParty
from vmh_sync.matching.spelling import sound

_LONGEST = 24
"""Of longer names the first letters are enough."""


def keys(party: ComparableParty) -> set[str]:
    """Return the keys of a party."""
    found = {f"@{one}" for one in party.emails} | {f"#{one}" for one in party.phones}
    found |= {f"${one}" for one in party.ibans}
    found |= set(_company_keys(party)) if not party.traits.vorname.strip() else set()
    found |= set(_person_keys(party)) if not party.company else set()
    return found


def _person_keys(party: ComparableParty) -> Iterator[str]:
    initials = {word[0] for word in party.first} or {"?"}
    whole = "".join(party.family)
    for initial in sorted(initials | {"?"} if len(initials) == 1 and "?" in initials else initials):
        for spelled in (*_without_one_letter(whole), party.in_one_word):
            yield f"n{initial}{spelled}"
        for word in (*party.family, *party.maiden):
            yield f"n{initial}{word}"
            yield f"s{initial}{sound(word)}"
    for word in party.family:
        for street in party.streets:
            yield f"w{word}{street}"
    if party.first:
        yield "x" + "".join(sorted(("".join(party.family), "".join(party.first))))
    if party.born is not None:
        low, high = sorted((party.born.day, party.born.month))
        yield f"b{party.born.year}.{low}.{high}"


def _company_keys(party: ComparableParty) -> Iterator[str]:
    whole = "".join(party.core)
    for spelled in _without_one_letter(whole):
        yield f"c{spelled}"
    yield f"k{sound(whole)}"
    if party.former:
        yield f"c{''.join(party.former)[:_LONGEST]}"
    if party.register is not None:
        yield f"r{party.register.digits}"


def _without_one_letter(word: str) -> Iterator[str]:
    """Yield a word and its neighbours with one letter less: two words one slip apart share one of them."""
    word = word[:_LONGEST]
    yield word
    for place in range(len(word)):
        yield word[:place] + word[place + 1 :]
