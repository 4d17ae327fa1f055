"""The same small set of calls on our sandbox and on an independent simulation, the npm package ``emulate``.

emulate 0.11.2 (service google) knows calendarList.list, events.list, events.insert, events.delete and freeBusy only:
no calendars.insert, no events.get or update, no client ids, etags, sync tokens, series or service accounts. What
both know has to look the same to the official client. Its answers stand in second_opinion.json, as plain data;
``make second-opinion`` asks it anew (that alone needs Node and npm).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import google.oauth2.credentials
import google_auth_httplib2
import httplib2
import pytest
from googleapiclient import discovery
from googleapiclient.errors import HttpError

from vmh_sync.systems.google_calendar.service import discovery_document
from vmh_sync_tests.contract.google.conftest import Google
from vmh_sync_tests.contract.google.second_opinion import PERSON, Recording

ANYWHERE = "http://127.0.0.1:1"
"""Where the recorded server stood does not matter: nothing is sent there."""


@dataclass
class Opinion:
    """One server: the official client for it and its calendar."""

    service: Any
    calendar: str


@pytest.fixture
def recorded(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The official client; what it is answered was recorded for this test."""
    name = request.function.__name__
    with Recording.of(name) as transport:
        yield official(transport.url or ANYWHERE, "secret", transport)


@pytest.fixture(params=["sandbox", "emulate"])
def opinion(request: pytest.FixtureRequest, google: Google) -> Opinion:
    if request.param == "sandbox":
        calendar = google.calendar(owner=PERSON)
        return Opinion(google.services(PERSON).service(), calendar)
    service = request.getfixturevalue("recorded")
    for item in service.events().list(calendarId="kanzlei").execute()["items"]:
        service.events().delete(calendarId="kanzlei", eventId=item["id"]).execute()
    return Opinion(service, "kanzlei")


def official(url: str, token: str, transport: httplib2.Http) -> Any:
    credentials = google.oauth2.credentials.Credentials(token=token)
    http = google_auth_httplib2.AuthorizedHttp(credentials, http=transport, refresh_status_codes=())
    return discovery.build_from_document(discovery_document(url), http=http)  # type: ignore[attr-defined]


def timed(summary: str, start: str, end: str) -> dict[str, Any]:
    return {
        "summary": summary,
        "location": "Düsseldorf",
        "start": {"dateTime": start, "timeZone": "Europe/Berlin"},
        "end": {"dateTime": end, "timeZone": "Europe/Berlin"},
    }


FIRST = timed("Verhandlung", "2026-03-02T10:30:00+01:00", "2026-03-02T11:30:00+01:00")
SECOND = timed("Besprechung", "2026-03-03T10:30:00+01:00", "2026-03-03T11:30:00+01:00")


def test_the_calendar_is_listed(opinion: Opinion) -> None:
    entries = opinion.service.calendarList().list().execute()
    assert entries["kind"] == "calendar#calendarList"
    mine = next(entry for entry in entries["items"] if entry["id"] == opinion.calendar)
    assert {key: mine[key] for key in ("kind", "summary", "timeZone", "accessRole")} == {
        "kind": "calendar#calendarListEntry",
        "summary": "AW-SB",
        "timeZone": "Europe/Berlin",
        "accessRole": "owner",
    }


def test_an_event_is_inserted_listed_and_deleted(opinion: Opinion) -> None:
    events = opinion.service.events()
    inserted = events.insert(calendarId=opinion.calendar, body=FIRST).execute()
    assert {key: inserted[key] for key in FIRST} == FIRST
    assert inserted["status"] == "confirmed"
    assert {"id", "etag", "htmlLink", "created", "updated"} <= set(inserted)
    listed = events.list(calendarId=opinion.calendar).execute()
    assert listed["kind"] == "calendar#events"
    assert [item["id"] for item in listed["items"]] == [inserted["id"]]
    assert events.delete(calendarId=opinion.calendar, eventId=inserted["id"]).execute() == ""
    assert events.list(calendarId=opinion.calendar).execute()["items"] == []


def test_windows_words_and_order_choose_events(opinion: Opinion) -> None:
    events = opinion.service.events()
    for body in (SECOND, FIRST):
        events.insert(calendarId=opinion.calendar, body=body).execute()

    def titles(**params: Any) -> list[str]:
        return [item["summary"] for item in events.list(calendarId=opinion.calendar, **params).execute()["items"]]

    assert titles(singleEvents=True, orderBy="startTime") == ["Verhandlung", "Besprechung"]
    assert titles(timeMin="2026-03-03T00:00:00Z") == ["Besprechung"]
    assert titles(timeMax="2026-03-03T00:00:00Z") == ["Verhandlung"]
    assert titles(q="verhandlung") == ["Verhandlung"]


def test_pages_follow_each_other(opinion: Opinion) -> None:
    events = opinion.service.events()
    for body in (FIRST, SECOND):
        events.insert(calendarId=opinion.calendar, body=body).execute()
    params = {"calendarId": opinion.calendar, "maxResults": 1, "singleEvents": True, "orderBy": "startTime"}
    first = events.list(**params).execute()
    second = events.list(**params, pageToken=first["nextPageToken"]).execute()
    assert [item["summary"] for page in (first, second) for item in page["items"]] == ["Verhandlung", "Besprechung"]
    assert "nextPageToken" not in second


def test_what_is_wrong_is_refused_alike(opinion: Opinion) -> None:
    events = opinion.service.events()
    no_end = {key: value for key, value in FIRST.items() if key != "end"}
    wrong = {
        400: events.insert(calendarId=opinion.calendar, body=no_end),
        404: events.delete(calendarId=opinion.calendar, eventId="never0existed"),
    }
    for status, call in wrong.items():
        with pytest.raises(HttpError) as caught:
            call.execute()
        assert caught.value.resp.status == status
    with pytest.raises(HttpError) as caught:
        events.list(calendarId="nirgends").execute()
    assert caught.value.resp.status == 404
    assert json.loads(caught.value.content)["error"]["errors"][0]["reason"] == "notFound"


def test_what_emulate_does_not_know(recorded: Any) -> None:
    """Why emulate is a second opinion only for what is above; turns red when a newer version learns more."""
    service = recorded
    with pytest.raises(HttpError) as caught:
        service.calendars().insert(body={"summary": "AW-XY"}).execute()
    assert caught.value.resp.status == 404
    body = {**FIRST, "id": "abcde12345"}
    inserted = service.events().insert(calendarId="kanzlei", body=body).execute()
    assert inserted["id"] != body["id"]
    with pytest.raises(HttpError):
        service.events().get(calendarId="kanzlei", eventId=inserted["id"]).execute()
    assert "nextSyncToken" not in service.events().list(calendarId="kanzlei").execute()
    service.events().delete(calendarId="kanzlei", eventId=inserted["id"]).execute()
