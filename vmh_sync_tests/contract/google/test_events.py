"""Writing and reading events through the official client."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

import pytest

from vmh_sync.kalender.form.event_identity import event_id
from vmh_sync.systems.google_calendar.client import GoogleCalendarClient
from vmh_sync.systems.google_calendar.errors import (
    DuplicateError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    PreconditionFailedError,
    UnknownOutcomeError,
)
from vmh_sync.systems.google_calendar.events import EventTime
from vmh_sync.systems.google_calendar.locks import CalendarLocks
from vmh_sync_tests.contract.google.conftest import Google, find_events
from vmh_sync_tests.fixtures.event_drafts import EventDraft

EVENT_ID = event_id("K1", "SB", 4711)


def test_an_inserted_event_comes_back_as_google_keeps_it(google: Google, draft: EventDraft) -> None:
    calendar = google.calendar()
    event = google.client().insert_event(calendar, EVENT_ID, draft)
    assert event == google.client().get_event(calendar, EVENT_ID)
    assert event.raw["start"] == {"dateTime": "2026-03-02T10:30:00+01:00", "timeZone": "Europe/Berlin"}
    assert event.description == "Saal 3\nAkte mitbringen"
    assert event.raw["reminders"] == {"useDefault": True}
    assert event.raw["organizer"]["email"] == calendar
    assert {"htmlLink", "created", "updated", "iCalUID", "creator"} <= set(event.raw)
    assert event.raw["sequence"] == 0
    assert event.private_properties == {"vmhFrNr": "4711"}


def test_times_are_shown_with_the_offset_of_the_calendar(google: Google) -> None:
    calendar = google.calendar()
    values = {"start": {"dateTime": "2026-07-01T08:00:00Z"}, "end": {"dateTime": "2026-07-01T09:00:00Z"}}
    shown = google.hooks.edit({"calendar": calendar, "values": {**values, "summary": "", "location": ""}})
    assert shown["start"] == {"dateTime": "2026-07-01T10:00:00+02:00", "timeZone": "Europe/Berlin"}
    assert "summary" not in shown
    assert "location" not in shown


def test_a_repeated_insert_is_a_duplicate_also_after_deletion(google: Google, draft: EventDraft) -> None:
    calendar, client = google.calendar(), google.client()
    client.insert_event(calendar, EVENT_ID, draft)
    with pytest.raises(DuplicateError):
        client.insert_event(calendar, EVENT_ID, draft)
    assert client.delete_event(calendar, EVENT_ID) is True
    with pytest.raises(DuplicateError):
        client.insert_event(calendar, EVENT_ID, draft)
    again = client.insert_event(calendar, event_id("K1", "SB", 4711, generation=1), draft)
    assert not again.cancelled


def test_a_deleted_event_is_a_tombstone_and_a_second_delete_is_no_failure(google: Google, draft: EventDraft) -> None:
    calendar, client = google.calendar(), google.client()
    client.insert_event(calendar, EVENT_ID, draft)
    assert client.delete_event(calendar, EVENT_ID) is True
    assert client.delete_event(calendar, EVENT_ID) is False
    assert google.exchanges[-1][1].status == 410
    assert client.get_event(calendar, EVENT_ID).deleted
    assert client.delete_event(calendar, "never0existed") is False


def test_an_update_needs_the_etag_that_was_read(google: Google, draft: EventDraft) -> None:
    calendar, client = google.calendar(), google.client()
    read = client.insert_event(calendar, EVENT_ID, draft)
    google.hooks.edit({"calendar": calendar, "id": EVENT_ID, "values": {"summary": "von Hand"}})
    with pytest.raises(PreconditionFailedError):
        client.update_event(calendar, read, replace(draft, summary="von uns"))
    with pytest.raises(PreconditionFailedError):
        client.delete_event(calendar, EVENT_ID, read.etag)
    assert client.get_event(calendar, EVENT_ID).summary == "von Hand"
    current = client.get_event(calendar, EVENT_ID)
    assert client.update_event(calendar, current, replace(draft, summary="von uns")).summary == "von uns"


def test_an_update_keeps_what_it_does_not_own(google: Google, draft: EventDraft) -> None:
    calendar, client = google.calendar(), google.client()
    client.insert_event(calendar, EVENT_ID, draft)
    reminders = {"useDefault": False, "overrides": [{"method": "popup", "minutes": 10}]}
    values = {"colorId": "5", "reminders": reminders, "extendedProperties": {"private": {"other": "x"}}}
    google.hooks.edit({"calendar": calendar, "id": EVENT_ID, "values": values})
    current = client.get_event(calendar, EVENT_ID)
    updated = client.update_event(calendar, current, replace(draft, location="", private=True))
    assert updated.raw["colorId"] == "5"
    assert updated.raw["reminders"] == reminders
    assert updated.private_properties == {"other": "x", "vmhFrNr": "4711"}
    assert updated.location == ""
    assert updated.private
    assert google.calls("PATCH", EVENT_ID) == 0


def test_guests_of_a_person_survive_our_update(google: Google, draft: EventDraft) -> None:
    calendar, client = google.calendar(), google.client()
    client.insert_event(calendar, EVENT_ID, draft)
    guests = [{"email": "gast@example.test", "responseStatus": "needsAction"}]
    google.hooks.edit({"calendar": calendar, "id": EVENT_ID, "values": {"attendees": guests}})
    before = google.quota.units
    current = client.get_event(calendar, EVENT_ID)
    changed = replace(draft, description="", start=EventTime(day=date(2026, 3, 2)), end=EventTime(day=date(2026, 3, 3)))
    updated = client.update_event(calendar, current, changed)
    assert updated.raw["attendees"] == guests
    assert updated.start == EventTime(day=date(2026, 3, 2))
    assert updated.description == ""
    assert google.quota.units - before == 1 + 3


def test_our_bodies_never_invite(google: Google, draft: EventDraft) -> None:
    calendar, client = google.calendar(), google.client()
    event = client.insert_event(calendar, EVENT_ID, draft)
    client.update_event(calendar, event, draft)
    client.delete_event(calendar, EVENT_ID)
    writes = [request for request, _ in google.exchanges if request.method != "GET"]
    assert len(writes) == 3
    assert all(request.query["sendUpdates"] == ["none"] for request in writes)
    assert all(b"attendees" not in request.body for request in writes)


def test_a_service_account_may_not_invite_guests(google: Google) -> None:
    calendar = google.calendar()
    body = {"start": {"date": "2026-03-02"}, "end": {"date": "2026-03-03"}, "attendees": [{"email": "a@example.test"}]}
    service = google.services().service()
    with pytest.raises(Exception, match="Domain-Wide Delegation"):
        service.events().insert(calendarId=calendar, body=body).execute(num_retries=0)


@pytest.mark.parametrize("bad_id", ["kurz", "Grossbuchstaben", "mit-strich", "xyz12", "äöü12", "abcd"])
def test_ids_outside_base32hex_are_refused(google: Google, draft: EventDraft, bad_id: str) -> None:
    with pytest.raises(InvalidRequestError):
        google.client().insert_event(google.calendar(), bad_id, draft)


def test_events_are_found_by_private_property(google: Google, draft: EventDraft) -> None:
    calendar, client = google.calendar(), google.client()
    for number in (1, 2, 3):
        properties = {"vmhFrNr": str(number), "vmhHash": "h"}
        client.insert_event(calendar, event_id("K", "SB", number), replace(draft, private_properties=properties))
    assert [
        event.private_properties["vmhFrNr"] for event in find_events(client, calendar, vmhFrNr="2", vmhHash="h")
    ] == ["2"]
    assert find_events(client, calendar, vmhFrNr="2", vmhHash="other") == []
    assert len(find_events(client, calendar, vmhHash="h")) == 3


def test_property_names_above_44_characters_vanish(google: Google, draft: EventDraft) -> None:
    properties = {"k" * 44: "bleibt", "k" * 45: "geht"}
    event = google.client().insert_event(google.calendar(), EVENT_ID, replace(draft, private_properties=properties))
    assert event.private_properties == {"k" * 44: "bleibt"}


def test_an_insert_whose_answer_is_lost_leaves_one_event(google: Google, draft: EventDraft) -> None:
    calendar = google.calendar()
    google.fault(action="drop_after", path="/events", method="POST")
    event = google.client().insert_event(calendar, EVENT_ID, draft)
    assert event.summary == "Verhandlung"
    assert len(google.hooks.state()["calendars"][-1]["events"]) == 1
    # Sent twice by our own layer, not by the transport behind our back.
    assert google.calls("POST", "/events") == 2
    assert len(google.slept) == 1


def test_an_event_that_was_deleted_before_the_answer_got_through_is_a_duplicate(
    google: Google, draft: EventDraft
) -> None:
    calendar = google.calendar()
    google.fault(action="drop_after", path="/events", method="POST")
    google.sleep = lambda _: google.hooks.edit(  # type: ignore[assignment, method-assign]
        {"calendar": calendar, "id": EVENT_ID, "action": "delete"}
    )
    with pytest.raises(DuplicateError) as caught:
        google.client().insert_event(calendar, EVENT_ID, draft)
    assert caught.value.after_lost_answer


def test_an_insert_that_never_arrived_is_sent_again(google: Google, draft: EventDraft) -> None:
    calendar = google.calendar()
    google.fault(action="drop_before", path="/events", method="POST")
    assert google.client().insert_event(calendar, EVENT_ID, draft).id == EVENT_ID
    assert google.calls("POST", "/events") == 1


def test_an_update_whose_answer_is_lost_ends_in_a_new_reading(google: Google, draft: EventDraft) -> None:
    calendar, client = google.calendar(), google.client()
    event = client.insert_event(calendar, EVENT_ID, draft)
    google.fault(action="drop_after", path=EVENT_ID, method="PUT")
    with pytest.raises(PreconditionFailedError) as caught:
        client.update_event(calendar, event, replace(draft, summary="neu"))
    assert caught.value.after_lost_answer
    assert client.get_event(calendar, EVENT_ID).summary == "neu"


def test_a_delete_whose_answer_is_lost_is_a_delete(google: Google, draft: EventDraft) -> None:
    calendar, client = google.calendar(), google.client()
    client.insert_event(calendar, EVENT_ID, draft)
    google.fault(action="drop_after", path=EVENT_ID, method="DELETE")
    assert client.delete_event(calendar, EVENT_ID) is False
    assert client.get_event(calendar, EVENT_ID).deleted


def test_an_answer_that_never_comes_is_an_unknown_outcome(google: Google, draft: EventDraft) -> None:
    calendar, client = google.calendar(), google.client(attempts=2)
    google.fault(action="drop_after", path="/events", method="POST", times=2)
    with pytest.raises(UnknownOutcomeError):
        client.insert_event(calendar, EVENT_ID, draft)


def test_access_taken_away(google: Google, draft: EventDraft) -> None:
    calendar, client = google.calendar(owner="chef@example.test", acl={}), google.client()
    with pytest.raises(NotFoundError):
        client.insert_event(calendar, EVENT_ID, draft)
    account = google.hooks.config.service_account_email
    google.hooks.command("share", {"calendar": calendar, "account": account, "role": "reader"})
    with pytest.raises(ForbiddenError):
        client.insert_event(calendar, EVENT_ID, draft)
    google.hooks.command("share", {"calendar": calendar, "account": account, "role": "writer"})
    client.insert_event(calendar, EVENT_ID, draft)
    google.hooks.command("forbid", {"calendar": calendar})
    with pytest.raises(ForbiddenError):
        client.get_event(calendar, EVENT_ID)
    assert google.slept == []


def test_every_write_holds_the_calendar_and_no_read_does(
    google: Google, draft: EventDraft, monkeypatch: pytest.MonkeyPatch
) -> None:
    calendar, told, hold = google.calendar(), [], CalendarLocks.hold

    @contextmanager
    def noted(locks: CalendarLocks, calendar_id: str) -> Iterator[None]:
        sent = len(google.exchanges)
        with hold(locks, calendar_id):
            yield
        told.append((calendar_id, len(google.exchanges) - sent))

    monkeypatch.setattr(CalendarLocks, "hold", noted)
    client = GoogleCalendarClient(google.services(), google.quota)
    event = client.insert_event(calendar, EVENT_ID, draft)
    client.update_event(calendar, event, draft)
    client.delete_event(calendar, EVENT_ID)
    client.get_event(calendar, EVENT_ID)
    find_events(client, calendar, a="b")
    assert told == [(calendar, 1)] * 3
