from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from vmh_sync.kalender.form.advoware_form import (
    belongs_to,
    changed_at,
    decoration_of,
    is_for_everybody,
    read_termin,
)
from vmh_sync.kalender.model import (
    PLAIN,
    CalendarRules,
    Decoration,
    Frequency,
    Recurrence,
    TerminFields,
    UnreadableAppointmentError,
)

RULES = CalendarRules()
BERLIN = ZoneInfo("Europe/Berlin")


def termin(**fields: Any) -> TerminFields:
    return TerminFields(**{"fr_nr": 4711, "datum": "2026-03-02", **fields})


def span(**fields: Any) -> tuple[str, str, bool]:
    form = read_termin(termin(**fields), RULES)
    return form.start.isoformat(), form.end.isoformat(), form.all_day


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param(
            {"uhrzeit_von": "10:30:00", "uhrzeit_bis": "11:30:00", "datum_bis": "2026-03-02"},
            ("2026-03-02T10:30:00+01:00", "2026-03-02T11:30:00+01:00", False),
            id="timed",
        ),
        pytest.param(
            {"datum": "2026-03-02T00:00:00", "uhrzeit_von": "10:30", "uhrzeit_bis": "11:30"},
            ("2026-03-02T10:30:00+01:00", "2026-03-02T11:30:00+01:00", False),
            id="day as date-time, no end day",
        ),
        pytest.param({}, ("2026-03-02T09:00:00+01:00", "2026-03-02T09:30:00+01:00", False), id="no times at all"),
        pytest.param(
            {"uhrzeit_bis": "10:00:00"},
            ("2026-03-02T09:00:00+01:00", "2026-03-02T10:00:00+01:00", False),
            id="no start time",
        ),
        pytest.param(
            {"uhrzeit_von": "14:00:00", "datum_bis": "2026-03-05"},
            ("2026-03-02T14:00:00+01:00", "2026-03-02T14:30:00+01:00", False),
            id="no end time",
        ),
        pytest.param(
            {"uhrzeit_von": "14:00:00", "uhrzeit_bis": "13:00:00"},
            ("2026-03-02T14:00:00+01:00", "2026-03-02T14:30:00+01:00", False),
            id="end before start",
        ),
        pytest.param(
            {"uhrzeit_von": "14:00:00", "uhrzeit_bis": "14:00:00"},
            ("2026-03-02T14:00:00+01:00", "2026-03-02T14:30:00+01:00", False),
            id="end equals start",
        ),
        pytest.param(
            {"uhrzeit_von": "14:00:00", "uhrzeit_bis": "10:00:00", "datum_bis": "2026-03-06"},
            ("2026-03-02T14:00:00+01:00", "2026-03-06T10:00:00+01:00", False),
            id="several days, not capped at 24 h",
        ),
        pytest.param(
            {"uhrzeit_von": "00:00:00", "uhrzeit_bis": "23:59:00"},
            ("2026-03-02T00:00:00+01:00", "2026-03-03T00:00:00+01:00", True),
            id="whole day",
        ),
        pytest.param(
            {"uhrzeit_von": "00:00:00", "uhrzeit_bis": "23:59:00", "datum_bis": "2026-03-04"},
            ("2026-03-02T00:00:00+01:00", "2026-03-05T00:00:00+01:00", True),
            id="three whole days",
        ),
        pytest.param(
            {"uhrzeit_von": "00:00:00", "uhrzeit_bis": "23:58:00"},
            ("2026-03-02T00:00:00+01:00", "2026-03-02T23:58:00+01:00", False),
            id="almost a whole day",
        ),
        pytest.param(
            {"fr_nr": -12, "datum": "2026-07-06", "datum_bis": "2026-07-10", "abwesenheit": 1},
            ("2026-07-06T00:00:00+02:00", "2026-07-11T00:00:00+02:00", True),
            id="leave",
        ),
        pytest.param(
            {"datum": "2026-03-29", "uhrzeit_von": "02:30:00", "uhrzeit_bis": "04:00:00"},
            ("2026-03-29T03:30:00+02:00", "2026-03-29T04:00:00+02:00", False),
            id="in the hour that the spring change skips",
        ),
        pytest.param(
            {"datum": "2026-10-25", "uhrzeit_von": "02:30:00", "uhrzeit_bis": "03:30:00"},
            ("2026-10-25T02:30:00+02:00", "2026-10-25T03:30:00+01:00", False),
            id="in the doubled hour: the first",
        ),
    ],
)
def test_times(fields: dict[str, Any], expected: tuple[str, str, bool]) -> None:
    assert span(**fields) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"turnus": 1, "turnus_art": 1}, Recurrence(Frequency.DAILY, 1, date(2026, 6, 29))),
        ({"turnus": 2, "turnus_art": 2}, Recurrence(Frequency.WEEKLY, 2, date(2026, 6, 29))),
        ({"turnus": 3, "turnus_art": 3}, Recurrence(Frequency.MONTHLY, 3, date(2026, 6, 29))),
        ({"turnus": 1, "turnus_art": 4}, Recurrence(Frequency.YEARLY, 1, date(2026, 6, 29))),
        ({"turnus": 1, "turnus_art": 2, "datum_bis": "2037-01-01"}, Recurrence(Frequency.WEEKLY, 1)),
        ({"turnus": 1, "turnus_art": 2, "datum_bis": None}, Recurrence(Frequency.WEEKLY, 1)),
        (
            {"turnus": 1, "turnus_art": 2, "datum_bis": "2036-12-31"},
            Recurrence(Frequency.WEEKLY, 1, date(2036, 12, 31)),
        ),
        (
            {"turnus": 1, "turnus_art": 2, "datum_bis": "2026-01-01"},
            Recurrence(Frequency.WEEKLY, 1, date(2026, 3, 2)),
        ),
        ({"turnus": 0, "turnus_art": 2}, None),
        ({"turnus": 1, "turnus_art": 0}, None),
        ({"turnus": 1, "turnus_art": 5}, None),
        ({"turnus": 1, "turnus_art": 2, "dauertermin": 0}, None),
        ({"turnus": None, "turnus_art": None, "dauertermin": None}, None),
    ],
)
def test_series(fields: dict[str, Any], expected: Recurrence | None) -> None:
    given = {"dauertermin": 1, "datum_bis": "2026-06-29", "uhrzeit_von": "09:00:00", "uhrzeit_bis": "09:30:00"}
    form = read_termin(termin(**{**given, **fields}), RULES)
    assert form.recurrence == expected
    if expected is not None:
        assert form.end == datetime(2026, 3, 2, 9, 30, tzinfo=BERLIN), "a series ends on the start day"


def test_the_first_day_of_all_days_is_none() -> None:
    """A program of .NET says it where there is no day."""
    times = {"uhrzeit_von": "10:30:00", "uhrzeit_bis": "11:30:00"}
    assert read_termin(termin(datum_bis="0001-01-01T00:00:00", **times), RULES) == read_termin(termin(**times), RULES)


def test_texts_are_normalised() -> None:
    form = read_termin(termin(text=" Müller \r\n", notiz="eins  \r\nzwei\rdrei\r\n", ort=None), RULES)
    assert (form.text, form.notiz, form.ort) == ("Müller", "eins\nzwei\ndrei", "")
    decomposed = read_termin(termin(text="Mu\u0308ller"), RULES)
    assert decomposed.text == "Müller"


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"datum": None}, "datum"),
        ({"datum": "31.12.2026"}, "datum"),
        ({"datum_bis": "2026-02-30"}, "datumBis"),
        ({"uhrzeit_von": "25:00:00"}, "uhrzeitVon"),
        ({"uhrzeit_bis": "zehn"}, "uhrzeitBis"),
        ({"datum": "9999-12-31", "abwesenheit": 1}, "datum"),
    ],
)
def test_an_unreadable_field_is_named_without_its_value(fields: dict[str, Any], name: str) -> None:
    with pytest.raises(UnreadableAppointmentError) as caught:
        read_termin(termin(**fields), RULES)
    assert caught.value.field == name
    assert "4711" in str(caught.value)
    assert not any(str(value) in str(caught.value) for value in fields.values() if isinstance(value, str))


def test_last_change_is_local_time_of_the_set_zone() -> None:
    changed = termin(zuletzt_geaendert_am="2026-07-01T12:00:00")
    assert changed_at(changed, RULES) == datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert changed_at(changed, CalendarRules(advoware_zone=ZoneInfo("UTC"))) == datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert changed_at(termin(), RULES) is None
    assert changed_at(termin(zuletzt_geaendert_am="gestern"), RULES) is None
    assert changed_at(termin(zuletzt_geaendert_am="0001-01-01T00:00:00"), RULES) is None


@pytest.mark.parametrize(
    ("anwalt", "sb", "everybody", "own"),
    [
        ("SB", "", False, True),
        ("XY", "sb", False, True),
        ("XY", "XY", False, False),
        (None, None, True, False),
        ("", "ALLE", True, False),
        ("Allgemein", "", True, False),
        ("ALLE", "SB", True, True),
    ],
)
def test_whose_appointment_it_is(anwalt: str | None, sb: str | None, everybody: bool, own: bool) -> None:
    given = termin(anwalt=anwalt, sb=sb)
    assert is_for_everybody(given) is everybody
    assert belongs_to(given, "SB") is own


def test_decoration_names_preparation_travel_and_file() -> None:
    given = termin(vorbereitungs_dauer="00:45:00", fahrzeit="01:05:00", az_rubrum="12/26 M ./. S")
    assert decoration_of(given, anonymised=False, rules=RULES) == Decoration(
        "", "Vorbereitung: 0:45 Std.\nFahrzeit: 1:05 Std."
    )
    attached = CalendarRules(attach_file_number=True, stretch_by_preparation=True, show_preparation=False)
    assert decoration_of(given, anonymised=False, rules=attached) == Decoration(" [12/26 M ./. S]", "", 110, 65)
    assert decoration_of(given, anonymised=True, rules=attached) == PLAIN
    assert decoration_of(termin(vorbereitungs_dauer="viel", fahrzeit=""), anonymised=False, rules=RULES) == PLAIN


def test_content_stays_out_of_the_repr() -> None:
    given = termin(text="Geheim", notiz="Geheim", ort="Geheim", az_rubrum="Geheim")
    assert "Geheim" not in repr(given)
    assert "Geheim" not in repr(read_termin(given, RULES))
