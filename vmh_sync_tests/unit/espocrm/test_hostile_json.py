"""Foreign JSON is read so that one hostile value spoils one record, never the list it stands in."""

import json
from typing import Any

import pytest

from vmh_sync.systems.json_answers import DEEPEST, UnreadableJson, flaw, read_json

NESTED = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("hostile", "why"),
    [
        ('"Feier \\ud83d"', "a (lone surrogate)"),
        ('"\\u0000"', "a (NUL)"),
        ("9" * 5000, "a (number)"),
        ("-" + "9" * 20, "a (number)"),
        ("NaN", "a (NaN)"),
        ("1e999", "a (number)"),
        (NESTED, "a (-Infinity)"),
        ("[" * (DEEPEST + 2) + "]" * (DEEPEST + 2), "a (nested too deep)"),
        ('{"x": 1, "x": 2}', "a.x (told twice)"),
        ('"' + "x" * 500_001 + '"', "a (too long)"),
    ],
    ids=lambda value: value[:16],
)
def test_a_hostile_value_spoils_its_row_alone(hostile: str, why: str) -> None:
    bad, good = read_json(f'[{{"a": {hostile}, "id": "1"}}, {{"a": "]}}", "id": "2"}}]'.encode())
    assert (flaw(bad), bad["id"]) == (why, "1")
    assert (flaw(good), good) == (None, {"a": "]}", "id": "2"})


def test_bytes_that_are_no_utf8_spoil_their_row_alone() -> None:
    bad, good = read_json(b'[{"a": "M\xfcller"}, {"a": "M\xc3\xbcller"}]')
    assert flaw(bad) == "a (lone surrogate)"
    assert (flaw(good), good["a"]) == (None, "Müller")


@pytest.mark.parametrize(
    "value", ["Müller 🎉", "", None, True, -(2**63) + 1, 1.5, {"a": [{"b": "c"}]}, "Zeile\nZeile\t"]
)
def test_sound_values_stay_as_they_are(value: Any) -> None:
    assert read_json(json.dumps({"a": value}).encode()) == {"a": value}
    assert flaw({"a": value}) is None


def test_each_text_is_measured_alone_not_all_of_a_record_together() -> None:
    assert flaw({"a": "x" * 300_000, "b": "ü" * 300_000}) is None
    assert flaw({"a": "x" * 10, "b": "ü" * 500_001, "c": "\ud83d"}) == "c (lone surrogate)"


def test_halves_of_a_character_in_two_values_are_still_halves() -> None:
    assert flaw({"a": "\ud83d", "b": "\ude00"}) == "b (lone surrogate)"


def test_the_same_value_told_twice_is_one() -> None:
    assert read_json(b'{"a": 1, "a": 1}') == {"a": 1}


@pytest.mark.parametrize("content", [b"", b"<html>", b'{"a": ', b'{"a": "x', b"[" * 100_000])
def test_what_is_no_json_is_unreadable(content: bytes) -> None:
    with pytest.raises(UnreadableJson):
        read_json(content)
