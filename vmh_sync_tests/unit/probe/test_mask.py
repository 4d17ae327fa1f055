"""A recording keeps names and types, and not one value."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from vmh_sync.probe.mask import Mask
from vmh_sync.probe.recording import Exchange, masked
from vmh_sync.systems.transport import RawAnswer

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(max_size=30) | st.dates().map(str),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=15,
)


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value]
    return type(value), len(value) if isinstance(value, str) else None


@given(VALUES)
def test_names_types_and_lengths_stay(value: Any) -> None:
    assert shape(Mask().value(value)) == shape(value)


@given(st.lists(st.text(st.characters(categories=("L", "N")), min_size=2, max_size=40), unique=True, max_size=20))
def test_no_text_stays_and_the_same_one_becomes_the_same_other(texts: list[str]) -> None:
    mask = Mask()
    first = mask.value(texts)
    assert not set(first) & set(texts) or all(len(text) < 4 for text in set(first) & set(texts))
    assert all(one != other for one, other in zip(first, texts, strict=True))
    assert mask.value(texts) == first


def test_a_day_stays_a_day_and_an_e_mail_looks_like_one() -> None:
    mask = Mask()
    assert mask.value("1980-05-17T00:00:00") != "1980-05-17T00:00:00"
    day, _, clock = mask.value("1980-05-17T08:15:00").partition("T")
    assert day[:2] == "20" and len(clock) == 8
    made = mask.value("erika.muster@kanzlei.de")
    assert [made[i] for i in (5, 12, 20)] == [".", "@", "."]


def test_a_number_of_the_answer_is_found_again_in_the_next_address() -> None:
    mask = Mask()
    read = Exchange(
        "a", "GET", "api/v1/advonet/Beteiligte", RawAnswer(200, {}, [{"betNr": 104711}]), {"search": "Muster"}
    )
    then = Exchange(
        "b", "GET", "api/v1/advonet/Beteiligte/104711", RawAnswer(200, {"Content-Type": "x", "Set-Cookie": "y"}, {})
    )
    first, second = masked(read, mask), masked(then, mask)
    number = first["response"]["body"][0]["betNr"]
    assert second["request"]["url"].endswith(f"/Beteiligte/{number}")
    text = json.dumps([first, second])
    assert "104711" not in text and "Muster" not in text and "Set-Cookie" not in text
