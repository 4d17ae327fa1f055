"""Whole sides are matched by content: what is certain, what a person is asked, who is there twice."""

from dataclasses import replace

import pytest

from vmh_sync.matching.pairing import match
from vmh_sync.matching.traits import Traits
from vmh_sync_tests.fixtures.labelled_parties import labelled_parties

ULM = frozenset({"Ulm"})
ERIKA = Traits(name="Müller", vorname="Erika", geburtsdatum="1980-05-17", towns=ULM)
TYPED = replace(ERIKA, name="Mueller")
KARL = Traits(name="Huber", vorname="Karl", phones=frozenset({"0731 123456"}), towns=ULM)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nineteen_of_twenty_twins_are_found_and_not_one_wrong_link_is_made(seed: int) -> None:
    made = labelled_parties(seed, 1500)
    found = match(made.left, made.right)
    certain = {(pair.one, pair.other) for pair in found.certain}
    named = certain | {(pair.one, pair.other) for pair in found.likely}
    assert certain - set(made.twins) == set()
    assert len(named & set(made.twins)) >= 0.95 * len(made.twins)
    assert len(certain) >= 0.25 * len(made.twins), "a matcher that asks about everything is no help"
    assert len(named - set(made.twins) - set(made.traps)) <= 0.01 * len(named), "nor one that asks about strangers"
    kinds = {kind: [pair for pair, its in made.twins.items() if its == kind] for kind in set(made.twins.values())}
    missed = {kind: len(set(pairs) - named) / len(pairs) for kind, pairs in kinds.items()}
    assert max(missed.values()) <= 0.15, missed


def test_every_trap_is_somebody_else_for_the_matcher_or_a_question() -> None:
    made = labelled_parties(5, 3000)
    found = match(made.left, made.right)
    assert len(made.traps) > 200
    assert {(pair.one, pair.other) for pair in found.certain} & set(made.traps) == set()


def test_no_pair_is_named_twice() -> None:
    made = labelled_parties(4, 800)
    found = match(made.left, made.right)
    named = [(pair.one, pair.other) for pair in (*found.certain, *found.likely)]
    assert len(named) == len(set(named))
    assert {one for one, _ in named}.isdisjoint(found.only_one)
    assert {other for _, other in named}.isdisjoint(found.only_other)


def test_the_same_person_is_certain_with_a_german_reason() -> None:
    found = match({"a": ERIKA}, {1: TYPED})
    (pair,) = found.certain
    assert (pair.one, pair.other) == ("a", 1)
    assert "Geburtsdatum gleich" in pair.resemblance.reasons
    assert not found.likely


@pytest.mark.parametrize("doubled", ["espocrm", "advoware"])
def test_who_is_there_twice_is_asked_about_and_never_linked(doubled: str) -> None:
    one = {"a": ERIKA, "b": TYPED} if doubled == "espocrm" else {"a": ERIKA}
    other = {1: ERIKA} if doubled == "espocrm" else {1: ERIKA, 2: TYPED}
    found = match(one, other)
    assert not found.certain
    assert len(found.likely) == 2
    assert len(found.doubled_one) == (doubled == "espocrm")
    assert len(found.doubled_other) == (doubled == "advoware")
    assert all("nicht eindeutig" in " ".join(pair.resemblance.reasons) for pair in found.likely)


def test_who_resembles_a_linked_record_of_the_same_side_is_there_twice() -> None:
    found = match({"a": ERIKA, "b": TYPED}, {1: ERIKA}, known={"a": 1})
    assert not found.certain
    assert not found.likely
    assert [(pair.one, pair.other) for pair in found.doubled_one] == [("a", "b")]


def test_a_mailbox_that_three_share_tells_nobody_from_the_others() -> None:
    office = frozenset({"kanzlei@example.org"})
    strangers = {str(n): Traits(name="Huber", vorname=f"{n}nton", emails=office) for n in "ABC"}
    assert not match(strangers, {1: Traits(name="Huber", vorname="Werner", emails=office)}).likely
    alone = {"A": strangers["A"]}
    assert match(alone, {1: Traits(name="Huber", vorname="Werner", emails=office)}).likely


def test_father_and_son_in_one_house_are_never_linked_without_birth_dates() -> None:
    found = match({"a": KARL}, {1: KARL})
    assert not found.certain
    assert len(found.likely) == 1


def test_one_whose_twin_is_missing_stands_alone() -> None:
    found = match({"a": ERIKA, "b": KARL}, {1: TYPED, 2: Traits(name="Sommer", vorname="Lea")})
    assert (found.only_one, found.only_other) == (("b",), (2,))


def test_progress_counts_every_party_within_its_side_and_across() -> None:
    told: list[tuple[int, int]] = []
    match({"a": ERIKA, "b": KARL}, {1: TYPED}, progress=lambda done, total: told.append((done, total)))
    assert told == [(done, 5) for done in range(6)]
