"""Records keep what they do not know, tolerate null, and show no values."""

import re
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from vmh_sync.systems.advoware import wire
from vmh_sync.systems.advoware.records import (
    Adresse,
    Bankverbindung,
    Beteiligter,
    Kommunikation,
    Mitarbeiter,
    Termin,
    WireRecord,
    overlay,
)

BERLIN = ZoneInfo("Europe/Berlin")
KINDS = [Beteiligter, Kommunikation, Adresse, Bankverbindung, Mitarbeiter, Termin]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_the_wire_table_is_a_typed_attribute(kind: type[WireRecord]) -> None:
    assert set(kind.model_fields) == set(kind.FIELDS)


@pytest.mark.parametrize("kind", KINDS)
def test_everything_but_the_key_may_be_null(kind: type[WireRecord]) -> None:
    data = dict.fromkeys(kind.FIELDS.values()) | {kind.FIELDS[key]: 1 for key in kind.KEYS}
    record = kind.model_validate(data)
    assert record.raw == data


def test_a_number_stands_for_digits_and_a_fraction_for_nothing() -> None:
    assert Adresse.model_validate({"id": 1, "plz": 70173}).plz == "70173"
    assert Adresse.model_validate({"id": 1, "plz": 70173.0}).plz == "70173"
    with pytest.raises(ValidationError):
        Adresse.model_validate({"id": 1, "plz": 1.5})


def test_null_lists_and_flags() -> None:
    party = Beteiligter.model_validate({"betNr": 1, "kommunikation": None})
    assert (party.kommunikation, party.adressen, party.kommunikation_told) == ([], None, False)
    assert Beteiligter.model_validate({"betNr": 1, "kommunikation": []}).kommunikation_told
    assert Kommunikation.model_validate({"id": 1, "online": None}).online is False


def test_children_keep_their_raw_form() -> None:
    party = Beteiligter.model_validate({"betNr": 1, "adressen": [{"id": 2, "fremd": "x"}]})
    assert party.adressen is not None
    assert party.adressen[0].raw == {"id": 2, "fremd": "x"}


def test_repr_shows_the_key_only() -> None:
    party = Beteiligter.model_validate({"betNr": 1, "name": "Vertraulich", "kommunikation": [{"id": 1, "tlf": "0511"}]})
    assert repr(party) == str(party) == f"{party}" == "Beteiligter(bet_nr=1)"
    assert repr(party.kommunikation) == "[Kommunikation(id=1)]"


@given(st.dictionaries(st.text(max_size=5), json_values, max_size=4), st.text())
def test_overlay_changes_what_was_asked_and_nothing_else(unknown: dict[str, Any], name: str) -> None:
    raw = {**{key: value for key, value in unknown.items() if key not in Beteiligter.FIELDS.values()}, "betNr": 1}
    record = Beteiligter.model_validate({**raw, "kommunikation": [], "adressen": [], "bankverbindungen": []})
    assert overlay(record, {"name": name}) == {**raw, "name": name}


def test_overlay_does_not_touch_the_record() -> None:
    record = Termin.model_validate({"frNr": 1, "fremd": {"a": [1]}})
    body = overlay(record, {})
    body["fremd"]["a"].append(2)
    assert record.raw == {"frNr": 1, "fremd": {"a": [1]}}


def test_overlay_takes_json_names_that_the_record_carries() -> None:
    record = Beteiligter.model_validate({"betNr": 1, "fremd": 1})
    assert overlay(record, {"fremd": 2, "bAnrede": "x"}) == {"betNr": 1, "fremd": 2, "bAnrede": "x"}
    with pytest.raises(ValueError, match="anderes"):
        overlay(record, {"anderes": 2})


@pytest.mark.parametrize("kind", KINDS)
def test_every_name_is_one_that_the_specification_tells(kind: type[WireRecord]) -> None:
    spec = Path(__file__).parents[3] / "docs/spec"
    told = "".join((spec / page).read_text(encoding="utf-8") for page in ("advoware-wire.md", "kalender.md"))
    assert [name for name in kind.FIELDS.values() if not re.search(rf"\b{name}\b", told)] == []


def test_values_on_the_wire() -> None:
    assert wire.json_value(date(1980, 5, 17)) == "1980-05-17T00:00:00"
    assert wire.json_value(time(9, 30)) == "09:30:00"
    with pytest.raises(TypeError):
        wire.json_value(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-07-01T12:00:00", datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("2026-01-01T12:00:00", datetime(2026, 1, 1, 11, tzinfo=UTC)),
        ("2026-10-25T02:30:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-01-01T12:00:00Z", datetime(2026, 1, 1, 12, tzinfo=UTC)),
        ("0001-01-01T00:00:00", None),
        ("9999-12-31T23:59:59-05:00", None),
        ("9999-12-31T23:59:59Z", None),  # no other zone could show it
        ("gestern", None),
        (None, None),
        ("", None),
    ],
)
def test_local_moments(text: str, moment: Any) -> None:
    assert wire.local_moment(text, BERLIN) == moment


def test_naive_times_are_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        wire.local_text(datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None), BERLIN)


@pytest.mark.parametrize(("base", "path"), [("https://a/", "/b"), ("https://a", "b"), ("https://a/", "b")])
def test_joining_never_doubles_the_slash(base: str, path: str) -> None:
    assert wire.join(base, path) == "https://a/b"
