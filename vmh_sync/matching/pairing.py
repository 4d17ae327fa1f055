"""Matches whole sides: which pairs are certain, which are likely, who stands alone, who is there twice.

A pair is certain only if it is the only one that either of its parties could be in. Father and son of one name, or a
party that one side has twice, are for a person.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Generic, TypeVar

from vmh_sync.matching.blocking import keys
from vmh_sync.matching.compare import judge
from vmh_sync.matching.prepared import Prepared, prepare
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
    there twice. ``progress`` is told how many comparisons of how many are done.
    """
    linked: Mapping[A, B] = known or {}
    taken = set(linked.values())
    here, there = _prepared(one), _prepared(other)
    doubled_here = [pair for pair in _within(here) if not (pair.one in linked and pair.other in linked)]
    doubled_there = [pair for pair in _within(there) if not (pair.one in taken and pair.other in taken)]
    free_here = {key: party for key, party in here.items() if key not in linked}
    free_there = {key: party for key, party in there.items() if key not in taken}
    found = list(_across(free_here, free_there, progress))
    doubtful_here = {name for pair in doubled_here for name in (pair.one, pair.other)}
    doubtful_there = {name for pair in doubled_there for name in (pair.one, pair.other)}
    certain, likely = _settled(found, doubtful_here, doubtful_there)
    paired_here, paired_there = {pair.one for pair in found}, {pair.other for pair in found}
    return Matched(
        certain=tuple(certain),
        likely=tuple(likely),
        only_one=tuple(key for key in free_here if key not in paired_here),
        only_other=tuple(key for key in free_there if key not in paired_there),
        doubled_one=tuple(doubled_here),
        doubled_other=tuple(doubled_there),
    )


def _settled(
    found: list[Pair[A, B]], doubtful_here: set[A], doubtful_there: set[B]
) -> tuple[list[Pair[A, B]], list[Pair[A, B]]]:
    here, there = Counter(pair.one for pair in found), Counter(pair.other for pair in found)
    certain, likely = [], []
    for pair in sorted(found, key=lambda pair: -pair.resemblance.score):
        alone = here[pair.one] == there[pair.other] == 1
        single = pair.one not in doubtful_here and pair.other not in doubtful_there
        if pair.resemblance.likeness is not Likeness.CERTAIN:
            likely.append(pair)
        elif alone and single:
            certain.append(pair)
        else:
            told = replace(pair.resemblance, evidence=(*pair.resemblance.evidence, NOT_UNIQUE))
            likely.append(replace(pair, resemblance=replace(told, likeness=Likeness.LIKELY)))
    return certain, likely


def _prepared(side: Mapping[A, Traits]) -> dict[A, Prepared]:
    ready = {key: prepare(traits) for key, traits in side.items()}
    counts = {
        name: Counter(value for party in ready.values() for value in getattr(party, name))
        for name in ("emails", "phones", "ibans")
    }
    return {key: _without_shared(party, counts) for key, party in ready.items()}


def _without_shared(party: Prepared, counts: Mapping[str, Counter[str]]) -> Prepared:
    def own(name: str, told: frozenset[str]) -> frozenset[str]:
        return frozenset(value for value in told if counts[name][value] < SHARED_BY)

    return replace(
        party,
        emails=own("emails", party.emails),
        phones=own("phones", party.phones),
        ibans=own("ibans", party.ibans),
    )


def _blocks(side: Mapping[A, Prepared]) -> dict[str, list[A]]:
    blocks: dict[str, list[A]] = defaultdict(list)
    for key, party in side.items():
        for name in keys(party):
            blocks[name].append(key)
    return {name: members for name, members in blocks.items() if len(members) <= LARGEST_BLOCK}


def _across(
    here: Mapping[A, Prepared], there: Mapping[B, Prepared], progress: Callable[[int, int], None]
) -> Iterator[Pair[A, B]]:
    blocks = _blocks(there)
    for done, (one, party) in enumerate(here.items(), 1):
        met: Iterable[B] = dict.fromkeys(other for name in keys(party) for other in blocks.get(name, ()))
        for other in met:
            found = judge(party, there[other])
            if found.likeness is not Likeness.NONE:
                yield Pair(one, other, found)
        progress(done, len(here))


def _within(side: Mapping[A, Prepared]) -> list[Pair[A, A]]:
    met = {pair for members in _blocks(side).values() for pair in combinations(members, 2)}
    order = {key: number for number, key in enumerate(side)}
    pairs = []
    for one, other in sorted(met, key=lambda pair: (order[pair[0]], order[pair[1]])):
        found = judge(side[one], side[other])
        if found.likeness is not Likeness.NONE:
            pairs.append(Pair(one, other, found))
    return pairs
