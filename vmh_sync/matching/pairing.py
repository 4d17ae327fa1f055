"""Matches whole sides: which pairs are certain, which are likely, who stands alone, who is there twice.

A pair is certain only if it is the only one that either of its parties could be in. Father and son of one name, or a
party that one side has twice, are for a person.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Generic, TypeVar

from vmh_sync.matching.blocking import keys
from vmh_sync.matching.comparable import ComparableParty, comparable
from vmh_sync.matching.compare import judge
from vmh_sync.matching.traits import Evidence, Likeness, Resemblance, Traits

SHARED_BY = 3
"""An e-mail, phone or account of so many parties of one side (a law office, a family) tells nobody from others."""

LARGEST_BLOCK = 400
"""More parties than that under one key say that the key is no key; they meet under others."""

NOT_UNIQUE = Evidence("eindeutig", 0, "nicht eindeutig: kommt auch mit einem anderen in Frage")

A = TypeVar("A", bound=Hashable)
B = TypeVar("B", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Pair(Generic[A, B]):
    """Two parties that may be one, and why."""

    one: A
    other: B
    resemblance: Resemblance


@dataclass(frozen=True, slots=True)
class Matched(Generic[A, B]):
    """What two sides have in common. ``doubled_*`` are pairs within a side. Each pair is named once."""

    certain: tuple[Pair[A, B], ...]
    likely: tuple[Pair[A, B], ...]
    only_one: tuple[A, ...]
    only_other: tuple[B, ...]
    doubled_one: tuple[Pair[A, A], ...]
    doubled_other: tuple[Pair[B, B], ...]


def match(
    one: Mapping[A, Traits],
    other: Mapping[B, Traits],
    *,
    known: Mapping[A, B] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Matched[A, B]:
    """Match two sides by content.

    ``known`` are pairs that are linked already: they are not matched, but who resembles one of them on the same side is
    there twice. ``progress`` is told of every party, how many of how many are looked through: with large sides this
    takes minutes.
    """
    total, done = 2 * len(one) + len(other), count(1)

    def step() -> None:
        progress(next(done), total)

    progress(0, total)  # large sides take a while before the first comparison
    linked: Mapping[A, B] = known or {}
    taken = set(linked.values())
    one_side, other_side = _comparable(one), _comparable(other)
    doubled_in_one = [pair for pair in _within(one_side, step) if not (pair.one in linked and pair.other in linked)]
    doubled_in_other = [pair for pair in _within(other_side, step) if not (pair.one in taken and pair.other in taken)]
    free_one = {key: party for key, party in one_side.items() if key not in linked}
    free_other = {key: party for key, party in other_side.items() if key not in taken}
    for _ in range(len(one) - len(free_one)):
        step()
    found = list(_across(free_one, free_other, step))
    doubtful_one = {name for pair in doubled_in_one for name in (pair.one, pair.other)}
    doubtful_other = {name for pair in doubled_in_other for name in (pair.one, pair.other)}
    certain, likely = _settled(found, doubtful_one, doubtful_other)
    paired_one, paired_other = {pair.one for pair in found}, {pair.other for pair in found}
    return Matched(
        certain=tuple(certain),
        likely=tuple(likely),
        only_one=tuple(key for key in free_one if key not in paired_one),
        only_other=tuple(key for key in free_other if key not in paired_other),
        doubled_one=tuple(doubled_in_one),
        doubled_other=tuple(doubled_in_other),
    )


def _settled(
    found: list[Pair[A, B]], doubtful_one: set[A], doubtful_other: set[B]
) -> tuple[list[Pair[A, B]], list[Pair[A, B]]]:
    one_side, other_side = Counter(pair.one for pair in found), Counter(pair.other for pair in found)
    certain, likely = [], []
    for pair in sorted(found, key=lambda pair: -pair.resemblance.score):
        alone = one_side[pair.one] == other_side[pair.other] == 1
        single = pair.one not in doubtful_one and pair.other not in doubtful_other
        if pair.resemblance.likeness is not Likeness.CERTAIN:
            likely.append(pair)
        elif alone and single:
            certain.append(pair)
        else:
            told = replace(pair.resemblance, evidence=(*pair.resemblance.evidence, NOT_UNIQUE))
            likely.append(replace(pair, resemblance=replace(told, likeness=Likeness.LIKELY)))
    return certain, likely


def _comparable(side: Mapping[A, Traits]) -> dict[A, ComparableParty]:
    ready = {key: comparable(traits) for key, traits in side.items()}
    counts = {
        name: Counter(value for party in ready.values() for value in getattr(party, name))
        for name in ("emails", "phones", "ibans")
    }
    return {key: _without_shared(party, counts) for key, party in ready.items()}


def _without_shared(party: ComparableParty, counts: Mapping[str, Counter[str]]) -> ComparableParty:
    def own(name: str, told: frozenset[str]) -> frozenset[str]:
        return frozenset(value for value in told if counts[name][value] < SHARED_BY)

    return replace(
        party,
        emails=own("emails", party.emails),
        phones=own("phones", party.phones),
        ibans=own("ibans", party.ibans),
    )


def _blocks(side: Mapping[A, ComparableParty]) -> dict[str, list[A]]:
    blocks: dict[str, list[A]] = defaultdict(list)
    for key, party in side.items():
        for name in keys(party):
            blocks[name].append(key)
    return {name: members for name, members in blocks.items() if len(members) <= LARGEST_BLOCK}


def _across(
    one_side: Mapping[A, ComparableParty], other_side: Mapping[B, ComparableParty], step: Callable[[], None]
) -> Iterator[Pair[A, B]]:
    blocks = _blocks(other_side)
    for one, party in one_side.items():
        met: Iterable[B] = dict.fromkeys(other for name in keys(party) for other in blocks.get(name, ()))
        for other in met:
            found = judge(party, other_side[other])
            if found.likeness is not Likeness.NONE:
                yield Pair(one, other, found)
        step()


def _within(side: Mapping[A, ComparableParty], step: Callable[[], None]) -> list[Pair[A, A]]:
    blocks = _blocks(side)
    order = {key: number for number, key in enumerate(side)}
    pairs = []
    for one, party in side.items():
        met = {other for name in keys(party) for other in blocks.get(name, ()) if order[other] > order[one]}
        for other in sorted(met, key=order.__getitem__):
            found = judge(party, side[other])
            if found.likeness is not Likeness.NONE:
                pairs.append(Pair(one, other, found))
        step()
    return pairs
