from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from vmh_sync.kalender.apply.event_update import event_changes
from vmh_sync.kalender.decision.operations import FieldChange, UpdateGoogle
from vmh_sync.kalender.form.advoware_form import decoration_of, read_termin
from vmh_sync.kalender.form.content_hash import base_hash, content_hash
from vmh_sync.kalender.form.event_identity import event_id
from vmh_sync.kalender.form.google_form import deviates, read_event, read_mark, to_event
from vmh_sync.kalender.model import (
    Appointment,
    BaseForm,
    CalendarRules,
    Decoration,
    Frequency,
    Mark,
    Recurrence,
    Source,
    TerminFields,
    UnreadableAppointmentError,
)
from vmh_sync.systems.google_calendar.events import Event

RULES = CalendarRules()
BERLIN = ZoneInfo("Europe/Berlin")


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=BERLIN)


def body(termin: TerminFields, rules: CalendarRules = RULES) -> dict[str, object]:
    decoration = decoration_of(termin, anonymised=False, rules=rules)
    return to_event(read_termin(termin, rules), rules, fr_nr=termin.fr_nr, decoration=decoration)


def timed(start: str, end: str, **more: object) -> dict[str, object]:
    return {
        "id": "e1",
        "start": {"dateTime": start, "timeZone": "Europe/Berlin"},
        "end": {"dateTime": end, "timeZone": "Europe/Berlin"},
        **more,
    }


def test_vector_timed() -> None:
    event = body(
        TerminFields(4711, text="Verhandlung", datum="2026-03-02", uhrzeit_von="10:30:00", uhrzeit_bis="11:30:00")
    )
    assert event["summary"] == "Verhandlung"
    assert event["start"] == {"dateTime": "2026-03-02T10:30:00+01:00", "timeZone": "Europe/Berlin"}
    assert event["end"] == {"dateTime": "2026-03-02T11:30:00+01:00", "timeZone": "Europe/Berlin"}
    assert "recurrence" not in event
    assert "attendees" not in event


def test_vector_series() -> None:
    event = body(
        TerminFields(
            4711,
            datum="2026-03-02",
            uhrzeit_von="09:00:00",
            uhrzeit_bis="09:30:00",
            dauertermin=1,
            turnus=2,
            turnus_art=2,
            datum_bis="2026-06-29",
        )
    )
    assert event["recurrence"] == ["RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;UNTIL=20260629T215959Z"]
    assert event["end"] == {"dateTime": "2026-03-02T09:30:00+01:00", "timeZone": "Europe/Berlin"}


def test_vector_leave() -> None:
    event = body(TerminFields(-7, datum="2026-07-06", datum_bis="2026-07-10", abwesenheit=1))
    assert event["start"] == {"date": "2026-07-06"}
    assert event["end"] == {"date": "2026-07-11"}


def test_all_day_series_has_a_plain_last_date() -> None:
    event = body(
        TerminFields(
            1,
            datum="2026-03-02",
            uhrzeit_von="00:00:00",
            uhrzeit_bis="23:59:00",
            dauertermin=1,
            turnus=1,
            turnus_art=1,
            datum_bis="2026-03-20",
        )
    )
    assert event["recurrence"] == ["RRULE:FREQ=DAILY;INTERVAL=1;UNTIL=20260320"]
    assert event["end"] == {"date": "2026-03-03"}


def test_mark_carries_number_and_content_hash() -> None:
    termin = TerminFields(4711, text="x", datum="2026-03-02")
    event = {"id": "e1", **body(termin)}
    assert read_mark(event) == Mark(4711, content_hash(read_termin(termin, RULES)), Source.ADVOWARE)
    assert read_mark({"extendedProperties": {"private": {"frNr": "abc"}}}) is None
    assert read_mark({"id": "e2"}) is None
    private = event["extendedProperties"]
    assert isinstance(private, dict)
    assert all(len(key) <= 44 for key in private["private"])


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (
            "2026-03-02T09:30:00Z",
            "2026-03-02T10:30:00Z",
            (at(2026, 3, 2, 10, 30), at(2026, 3, 2, 11, 30), False),
        ),
        (
            "2026-03-02T04:30:00-05:00",
            "2026-03-02T11:30:00+01:00",
            (at(2026, 3, 2, 10, 30), at(2026, 3, 2, 11, 30), False),
        ),
        (
            "2026-03-02T00:00:00+01:00",
            "2026-03-03T23:59:00+01:00",
            (at(2026, 3, 2), at(2026, 3, 4), True),
        ),
        (
            "2026-03-02T10:00:00+01:00",
            "2026-03-02T10:00:00+01:00",
            (at(2026, 3, 2, 10), at(2026, 3, 2, 10, 30), False),
        ),
        # Across the doubled hour: 45 real minutes, but Advoware would see an end before the start.
        (
            "2026-10-25T02:30:00+02:00",
            "2026-10-25T02:15:00+01:00",
            (at(2026, 10, 25, 2, 30), at(2026, 10, 25, 3, 0), False),
        ),
    ],
)
def test_times_from_google(start: str, end: str, expected: tuple[datetime, datetime, bool]) -> None:
    form = read_event(timed(start, end), RULES).form
    assert (form.start, form.end, form.all_day) == expected


def test_the_doubled_hour_never_reads_as_end_before_start() -> None:
    form = read_event(timed("2026-10-25T02:45:00+02:00", "2026-10-25T02:15:00+01:00"), RULES).form
    assert form.end > form.start


def test_all_day_without_usable_end_is_one_day() -> None:
    for end in ({}, {"date": "2026-03-02"}, {"date": "2026-03-03"}):
        form = read_event({"id": "e", "start": {"date": "2026-03-02"}, "end": end}, RULES).form
        assert (form.start, form.end, form.all_day) == (at(2026, 3, 2), at(2026, 3, 3), True)


def test_floating_time_uses_its_zone() -> None:
    event = timed("2026-03-02T09:00:00", "2026-03-02T10:00:00")
    event["start"] = {"dateTime": "2026-03-02T08:00:00", "timeZone": "Europe/London"}
    assert read_event(event, RULES).form.start == at(2026, 3, 2, 9)


@pytest.mark.parametrize("start", [None, {}, {"dateTime": "morgen"}, {"date": "2026-13-01"}])
def test_unreadable_times_name_the_event(start: object) -> None:
    with pytest.raises(UnreadableAppointmentError) as caught:
        read_event({"id": "e1", "start": start, "end": {}}, RULES)
    assert caught.value.event_id == "e1"


@pytest.mark.parametrize(
    ("more", "obstacle"),
    [
        ({"recurrence": ["RRULE:FREQ=WEEKLY;BYDAY=MO,WE"]}, "weekdays"),
        ({"recurrence": ["RRULE:FREQ=DAILY", "EXDATE:20260303T080000Z"]}, "excluded_dates"),
        ({"recurrence": ["RRULE:FREQ=WEEKLY"], "end": {"dateTime": "2026-03-03T00:00:00+01:00"}}, "too_long"),
        ({"recurrence": ["RRULE:FREQ=WEEKLY"], "end": {"dateTime": "2026-03-03T09:00:00+01:00"}}, "too_long"),
        (
            {
                "recurrence": ["RRULE:FREQ=WEEKLY"],
                "start": {"dateTime": "2026-03-02T09:00:00+01:00", "timeZone": "America/New_York"},
            },
            "foreign_zone",
        ),
        (
            {
                "recurrence": ["RRULE:FREQ=WEEKLY"],
                "start": {"dateTime": "2026-03-02T09:00:00+01:00", "timeZone": "Europe/Vienna"},
            },
            None,
        ),
        ({"recurrence": ["RRULE:FREQ=WEEKLY;BYDAY=MO"]}, None),
    ],
)
def test_obstacles(more: dict[str, object], obstacle: str | None) -> None:
    read = read_event({**timed("2026-03-02T09:00:00+01:00", "2026-03-02T10:00:00+01:00"), **more}, RULES)
    assert read.obstacle == obstacle
    assert (read.form.recurrence is None) is (obstacle is not None)


def test_whole_day_series_of_two_days_is_too_long() -> None:
    event = {
        "id": "e",
        "start": {"date": "2026-03-02"},
        "end": {"date": "2026-03-04"},
        "recurrence": ["RRULE:FREQ=DAILY"],
    }
    assert read_event(event, RULES).obstacle == "too_long"


def test_texts_and_privacy_from_google() -> None:
    event = timed(
        "2026-03-02T09:00:00+01:00",
        "2026-03-02T10:00:00+01:00",
        summary="Müller ",
        description="eins<br>zwei",
        location="Saal 3",
        visibility="private",
        updated="2026-03-01T08:00:00.123Z",
    )
    read = read_event(event, RULES)
    assert (read.form.text, read.form.notiz, read.form.ort, read.form.private) == (
        "Müller",
        "eins\nzwei",
        "Saal 3",
        True,
    )
    assert read.updated == datetime(2026, 3, 1, 8, 0, 0, 123000, tzinfo=UTC)


def test_event_types_that_are_no_appointments() -> None:
    event = timed("2026-03-02T09:00:00+01:00", "2026-03-02T10:00:00+01:00")
    assert read_event(event, RULES).ours_to_take
    assert not read_event({**event, "eventType": "workingLocation"}, RULES).ours_to_take


TERMIN = TerminFields(
    4711,
    text="Verhandlung [12/26]",
    notiz="Robe\r\nmitnehmen",
    datum="2026-03-02",
    uhrzeit_von="10:30:00",
    uhrzeit_bis="11:30:00",
    az_rubrum="12/26",
    vorbereitungs_dauer="00:45:00",
    fahrzeit="00:30:00",
)
ATTACHED = CalendarRules(attach_file_number=True, stretch_by_preparation=True)


def test_additions_are_shown_and_cut_off_again() -> None:
    event = {"id": "e1", **body(TERMIN, ATTACHED)}
    assert event["summary"] == "Verhandlung [12/26] [12/26]"
    assert event["description"] == "Robe\nmitnehmen\n\nVorbereitung: 0:45 Std.\nFahrzeit: 0:30 Std."
    assert event["start"] == {"dateTime": "2026-03-02T09:15:00+01:00", "timeZone": "Europe/Berlin"}
    assert event["end"] == {"dateTime": "2026-03-02T12:00:00+01:00", "timeZone": "Europe/Berlin"}
    assert read_event(event, ATTACHED).form == read_termin(TERMIN, ATTACHED)
    assert read_event(event, RULES).form == read_termin(TERMIN, RULES), "also after the setting was turned off"


def test_preparation_does_not_stretch_by_default() -> None:
    assert body(TERMIN)["start"] == {"dateTime": "2026-03-02T10:30:00+01:00", "timeZone": "Europe/Berlin"}
    assert body(TERMIN)["summary"] == "Verhandlung [12/26]"


def test_stretching_never_moves_a_series_to_another_day() -> None:
    form = Appointment(at(2026, 3, 2, 0, 30), at(2026, 3, 2, 1, 30), False, recurrence=Recurrence(Frequency.WEEKLY, 1))
    event = {"id": "e", **to_event(form, RULES, fr_nr=1, decoration=Decoration("", "", 60, 60))}
    assert event["start"] == {"dateTime": "2026-03-02T00:30:00+01:00", "timeZone": "Europe/Berlin"}
    assert read_event(event, RULES).form == form


def test_an_update_keeps_what_we_do_not_know() -> None:
    current = {
        "id": "e1",
        "etag": '"1"',
        "colorId": "3",
        "reminders": {"useDefault": True},
        "recurrence": ["RRULE:FREQ=DAILY"],
        "start": {"date": "2026-03-02"},
        "end": {"date": "2026-03-03"},
        "extendedProperties": {
            "shared": {"x": "1"},
            "private": {"other": "1", "titleSuffix": " [alt]", "frNr": "4711"},
        },
    }
    changes = tuple(FieldChange(name, None, None) for name in ("start", "end", "all_day", "recurrence"))
    form, decoration = read_termin(TERMIN, RULES), decoration_of(TERMIN, anonymised=False, rules=RULES)
    wanted = UpdateGoogle(TERMIN.fr_nr, "e1", form, False, decoration, Source.ADVOWARE, changes, "moved in Advoware")
    merged = event_changes(wanted, current, RULES).to_update(Event.from_wire(current))
    assert merged["colorId"] == "3"
    assert merged["reminders"] == {"useDefault": True}
    assert "recurrence" not in merged
    assert merged["start"] == {"dateTime": "2026-03-02T10:30:00+01:00", "timeZone": "Europe/Berlin"}
    extended = merged["extendedProperties"]
    assert isinstance(extended, dict)
    assert extended["shared"] == {"x": "1"}
    assert extended["private"]["other"] == "1"
    assert "titleSuffix" not in extended["private"], "our own old additions go"
    assert current["recurrence"] == ["RRULE:FREQ=DAILY"], "the input stays as it was"


SERIES = read_event(
    timed(
        "2026-03-02T09:00:00+01:00", "2026-03-02T10:00:00+01:00", summary="Jour fixe", recurrence=["RRULE:FREQ=WEEKLY"]
    ),
    RULES,
).form


def occurrence(start: str, end: str, **more: object) -> dict[str, object]:
    original = {"dateTime": "2026-03-30T09:00:00+02:00", "timeZone": "Europe/Berlin"}
    event = timed(start, end, summary="Jour fixe", recurringEventId="e1", originalStartTime=original)
    return {**event, "id": "e1_20260330", **more}


@pytest.mark.parametrize(
    ("exception", "expected"),
    [
        (occurrence("2026-03-30T09:00:00+02:00", "2026-03-30T10:00:00+02:00"), False),
        (occurrence("2026-03-30T11:00:00+02:00", "2026-03-30T12:00:00+02:00"), True),
        (occurrence("2026-03-30T09:00:00+02:00", "2026-03-30T11:00:00+02:00"), True),
        (occurrence("2026-03-30T09:00:00+02:00", "2026-03-30T10:00:00+02:00", summary="entfällt"), True),
        (occurrence("2026-03-30T09:00:00+02:00", "2026-03-30T10:00:00+02:00", status="cancelled"), True),
        (occurrence("quatsch", "2026-03-30T10:00:00+02:00"), True),
        (occurrence("2026-03-30T09:00:00+02:00", "2026-03-30T10:00:00+02:00", originalStartTime=None), True),
    ],
)
def test_an_occurrence_moved_back_is_no_exception(exception: dict[str, object], expected: bool) -> None:
    assert deviates(exception, SERIES, RULES) is expected


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("2026-10-25T02:15:00+01:00", False),  # as long in real time
        ("2026-10-25T03:15:00+01:00", False),  # as long on the clock face
        ("2026-10-25T04:00:00+01:00", True),
    ],
)
def test_an_occurrence_in_the_night_of_the_doubled_hour_is_none_for_its_end(end: str, expected: bool) -> None:
    series = timed("2026-10-11T02:30:00+02:00", "2026-10-11T03:15:00+02:00", recurrence=["RRULE:FREQ=WEEKLY"])
    original = {"dateTime": "2026-10-25T02:30:00+02:00", "timeZone": "Europe/Berlin"}
    exception = timed("2026-10-25T02:30:00+02:00", end, recurringEventId="e1", originalStartTime=original)
    assert deviates(exception, read_event(series, RULES).form, RULES) is expected


def test_event_ids_are_deterministic_and_allowed() -> None:
    one = event_id("Kanzlei", "SB", 4711)
    assert one == event_id("Kanzlei", "sb ", 4711)
    assert 5 <= len(one) <= 1024
    assert set(one) <= set("abcdefghijklmnopqrstuv0123456789")
    others = {
        event_id("Kanzlei", "SB", 4711, 1),
        event_id("Kanzlei", "SB", -4711),
        event_id("Kanzlei", "XY", 4711),
        event_id("Andere", "SB", 4711),
    }
    assert len(others | {one}) == 5


def test_base_form_survives_json() -> None:
    base = BaseForm(SERIES, SERIES, True, Decoration(" [1]", "Fahrzeit: 0:10 Std.", 1, 2))
    again = BaseForm.from_json(base.to_json(), BERLIN)
    assert again == base
    assert base_hash(again) == base_hash(base)
    with pytest.raises(TypeError):
        BaseForm.from_json({"advoware": 1, "google": 2, "decoration": []}, BERLIN)
