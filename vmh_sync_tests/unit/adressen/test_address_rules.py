"""What makes an address: mark, block, natural key, validity, row by row (specification, entities.md 3)."""

from datetime import date

import pytest

from vmh_sync.adressen import model


@pytest.mark.parametrize(
    ("remark", "espo_id", "text"),
    [
        ("EspoCRM-ID: 6b05a1", "6b05a1", None),
        ("EspoCRM-ID: 6b05a1\nHinterhaus", "6b05a1", "Hinterhaus"),
        ("EspoCRM-ID: 6b05a1\r\nzwei\r\nZeilen", "6b05a1", "zwei\nZeilen"),
        ("vorn EspoCRM-ID: 6b05a1", "6b05a1", "vorn"),
        ("Hinterhaus", None, "Hinterhaus"),
        ("ESPOCRM-ID: 6B05A1\nHINTERHAUS", "6b05a1", "HINTERHAUS"),
        ("EspoCRM-ID:", None, None),
        ("EspoCRM-I", None, None),
        ("EspoCRM", None, "EspoCRM"),
        (None, None, None),
    ],
)
def test_the_mark_in_the_remark(remark: str | None, espo_id: str | None, text: str | None) -> None:
    assert model.marked_for(remark) == espo_id
    assert model.without_mark(remark) == text


@pytest.mark.parametrize("remark", [None, "kurz", "zwei\nZeilen", "x" * 2000])
def test_a_remark_survives_the_mark(remark: str | None) -> None:
    marked = model.with_mark("6b05a1", remark)
    assert (model.marked_for(marked), model.without_mark(marked)) == ("6b05a1", remark)


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        ({"strasse": "Weg 1", "plz": "30159", "ort": "Hannover"}, ["E. M.", "Weg 1", "30159 Hannover"]),
        ({"strasse": "Weg 1", "ort": "Wien", "land": "Österreich"}, ["E. M.", "Weg 1", "Wien", "Österreich"]),
        ({"plz": "30159", "ort": "Hannover", "postfach": "12"}, ["E. M.", "Postfach 12", "30159 Hannover"]),
        ({"ort": "Hannover"}, ["E. M.", "Hannover"]),
    ],
)
def test_the_printed_block(fields: dict[str, str], lines: list[str]) -> None:
    assert model.block("E. M.", fields) == "\r\n".join(lines)


def test_the_same_address_in_two_spellings() -> None:
    one = {"strasse": "Marktstraße  5", "plz": "30159", "ort": "Hannover"}
    other = {"strasse": "marktstr. 5\u200b", "plz": "30159 ", "ort": "HANNOVER"}
    assert model.natural_key(one) == model.natural_key(other)
    assert model.natural_key(one) != model.natural_key({**other, "strasse": "marktstr. 55"})
    assert model.natural_key({}) is None


@pytest.mark.parametrize(
    ("fields", "fields_named"),
    [
        ({}, {"strasse"}),
        ({"ort": "Hannover"}, set()),
        ({"postfach": "1"}, set()),
        ({"ort": "H", "gueltig_von": "2025-02-01", "gueltig_bis": "2025-01-01"}, {"gueltig_von", "gueltig_bis"}),
        ({"ort": "H", "gueltig_von": "2025-02-01", "gueltig_bis": "2025-02-01"}, set()),
        ({"ort": "H", "gueltig_bis": "2025-02-01"}, set()),
    ],
)
def test_problems(fields: dict[str, str], fields_named: set[str]) -> None:
    assert {name for name, _ in model.problems(fields)} == fields_named


@pytest.mark.parametrize(
    ("ends", "valid"),
    [
        *(
            (None, True),
            ("", True),
            ("2025-06-15T00:00:00", True),
            ("2025-06-14T00:00:00", False),
            ("2099-01-01", True),
        ),
        ("0001-01-01T00:00:00", True),  # no day, as a program of .NET says it
    ],
)
def test_the_last_day_still_counts(ends: str | None, valid: bool) -> None:
    assert model.is_valid(ends, date(2025, 6, 15)) is valid
