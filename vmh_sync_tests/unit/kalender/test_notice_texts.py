"""What people read in tasks about appointments: German words, also for what Google says in its own."""

from datetime import date

import pytest

from vmh_sync.kalender.telling.notice_texts import list_text, shown_as


@pytest.mark.parametrize(
    ("field", "value", "read"),
    [
        ("status", "tentative", "„mit Vorbehalt“"),
        ("transparency", None, "„gebucht“"),
        ("transparency", "transparent", "„frei“"),
        ("visibility", "public", "„öffentlich“"),
        ("visibility", "", "„wie der Kalender“"),
        ("visibility", "somethingNew", "„somethingNew“"),
        ("reminders", {"useDefault": True}, "wie im Kalender eingestellt"),
        ("reminders", {"useDefault": False, "overrides": [{"method": "popup", "minutes": 45}]}, "45 Minuten vorher"),
        ("reminders", {"useDefault": False}, "keine"),
        ("summary", "tentative", "„tentative“"),
        ("summary", None, "(leer)"),
    ],
)
def test_googles_words_are_told_in_german_and_a_persons_text_stays_as_it_is(
    field: str, value: object, read: str
) -> None:
    assert shown_as(field, value) == read


def test_a_list_of_one_deadline_with_one_difference_speaks_of_one() -> None:
    text = list_text("SB", date(2026, 3, 2), 1, ["Termin: fehlt in Google"])
    assert text.title == "Fristen 02.03.2026, SB: 1 Abweichung"
    assert text.intro.startswith("1 Frist oder Gerichtstermin verglichen, 1 Abweichung:\n- Termin")
