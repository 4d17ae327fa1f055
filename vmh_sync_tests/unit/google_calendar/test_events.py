"""Event records to and from Google's form."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from vmh_sync.systems.google_calendar.events import Event, EventTime, WireContent
from vmh_sync_tests.fixtures.event_drafts import EventDraft, to_wire

CET = timezone(timedelta(hours=1))
MORNING = EventTime(at=datetime(2026, 3, 2, 10, 30, tzinfo=CET), time_zone="Europe/Berlin")
NOON = EventTime(at=datetime(2026, 3, 2, 12, 0, tzinfo=CET), time_zone="Europe/Berlin")
DAY = EventTime(day=date(2026, 3, 2))
WIRE = {"id": "abcde", "etag": '"1"', "status": "confirmed", "start": to_wire(MORNING), "end": to_wire(NOON)}


def test_times_survive_the_way_there_and_back() -> None:
    assert to_wire(MORNING) == {"dateTime": "2026-03-02T10:30:00+01:00", "timeZone": "Europe/Berlin"}
    assert EventTime.from_wire(to_wire(MORNING)) == MORNING
    assert EventTime.from_wire(to_wire(DAY)) == DAY
    assert EventTime.from_wire({"dateTime": "2026-03-02T09:30:00Z"}).at == datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def test_times_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="exactly one"):
        EventTime()
    with pytest.raises(ValueError, match="exactly one"):
        EventTime(day=date(2026, 3, 2), at=datetime(2026, 3, 2, tzinfo=UTC))
    with pytest.raises(ValueError, match="aware"):
        EventTime(at=datetime.fromisoformat("2026-03-02T00:00:00"))
    with pytest.raises(ValueError, match="neither"):
        EventTime.from_wire({})


def test_a_tombstone_needs_no_times() -> None:
    event = Event.from_wire({"id": "abcde", "status": "cancelled"})
    assert event.deleted
    assert event.start is None
    assert Event.from_wire({**WIRE, "status": "cancelled", "recurringEventId": "m"}).deleted is False


def test_an_event_without_id_is_refused() -> None:
    with pytest.raises(ValueError, match="id"):
        Event.from_wire({"status": "confirmed"})


def test_empty_texts_are_not_sent_but_taken_away_by_patch() -> None:
    draft = EventDraft(DAY, DAY)
    assert draft.to_insert("abcde") == {
        "id": "abcde",
        "start": {"date": "2026-03-02"},
        "end": {"date": "2026-03-02"},
        "visibility": "default",
    }
    patch = draft.to_patch(Event.from_wire(WIRE))
    assert patch["summary"] is None
    assert patch["recurrence"] is None
    assert patch["start"] == {"date": "2026-03-02", "dateTime": None, "timeZone": None}


def test_an_update_brings_back_foreign_fields_but_not_read_only_ones() -> None:
    raw = {
        **WIRE,
        "colorId": "5",
        "summary": "alt",
        "recurrence": ["RRULE:FREQ=DAILY"],
        "created": "2026-01-01T00:00:00Z",
        "organizer": {"email": "x@example.test"},
        "extendedProperties": {"private": {"a": "1", "vmhHash": "alt"}, "shared": {"s": "2"}},
    }
    body = EventDraft(DAY, DAY, "neu", private_properties={"vmhHash": "neu"}).to_update(Event.from_wire(raw))
    assert body["colorId"] == "5"
    assert body["summary"] == "neu"
    assert "recurrence" not in body
    assert "created" not in body
    assert "organizer" not in body
    assert body["extendedProperties"] == {"private": {"a": "1", "vmhHash": "neu"}, "shared": {"s": "2"}}


@pytest.mark.parametrize("key", ["attendees", "attachments", "conferenceData"])
def test_what_a_full_update_would_harm_is_patched(key: str) -> None:
    assert Event.from_wire({**WIRE, key: [{"x": 1}]}).needs_patch
    assert not Event.from_wire({**WIRE, key: []}).needs_patch


def test_records_do_not_show_personal_text() -> None:
    draft = EventDraft(DAY, DAY, "Verhandlung", "Notiz", "Ort")
    event = Event.from_wire({**WIRE, "summary": "Verhandlung", "description": "Notiz", "location": "Ort"})
    for text in (repr(draft), repr(event)):
        assert not any(word in text for word in ("Verhandlung", "Notiz", "Ort"))


def test_a_body_of_ours_is_laid_over_the_event() -> None:
    ours = frozenset({"frNr", "anonymised"})
    raw = {**WIRE, "colorId": "5", "extendedProperties": {"private": {"frNr": "1", "anonymised": "1", "other": "x"}}}
    body = {
        "summary": "neu",
        "description": "",
        "attendees": [{"email": "gast@example.test"}],
        "start": to_wire(DAY),
        "end": to_wire(DAY),
        "extendedProperties": {"private": {"frNr": "1"}},
    }
    content = WireContent(body, ours)
    update = content.to_update(Event.from_wire(raw))
    assert update["extendedProperties"] == {"private": {"frNr": "1", "other": "x"}}
    assert update["colorId"] == "5"
    assert "description" not in update
    patch = content.to_patch(Event.from_wire(raw))
    assert patch["extendedProperties"] == {"private": {"frNr": "1", "anonymised": None}}
    assert patch["description"] is None
    inserted = content.to_insert("abcde")
    assert inserted["id"] == "abcde"
    assert all("attendees" not in sent for sent in (update, patch, inserted))
