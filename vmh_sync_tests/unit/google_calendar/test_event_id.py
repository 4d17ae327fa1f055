"""Deterministic ids and the marks in private properties."""

import re

from hypothesis import given
from hypothesis import strategies as st

from vmh_sync.systems.google_calendar.event_id import Mark, event_id, read_mark

texts = st.text(max_size=12)
numbers = st.integers(-(2**31), 2**31)
keys = st.tuples(texts, texts, numbers, st.integers(0, 50))


@given(keys)
def test_ids_are_base32hex_and_repeatable(key: tuple[str, str, int, int]) -> None:
    one = event_id(*key)
    assert re.fullmatch(r"[a-v0-9]{5,1024}", one)
    assert one == event_id(*key)


@given(keys, keys)
def test_different_appointments_have_different_ids(
    one: tuple[str, str, int, int], other: tuple[str, str, int, int]
) -> None:
    assert (event_id(*one) == event_id(*other)) == (one == other)


def test_borders_between_the_parts_count() -> None:
    assert event_id("K", "1", 23) != event_id("K", "12", 3)
    assert event_id("K1", "S", 1) != event_id("K", "1S", 1)


def test_the_id_never_changes_between_versions() -> None:
    # Another value would double every event of every installation.
    assert event_id("K1", "SB", 4711) == "vmhb9c3ebjgufr25ilhbqakg8lbb9qo91kjuv1hgbuspcb2meljdhog"
    assert event_id("K1", "SB", 4711, 1) != event_id("K1", "SB", 4711)


@given(st.text(min_size=1, max_size=8), numbers, st.integers(0, 99), st.text(max_size=64))
def test_a_mark_is_read_back(kuerzel: str, fr_nr: int, generation: int, content_hash: str) -> None:
    mark = Mark(kuerzel, fr_nr, generation, content_hash)
    properties = mark.properties()
    assert all(len(key) <= 44 and isinstance(value, str) for key, value in properties.items())
    assert read_mark({**properties, "other": "x"}) == mark


def test_what_is_no_mark_of_ours_is_none() -> None:
    assert read_mark({}) is None
    assert read_mark({"vmhFrNr": "abc", "vmhKuerzel": "SB"}) is None
    assert read_mark({"vmhFrNr": "1"}) is None
