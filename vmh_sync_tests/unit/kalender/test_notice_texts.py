"""What people read in tasks about appointments: German words, also for what Google says in its own."""

from datetime import date

import pytest

from vmh_sync.kalender.decision.operations import FieldChange, Finding, FindingKind
from vmh_sync.kalender.telling.notice_texts import as_logged, list_text, notice_text, shown_as
from vmh_sync.tasks.bounded_text import bounded


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


VIENNA = {"dateTime": "2026-12-04T10:30:00+01:00", "timeZone": "Europe/Vienna"}
SERIES = {"frequency": "WEEKLY", "interval": 2, "until": "2026-06-29"}


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("ort", None, "(leer)"),
        ("ort", "Saal 3", "„Saal 3“"),
        ("start", "2026-12-04T10:30:00+01:00", "04.12.2026 10:30"),
        ("end", "2026-12-04 11:30:00+01:00", "04.12.2026 11:30"),
        ("all_day", "False", "nein"),
        ("private", True, "ja"),
        ("recurrence", SERIES, "wöchentlich, Abstand 2 bis 29.06.2026"),
        ("all_day", False, "nein"),
        ("private", False, "nein"),
        ("ort", "", "(leer)"),
        ("start", VIENNA, "dateTime „2026-12-04T10:30:00+01:00“, timeZone „Europe/Vienna“"),
        ("end", {"date": "2026-12-05"}, "date „2026-12-05“"),
        ("start", "unlesbar", "„unlesbar“"),
        ("recurrence", ["RRULE:FREQ=DAILY;COUNT=3"], "„RRULE:FREQ=DAILY;COUNT=3“"),
        ("recurrence", [], "(leer)"),
        ("summary", "Frist", "„Frist“"),
        ("visibility", "private", "„privat“"),
        ("status", "tentative", "„mit Vorbehalt“"),
        ("transparency", "transparent", "„frei“"),
        ("reminders", {"useDefault": False, "overrides": [{"minutes": 45}]}, "45 Minuten vorher"),
        ("extendedProperties", {"frNr": "7001"}, "frNr „7001“"),
        ("attendees", [{"email": "gast@example.org", "optional": True}], "email „gast@example.org“, optional ja"),
        (
            "",
            {"appointment": {"start": "2026-12-04T10:30:00", "all_day": False, "text": "Anhörung", "ort": ""}},
            "Beginn: 04.12.2026 10:30, Titel: „Anhörung“",
        ),
    ],
)
def test_what_was_logged_is_told_as_people_read_it(field: str, value: object, words: str) -> None:
    assert as_logged(field, value) == words


@pytest.mark.parametrize("kind", [FindingKind.DEADLINE, FindingKind.CONFLICT, FindingKind.DELETED_AGAINST_CHANGE])
def test_a_task_names_what_was_rejected_and_no_command_that_its_reader_cannot_type(kind: FindingKind) -> None:
    finding = Finding(kind, "Auf beiden Seiten geändert", 4711, "e1", (FieldChange("ort", "Saal 7", "Saal 3"),))
    text = notice_text(finding, "„Verhandlung“")
    assert "jetzt gilt „Saal 3“, verworfen wurde „Saal 7“" in text.intro
    assert "vmh-sync" not in " ".join((text.title, text.intro, *text.steps))


def test_a_long_value_that_was_discarded_stands_whole_in_its_task() -> None:
    changes = (FieldChange("ort", "alt " * 150 + "ENDE", "neu " * 200),)
    finding = Finding(FindingKind.CONFLICT, "Auf beiden Seiten geändert", 4711, "e1", changes)
    assert "ENDE" in bounded(notice_text(finding, "„Verhandlung“").intro).replace("\n", "")
