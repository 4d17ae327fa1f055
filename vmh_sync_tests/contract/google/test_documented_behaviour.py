"""What Google documents and no other test of this folder holds the sandbox to; see docs/google-behaviour.md."""

from collections.abc import Callable
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from vmh_sync.systems.google_calendar.changes import read_changes
from vmh_sync.systems.google_calendar.errors import PreconditionFailedError, reason_of
from vmh_sync.systems.google_calendar.event_changes import EventChanges
from vmh_sync_tests.contract.google.conftest import SUBJECT, Google

Json = dict[str, Any]
ELSEWHERE = {"email": "gericht@example.org", "displayName": "Gericht"}


@pytest.fixture
def events(google: Google) -> Any:
    """The resource ``events`` of the official client, as the service account."""
    return google.services().service().events()


@pytest.fixture
def calendar(google: Google) -> str:
    return google.calendar()


def body(**more: Any) -> Json:
    times = {
        "start": {"dateTime": "2026-03-02T10:30:00+01:00", "timeZone": "Europe/Berlin"},
        "end": {"dateTime": "2026-03-02T11:30:00+01:00", "timeZone": "Europe/Berlin"},
    }
    return {"summary": "Verhandlung", **times, **more}


def made(google: Google, calendar: str, **more: Any) -> str:
    """What a person has made in Google's own pages."""
    return str(google.hooks.edit({"calendar": calendar, "action": "create", "values": body(**more)})["id"])


def refused(call: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(HttpError) as answer:
        call()
    return int(answer.value.resp.status), reason_of(answer.value.content)


def test_a_patch_sends_and_changes_only_what_it_names(events: Any, calendar: str) -> None:
    made_of = body(description="<b>a</b>", colorId="5", extendedProperties={"private": {"a": "1", "b": "2"}})
    event = events.insert(calendarId=calendar, body=made_of).execute()
    change = {"location": "Saal 3", "extendedProperties": {"private": {"b": None, "c": "3"}}}
    after = events.patch(calendarId=calendar, eventId=event["id"], body=change).execute()
    assert after["description"] == "<b>a</b>" and after["colorId"] == "5" and after["location"] == "Saal 3"
    assert after["extendedProperties"] == {"private": {"a": "1", "c": "3"}}


def test_a_patch_with_null_takes_a_field_away(events: Any, calendar: str) -> None:
    event = events.insert(calendarId=calendar, body=body(location="Saal 3")).execute()
    assert "location" not in events.patch(calendarId=calendar, eventId=event["id"], body={"location": None}).execute()


def test_an_update_takes_away_what_it_does_not_name(events: Any, calendar: str) -> None:
    event = events.insert(calendarId=calendar, body=body(location="Saal 3", colorId="5")).execute()
    after = events.update(calendarId=calendar, eventId=event["id"], body=body()).execute()
    assert "location" not in after and "colorId" not in after


def test_a_patch_of_our_properties_needs_the_etag_too(google: Google, calendar: str) -> None:
    client = google.client()
    event_id = made(google, calendar)
    current = client.get_event(calendar, event_id)
    google.hooks.edit({"calendar": calendar, "id": event_id, "values": {"location": "Saal 3"}})
    with pytest.raises(PreconditionFailedError):
        client.update_event(calendar, current, EventChanges({}, {"frNr": "1"}, frozenset({"frNr"})))
    assert google.calls("PATCH", event_id) == 1


def test_partial_answers_hold_only_the_fields_asked_for(events: Any, calendar: str) -> None:
    event = events.insert(calendarId=calendar, body=body()).execute()
    page = events.list(calendarId=calendar, fields="items(id,start/dateTime),nextSyncToken").execute()
    assert set(page) == {"items", "nextSyncToken"}
    assert page["items"] == [{"id": event["id"], "start": {"dateTime": event["start"]["dateTime"]}}]
    assert events.get(calendarId=calendar, eventId=event["id"], fields="etag").execute() == {"etag": event["etag"]}
    one = events.get(calendarId=calendar, eventId=event["id"], fields="start/*,id").execute()
    assert one == {"id": event["id"], "start": event["start"]}


@pytest.mark.parametrize("selection", ["items(id", "items/", ",id", "items(id))"])
def test_a_selection_that_cannot_be_read_is_refused(events: Any, calendar: str, selection: str) -> None:
    call = events.list(calendarId=calendar, fields=selection).execute
    assert refused(call) == (400, "invalidParameter")


def test_an_imported_event_keeps_its_icaluid_and_organiser(events: Any, calendar: str) -> None:
    sent = body(iCalUID="abc@gericht.example", organizer=ELSEWHERE, attendees=[{"email": "sb@kanzlei.example"}])
    event = events.import_(calendarId=calendar, body=sent).execute()
    assert event["iCalUID"] == "abc@gericht.example" and event["organizer"] == ELSEWHERE
    found = events.list(calendarId=calendar, iCalUID="abc@gericht.example").execute()["items"]
    assert [one["id"] for one in found] == [event["id"]]


def test_importing_again_replaces_the_copy(events: Any, calendar: str) -> None:
    sent = body(iCalUID="abc@gericht.example")
    first = events.import_(calendarId=calendar, body=sent).execute()
    again = events.import_(calendarId=calendar, body={**sent, "summary": "Verlegt"}).execute()
    assert again["id"] == first["id"] and again["summary"] == "Verlegt"


def test_an_import_needs_an_icaluid(events: Any, calendar: str) -> None:
    assert refused(events.import_(calendarId=calendar, body=body(iCalUID="")).execute) == (400, "required")


def test_only_default_events_are_imported(events: Any, calendar: str) -> None:
    sent = body(iCalUID="abc", eventType="focusTime")
    assert refused(events.import_(calendarId=calendar, body=sent).execute) == (400, "eventTypeRestriction")


def test_a_moved_event_keeps_its_id_and_properties_and_leaves_a_tombstone(google: Google, events: Any) -> None:
    one, other = google.calendar("AW-SB"), google.calendar("AW-AH")
    properties = {"private": {"frNr": "1"}}
    event = events.insert(calendarId=one, body=body(extendedProperties=properties)).execute()
    moved = events.move(calendarId=one, eventId=event["id"], destination=other).execute()
    assert (moved["id"], moved["iCalUID"]) == (event["id"], event["iCalUID"])
    assert moved["extendedProperties"] == properties and moved["organizer"]["email"] == other
    assert events.get(calendarId=one, eventId=event["id"]).execute()["status"] == "cancelled"


def test_a_moved_series_takes_along_what_was_changed_of_it(google: Google, events: Any) -> None:
    one, other = google.calendar("AW-SB"), google.calendar("AW-AH")
    series = events.insert(calendarId=one, body=body(recurrence=["RRULE:FREQ=DAILY;COUNT=3"])).execute()
    occurrences = events.instances(calendarId=one, eventId=series["id"]).execute()["items"]
    first, second, third = (item["id"] for item in occurrences)
    events.patch(calendarId=one, eventId=second, body={"summary": "Anders"}).execute()
    events.delete(calendarId=one, eventId=third).execute()
    events.move(calendarId=one, eventId=series["id"], destination=other).execute()
    stands = events.instances(calendarId=other, eventId=series["id"], showDeleted=True).execute()["items"]
    said = {item["id"]: (item["status"], item.get("summary")) for item in stands}
    assert said[second] == ("confirmed", "Anders") and said[third][0] == "cancelled"
    assert said[first][0] == "confirmed" and said[first][1] != "Anders"


def test_a_move_needs_write_access_to_both_calendars(google: Google, events: Any) -> None:
    one, other = google.calendar("AW-SB"), google.calendar("fremd", owner=SUBJECT)
    event = events.insert(calendarId=one, body=body()).execute()
    move = events.move(calendarId=one, eventId=event["id"], destination=other).execute
    assert refused(move) == (404, "notFound")
    account = google.services().service_account_email
    google.hooks.command("share", {"calendar": other, "account": account, "role": "reader"})
    assert refused(move) == (403, "requiredAccessLevel")


def test_an_occurrence_of_a_series_cannot_be_moved_alone(google: Google, events: Any) -> None:
    one, other = google.calendar("AW-SB"), google.calendar("AW-AH")
    series = events.insert(calendarId=one, body=body(recurrence=["RRULE:FREQ=DAILY;COUNT=3"])).execute()
    occurrence = events.instances(calendarId=one, eventId=series["id"]).execute()["items"][1]
    events.patch(calendarId=one, eventId=occurrence["id"], body={"summary": "Anders"}).execute()
    move = events.move(calendarId=one, eventId=occurrence["id"], destination=other).execute
    assert refused(move) == (400, "cannotChangeOrganizerOfInstance")


def test_only_the_organiser_changes_what_all_guests_see(google: Google, events: Any, calendar: str) -> None:
    event_id = made(google, calendar, organizer=ELSEWHERE)
    for change in ({"summary": "Anders"}, {"location": "Saal 3"}, {"start": body()["end"]} | {"end": body()["end"]}):
        patch = events.patch(calendarId=calendar, eventId=event_id, body=change).execute
        assert refused(patch) == (403, "forbiddenForNonOrganizer")
    mine = {"colorId": "5", "extendedProperties": {"private": {"frNr": "1"}}, "reminders": {"useDefault": False}}
    after = events.patch(calendarId=calendar, eventId=event_id, body=mine).execute()
    assert after["colorId"] == "5" and after["extendedProperties"]["private"] == {"frNr": "1"}
    assert after["organizer"] == ELSEWHERE


def test_guests_may_change_it_where_the_organiser_allows_it(google: Google, events: Any, calendar: str) -> None:
    event_id = made(google, calendar, organizer=ELSEWHERE, guestsCanModify=True)
    after = events.patch(calendarId=calendar, eventId=event_id, body={"summary": "Anders"}).execute()
    assert after["summary"] == "Anders"


def test_the_main_fields_of_a_locked_copy_cannot_be_changed(google: Google, events: Any, calendar: str) -> None:
    event_id = made(google, calendar, locked=True)
    patch = events.patch(calendarId=calendar, eventId=event_id, body={"summary": "Anders"}).execute
    assert refused(patch) == (403, "forbiddenForNonOrganizer")


def test_the_content_of_an_event_from_gmail_cannot_be_changed(google: Google, events: Any, calendar: str) -> None:
    event_id = made(google, calendar, eventType="fromGmail")
    patch = events.patch(calendarId=calendar, eventId=event_id, body={"summary": "Anders"}).execute
    assert refused(patch) == (400, "eventTypeRestriction")
    mark = {"extendedProperties": {"private": {"frNr": "1"}}}
    assert events.patch(calendarId=calendar, eventId=event_id, body=mark).execute()["summary"] == "Verhandlung"


@pytest.mark.parametrize("kind", ["birthday", "focusTime", "outOfOffice", "workingLocation", "fromGmail"])
def test_googles_own_kinds_are_not_created_in_other_than_primary_calendars(
    events: Any, calendar: str, kind: str
) -> None:
    insert = events.insert(calendarId=calendar, body=body(eventType=kind)).execute
    assert refused(insert) == (400, "eventTypeRestriction")


def test_the_kind_of_an_event_cannot_be_changed(events: Any, calendar: str) -> None:
    event = events.insert(calendarId=calendar, body=body()).execute()
    patch = events.patch(calendarId=calendar, eventId=event["id"], body={"eventType": "focusTime"}).execute
    assert refused(patch) == (400, "eventTypeRestriction")


def test_the_list_of_calendars_has_a_sync_token(google: Google) -> None:
    lists = google.services().service().calendarList()
    kept, dropped = google.calendar("AW-SB"), google.calendar("AW-AH")
    first = lists.list().execute()
    assert {kept, dropped} <= {one["id"] for one in first["items"]}
    quiet = lists.list(syncToken=first["nextSyncToken"]).execute()
    assert quiet["items"] == [] and quiet["nextSyncToken"]
    lists.delete(calendarId=dropped).execute()
    new = google.calendar("AW-XX")
    changed = lists.list(syncToken=quiet["nextSyncToken"]).execute()["items"]
    assert {one["id"]: one.get("deleted", False) for one in changed} == {new: False, dropped: True}


def test_a_token_of_the_list_of_calendars_forbids_filters_and_dies(google: Google) -> None:
    lists = google.services().service().calendarList()
    token = lists.list().execute()["nextSyncToken"]
    for more in ({"minAccessRole": "writer"}, {"showDeleted": False}):
        assert refused(lists.list(syncToken=token, **more).execute)[0] == 400
    assert "nextSyncToken" not in lists.list(minAccessRole="writer").execute()
    google.hooks.command("invalidate_sync_tokens", {})
    assert refused(lists.list(syncToken=token).execute) == (410, "fullSyncRequired")


def test_the_end_of_a_whole_day_is_exclusive_and_has_to_be_later(events: Any, calendar: str) -> None:
    days = {"start": {"date": "2026-07-06"}, "end": {"date": "2026-07-11"}}
    event = events.insert(calendarId=calendar, body={"summary": "Urlaub", **days}).execute()
    assert (event["start"], event["end"]) == (days["start"], days["end"])
    window = {"timeMin": "2026-07-10T22:00:00Z", "timeMax": "2026-07-12T00:00:00Z"}
    assert events.list(calendarId=calendar, **window).execute()["items"] == [], "the 11th is free"
    same = {"summary": "x", "start": {"date": "2026-07-06"}, "end": {"date": "2026-07-06"}}
    assert refused(events.insert(calendarId=calendar, body=same).execute) == (400, "timeRangeEmpty")


def test_a_day_and_a_moment_cannot_be_mixed(events: Any, calendar: str) -> None:
    mixed = {**body(), "end": {"date": "2026-03-03"}}
    assert refused(events.insert(calendarId=calendar, body=mixed).execute)[0] == 400


def test_an_etag_saves_a_reading_of_what_has_not_changed(google: Google, events: Any, calendar: str) -> None:
    event = events.insert(calendarId=calendar, body=body()).execute()
    request = events.get(calendarId=calendar, eventId=event["id"])
    request.headers["If-None-Match"] = event["etag"]
    with pytest.raises(HttpError) as answer:
        request.execute()
    assert answer.value.resp.status == 304


def test_every_write_changes_the_etag_and_updated(google: Google, events: Any, calendar: str) -> None:
    event = events.insert(calendarId=calendar, body=body()).execute()
    google.sleep(1)
    after = events.patch(calendarId=calendar, eventId=event["id"], body={"colorId": "5"}).execute()
    assert after["etag"] != event["etag"] and after["updated"] > event["updated"]
    assert after["sequence"] == event["sequence"], "a colour is no new version for guests"


def test_occurrences_are_named_by_their_original_start(events: Any, calendar: str) -> None:
    timed = events.insert(calendarId=calendar, body=body(recurrence=["RRULE:FREQ=DAILY;COUNT=2"])).execute()
    days = {"start": {"date": "2026-03-02"}, "end": {"date": "2026-03-03"}, "recurrence": ["RRULE:FREQ=DAILY;COUNT=2"]}
    whole = events.insert(calendarId=calendar, body=days).execute()
    ids = [
        [one["id"] for one in events.instances(calendarId=calendar, eventId=series["id"]).execute()["items"]]
        for series in (timed, whole)
    ]
    assert ids[0] == [f"{timed['id']}_20260302T093000Z", f"{timed['id']}_20260303T093000Z"]
    assert ids[1] == [f"{whole['id']}_20260302", f"{whole['id']}_20260303"]


def test_cancelled_occurrences_are_listed_with_the_series_and_by_instances_on_demand(
    google: Google, events: Any, calendar: str
) -> None:
    series = events.insert(calendarId=calendar, body=body(recurrence=["RRULE:FREQ=DAILY;COUNT=3"])).execute()
    ids = [one["id"] for one in events.instances(calendarId=calendar, eventId=series["id"]).execute()["items"]]
    events.delete(calendarId=calendar, eventId=ids[1]).execute()
    listed = {event.id: event.status for event in read_changes(google.client(), calendar, None).events}
    assert listed == {series["id"]: "confirmed", ids[1]: "cancelled"}
    instances = events.instances(calendarId=calendar, eventId=series["id"])
    assert [one["id"] for one in instances.execute()["items"]] == [ids[0], ids[2]]
    shown = events.instances(calendarId=calendar, eventId=series["id"], showDeleted=True).execute()["items"]
    assert {one["id"] for one in shown} == set(ids)


def test_start_order_needs_single_events(events: Any, calendar: str) -> None:
    assert refused(events.list(calendarId=calendar, orderBy="startTime").execute)[0] == 400


def test_an_empty_window_is_refused(events: Any, calendar: str) -> None:
    window = {"timeMin": "2026-03-02T00:00:00Z", "timeMax": "2026-03-02T00:00:00Z"}
    assert refused(events.list(calendarId=calendar, **window).execute) == (400, "timeRangeEmpty")


def test_pages_are_as_long_as_asked_and_the_token_stands_on_the_last(events: Any, calendar: str) -> None:
    for _ in range(5):
        events.insert(calendarId=calendar, body=body()).execute()
    sizes, tokens = [], []
    page: dict[str, Any] = {}
    while True:
        answer = events.list(calendarId=calendar, maxResults=2, **page).execute()
        sizes.append(len(answer["items"]))
        tokens.append("nextSyncToken" in answer)
        if "nextPageToken" not in answer:
            break
        page = {"pageToken": answer["nextPageToken"]}
    assert sizes == [2, 2, 1] and tokens == [False, False, True]


def test_a_page_token_belongs_to_its_question(events: Any, calendar: str) -> None:
    for _ in range(3):
        events.insert(calendarId=calendar, body=body()).execute()
    token = events.list(calendarId=calendar, maxResults=1).execute()["nextPageToken"]
    assert refused(events.list(calendarId=calendar, maxResults=2, pageToken=token).execute) == (400, "invalid")


def test_colours_reminders_and_defaults_are_kept_and_defaults_left_out(events: Any, calendar: str) -> None:
    reminders = {"useDefault": False, "overrides": [{"method": "popup", "minutes": 45}]}
    sent = body(colorId="11", reminders=reminders, visibility="default", transparency="transparent")
    event = events.insert(calendarId=calendar, body=sent).execute()
    assert (event["colorId"], event["reminders"], event["transparency"]) == ("11", reminders, "transparent")
    assert "visibility" not in event
    assert events.insert(calendarId=calendar, body=body()).execute()["reminders"] == {"useDefault": True}


def test_a_person_who_wrote_a_deleted_event_again_brings_it_back(events: Any, calendar: str) -> None:
    event = events.insert(calendarId=calendar, body=body()).execute()
    events.delete(calendarId=calendar, eventId=event["id"]).execute()
    again = events.update(calendarId=calendar, eventId=event["id"], body=body(status="confirmed")).execute()
    assert (again["id"], again["status"]) == (event["id"], "confirmed")


def test_a_conference_is_written_only_by_who_knows_of_conferences(events: Any, google: Google, calendar: str) -> None:
    where = {"calendarId": calendar, "eventId": made(google, calendar, conferenceData={"conferenceId": "abc-defg"})}
    gone: Json = {"conferenceData": None}
    assert events.patch(**where, body=gone).execute()["conferenceData"] == {"conferenceId": "abc-defg"}
    assert events.update(**where, body=body()).execute()["conferenceData"] == {"conferenceId": "abc-defg"}
    assert "conferenceData" not in events.patch(**where, body=gone, conferenceDataVersion=1).execute()
