from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from vmh_sync.kalender.form.anonymise import must_anonymise, shown_form
from vmh_sync.kalender.form.window import window_at
from vmh_sync.kalender.model import Appointment, CalendarRules, Frequency, Recurrence, TerminFields

RULES = CalendarRules()
BERLIN = ZoneInfo("Europe/Berlin")
WINDOW = window_at(datetime(2026, 5, 10, 12, tzinfo=UTC), RULES)


def single(start: str, end: str) -> Appointment:
    first, last = (datetime.fromisoformat(text).replace(tzinfo=BERLIN) for text in (start, end))
    return Appointment(first, last, all_day=False)


def test_bounds() -> None:
    assert (WINDOW.start, WINDOW.end) == (datetime(2025, 1, 1, tzinfo=BERLIN), datetime(2028, 5, 11, tzinfo=BERLIN))
    # 23:30 UTC of New Year's Eve is already the new year in the firm.
    late = window_at(datetime(2026, 12, 31, 23, 30, tzinfo=UTC), RULES)
    assert late.start == datetime(2026, 1, 1, tzinfo=BERLIN)
    leap = window_at(datetime(2028, 2, 29, 12, tzinfo=UTC), RULES)
    assert leap.end == datetime(2030, 3, 1, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("start", "end", "touches", "surely"),
    [
        ("2026-01-01T10:00", "2026-01-01T11:00", True, True),
        ("2024-12-31T23:00", "2025-01-01T01:00", True, False),
        ("2024-12-31T10:00", "2024-12-31T11:00", False, False),
        ("2024-12-31T23:00", "2025-01-01T00:00", False, False),
        ("2028-05-10T23:00", "2028-05-11T01:00", True, False),
        ("2028-05-11T00:00", "2028-05-11T01:00", False, False),
    ],
)
def test_edges(start: str, end: str, touches: bool, surely: bool) -> None:
    form = single(start, end)
    assert WINDOW.touches(form) is touches
    assert WINDOW.surely_lists(form) is surely


def test_series_count_as_a_whole() -> None:
    form = single("2020-01-06T10:00", "2020-01-06T11:00")
    assert WINDOW.touches(replace(form, recurrence=Recurrence(Frequency.WEEKLY, 1)))
    assert WINDOW.surely_lists(replace(form, recurrence=Recurrence(Frequency.WEEKLY, 1, date(2025, 1, 1))))
    assert not WINDOW.touches(replace(form, recurrence=Recurrence(Frequency.WEEKLY, 1, date(2024, 12, 31))))


@pytest.mark.parametrize(
    ("fields", "full_content", "expected"),
    [
        ({"anwalt": "SB"}, True, False),
        ({"anwalt": "SB"}, False, True),
        ({"anwalt": "SB", "privat": 1}, True, False),
        ({"anwalt": "XY", "privat": 1}, True, True),
        ({"anwalt": "ALLE", "privat": 1}, True, True),
        ({"anwalt": "XY"}, True, False),
    ],
)
def test_what_is_anonymised(fields: dict[str, Any], full_content: bool, expected: bool) -> None:
    assert must_anonymise(TerminFields(1, **fields), "SB", full_content=full_content) is expected


def test_anonymised_form_keeps_times_only() -> None:
    form = replace(single("2026-01-01T10:00", "2026-01-01T11:00"), text="a", notiz="b", ort="c", private=True)
    shown = shown_form(form, anonymised=True, rules=CalendarRules(neutral_title="Belegt"))
    assert shown == replace(form, text="Belegt", notiz="", ort="")
    assert shown_form(form, anonymised=False, rules=RULES) is form
