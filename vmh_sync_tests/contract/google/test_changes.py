"""Incremental reads: sync tokens with all their rules, pages short and empty."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from vmh_sync.kalender.form.event_identity import event_id
from vmh_sync.systems.google_calendar.changes import read_changes
from vmh_sync.systems.google_calendar.errors import IncompleteReadError, UpdatedMinTooLongAgoError
from vmh_sync_tests.contract.google.conftest import Google
from vmh_sync_tests.fixtures.event_drafts import EventDraft


def fill(google: Google, calendar: str, draft: EventDraft, count: int) -> list[str]:
    client = google.client()
    return [client.insert_event(calendar, event_id("K", "SB", number), draft).id for number in range(count)]


def test_first_everything_then_only_changes(google: Google, draft: EventDraft) -> None:
    calendar, client = google.calendar(), google.client()
    ids = fill(google, calendar, draft, 3)
    first = read_changes(client, calendar, None)
    assert first.full
    assert not first.was_reset
    assert [event.id for event in first.events] == ids
    nothing = read_changes(client, calendar, first.token)
    assert nothing.events == ()
    assert not nothing.full
    google.hooks.edit({"calendar": calendar, "id": ids[1], "values": {"summary": "anders"}})
    google.hooks.edit({"calendar": calendar, "id": ids[0], "action": "delete"})
    delta = read_changes(client, calendar, nothing.token)
    assert [(event.id, event.deleted) for event in delta.events] == [(ids[1], False), (ids[0], True)]
    assert delta.events[1].start is None


def test_the_delta_is_unwindowed_and_one_call(google: Google, draft: EventDraft) -> None:
    calendar, client = google.calendar(), google.client()
    token = read_changes(client, calendar, None).token
    calls = google.calls("GET", "/events")
    read_changes(client, calendar, token)
    assert google.calls("GET", "/events") == calls + 1
    query = google.exchanges[-1][0].query
    assert set(query) == {"syncToken", "singleEvents", "maxResults", "alt"}


@pytest.mark.parametrize("seed", range(6))
def test_short_and_empty_pages_lose_nothing(google: Google, draft: EventDraft, seed: int) -> None:
    google.hooks.reset({"config": {"paging": "short", "seed": seed}})
    calendar, client = google.calendar(), google.client()
    ids = fill(google, calendar, draft, 7)
    first = read_changes(client, calendar, None)
    assert [event.id for event in first.events] == ids
    for one in ids[:4]:
        google.hooks.edit({"calendar": calendar, "id": one, "values": {"summary": "neu"}})
    assert [event.id for event in read_changes(client, calendar, first.token).events] == ids[:4]


def test_the_short_mode_really_sends_empty_pages(google: Google, draft: EventDraft) -> None:
    google.hooks.config.paging = "short"
    calendar = google.calendar()
    fill(google, calendar, draft, 5)
    pages = []
    client = google.client()
    for _ in range(10):
        pages += list(client.list_pages(calendar, {"singleEvents": False, "maxResults": 2}))
    assert any(not page["items"] and "nextPageToken" in page for page in pages)
    assert all(("nextPageToken" in page) != ("nextSyncToken" in page) for page in pages)


def test_a_change_between_two_pages_is_in_this_read_or_in_the_next(google: Google, draft: EventDraft) -> None:
    calendar, client = google.calendar(), google.client()
    ids = fill(google, calendar, draft, 4)
    pages = client.list_pages(calendar, {"singleEvents": False, "maxResults": 2})
    next(pages)
    google.hooks.edit({"calendar": calendar, "id": ids[0], "values": {"summary": "mittendrin"}})
    last = next(pages)
    params = {"singleEvents": False, "maxResults": 2, "syncToken": last["nextSyncToken"]}
    assert [item["id"] for page in client.list_pages(calendar, params) for item in page["items"]] == [ids[0]]


@pytest.mark.parametrize("cause", ["command", "acl"])
def test_a_dead_token_leads_to_a_full_read(google: Google, draft: EventDraft, cause: str) -> None:
    calendar, client = google.calendar(), google.client()
    ids = fill(google, calendar, draft, 2)
    token = read_changes(client, calendar, None).token
    if cause == "command":
        google.hooks.command("invalidate_sync_tokens", {"calendar": calendar})
    else:
        google.hooks.command("share", {"calendar": calendar, "account": "neu@example.test", "role": "reader"})
    again = read_changes(client, calendar, token)
    assert [response.status for _, response in google.exchanges[-2:]] == [410, 200]
    assert again.full
    assert again.was_reset
    assert [event.id for event in again.events] == ids
    assert not read_changes(client, calendar, again.token).full


def test_a_token_of_another_version_is_not_sent(google: Google) -> None:
    calendar, client = google.calendar(), google.client()
    token = read_changes(client, calendar, None).token
    again = read_changes(client, calendar, "0:" + token.partition(":")[2])
    assert again.full
    assert again.was_reset
    assert "syncToken" not in google.exchanges[-1][0].query


def test_a_list_without_a_token_is_no_complete_read(google: Google) -> None:
    calendar, client = google.calendar(), google.client()
    google.fault(action="status", path="/events", status=200, body='{"kind": "calendar#events", "items": []}')
    with pytest.raises(IncompleteReadError):
        read_changes(client, calendar, None)


FORBIDDEN: list[dict[str, Any]] = [
    {"timeMin": "2026-01-01T00:00:00Z"},
    {"timeMax": "2026-01-01T00:00:00Z"},
    {"orderBy": "updated"},
    {"q": "x"},
    {"iCalUID": "x"},
    {"privateExtendedProperty": "a=b"},
    {"sharedExtendedProperty": "a=b"},
    {"updatedMin": "2026-03-01T00:00:00Z"},
    {"showDeleted": False},
    {"maxResults": 17},
    {"singleEvents": True},
    {"timeZone": "UTC"},
]


@pytest.mark.parametrize("extra", FORBIDDEN, ids=lambda extra: next(iter(extra)))
def test_a_sync_token_forbids_windows_filters_and_other_parameters(google: Google, extra: dict[str, Any]) -> None:
    calendar = google.calendar()
    events = google.services().service().events()
    token = events.list(calendarId=calendar).execute(num_retries=0)["nextSyncToken"]
    events.list(calendarId=calendar, syncToken=token).execute(num_retries=0)
    with pytest.raises(HttpError) as caught:
        events.list(calendarId=calendar, syncToken=token, **extra).execute(num_retries=0)
    assert caught.value.resp.status == 400


@pytest.mark.parametrize("extra", [{"q": "x"}, {"orderBy": "updated"}, {"privateExtendedProperty": "a=b"}])
def test_a_filtered_list_gives_no_sync_token(google: Google, extra: dict[str, Any]) -> None:
    calendar = google.calendar()
    answer = google.services().service().events().list(calendarId=calendar, **extra).execute(num_retries=0)
    assert "nextSyncToken" not in answer


def test_updated_min_reaches_back_only_so_far(google: Google, draft: EventDraft) -> None:
    calendar, client = google.calendar(), google.client()
    ids = fill(google, calendar, draft, 2)
    google.clock.advance(timedelta(days=1))
    google.hooks.edit({"calendar": calendar, "id": ids[1], "action": "delete"})
    recent = {"updatedMin": (google.clock.now() - timedelta(hours=1)).isoformat()}
    items = [item for page in client.list_pages(calendar, recent) for item in page["items"]]
    assert [(item["id"], item["status"]) for item in items] == [(ids[1], "cancelled")]
    with pytest.raises(UpdatedMinTooLongAgoError):
        list(client.list_pages(calendar, {"updatedMin": (google.clock.now() - timedelta(days=90)).isoformat()}))


def test_deleted_events_are_listed_only_on_demand(google: Google, draft: EventDraft) -> None:
    calendar, client = google.calendar(), google.client()
    ids = fill(google, calendar, replace(draft, summary="weg"), 2)
    client.delete_event(calendar, ids[0])
    listed = {
        shown: [item["id"] for page in client.list_pages(calendar, {"showDeleted": shown}) for item in page["items"]]
        for shown in (False, True)
    }
    assert listed == {False: ids[1:], True: ids}
