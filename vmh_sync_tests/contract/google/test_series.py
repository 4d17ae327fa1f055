"""Series: masters, instances, moved and cancelled occurrences."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from vmh_sync.kalender.form.event_identity import event_id
from vmh_sync.systems.google_calendar.changes import read_changes
from vmh_sync.systems.google_calendar.errors import InvalidRequestError, NotFoundError
from vmh_sync.systems.google_calendar.events import EventTime
from vmh_sync_tests.contract.google.conftest import Google
from vmh_sync_tests.fixtures.event_drafts import EventDraft

BERLIN = ZoneInfo("Europe/Berlin")
SERIES = event_id("K", "SB", 1)
RULE = "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;UNTIL=20260629T215959Z"


def at(text: str) -> EventTime:
    return EventTime(at=datetime.fromisoformat(text).replace(tzinfo=BERLIN), time_zone="Europe/Berlin")


@pytest.fixture
def weekly() -> EventDraft:
    """The second vector of kalender.md 3; goes over the change to summer time."""
    return EventDraft(at("2026-03-02T09:00"), at("2026-03-02T09:30"), "Jour fixe", recurrence=(RULE,))


def test_a_series_keeps_its_wall_clock_over_summer_time(google: Google, weekly: EventDraft) -> None:
    calendar, client = google.calendar(), google.client()
    client.insert_event(calendar, SERIES, weekly)
    found = client.instances(calendar, SERIES)
    assert len(found) == 9
    starts = [event.raw["start"]["dateTime"] for event in found]
    assert starts[1:3] == ["2026-03-16T09:00:00+01:00", "2026-03-30T09:00:00+02:00"]
    assert starts[-1] == "2026-06-22T09:00:00+02:00"
    assert all(event.recurring_event_id == SERIES for event in found)
    assert found[2].id == f"{SERIES}_20260330T070000Z"


def test_lists_show_the_master_or_its_instances(google: Google, weekly: EventDraft) -> None:
    calendar, client = google.calendar(), google.client()
    client.insert_event(calendar, SERIES, weekly)
    assert [event.id for event in read_changes(client, calendar, None).events] == [SERIES]
    window = {"timeMin": "2026-04-01T00:00:00Z", "timeMax": "2026-04-30T00:00:00Z"}
    masters = [item["id"] for page in client.list_pages(calendar, window) for item in page["items"]]
    params = {**window, "singleEvents": True, "orderBy": "startTime"}
    single = [item["id"] for page in client.list_pages(calendar, params) for item in page["items"]]
    assert masters == [SERIES]
    assert single == [f"{SERIES}_20260413T070000Z", f"{SERIES}_20260427T070000Z"]
    outside = {"timeMin": "2026-03-03T00:00:00Z", "timeMax": "2026-03-10T00:00:00Z"}
    assert [item for page in client.list_pages(calendar, outside) for item in page["items"]] == []


def test_a_moved_occurrence_is_an_exception_in_the_delta(google: Google, weekly: EventDraft) -> None:
    calendar, client = google.calendar(), google.client()
    client.insert_event(calendar, SERIES, weekly)
    token = read_changes(client, calendar, None).token
    occurrence = f"{SERIES}_20260316T080000Z"
    values = {
        "start": {"dateTime": "2026-03-17T14:00:00+01:00"},
        "end": {"dateTime": "2026-03-17T14:30:00+01:00"},
    }
    google.hooks.edit({"calendar": calendar, "id": occurrence, "values": values})
    (event,) = read_changes(client, calendar, token).events
    assert event.is_exception
    assert not event.cancelled
    assert event.recurring_event_id == SERIES
    assert event.original_start is not None
    assert event.original_start.at == datetime(2026, 3, 16, 8, 0, tzinfo=UTC)
    assert event.start is not None
    assert event.start.at == datetime(2026, 3, 17, 13, 0, tzinfo=UTC)
    assert len(client.instances(calendar, SERIES)) == 9


def test_a_cancelled_occurrence_is_not_a_deleted_event(google: Google, weekly: EventDraft) -> None:
    calendar, client = google.calendar(), google.client()
    client.insert_event(calendar, SERIES, weekly)
    token = read_changes(client, calendar, None).token
    google.hooks.edit({"calendar": calendar, "id": f"{SERIES}_20260316T080000Z", "action": "delete"})
    (event,) = read_changes(client, calendar, token).events
    assert event.cancelled
    assert event.is_exception
    assert not event.deleted
    assert len(client.instances(calendar, SERIES)) == 8
    assert len(client.instances(calendar, SERIES, show_deleted=True)) == 9
    # A full read shows it too: it belongs to the living series.
    assert [one.id for one in read_changes(client, calendar, None).events] == [SERIES, event.id]


def test_a_deleted_series_takes_its_exceptions_along(google: Google, weekly: EventDraft) -> None:
    calendar, client = google.calendar(), google.client()
    client.insert_event(calendar, SERIES, weekly)
    occurrence = f"{SERIES}_20260316T080000Z"
    google.hooks.edit({"calendar": calendar, "id": occurrence, "values": {"summary": "anders"}})
    token = read_changes(client, calendar, None).token
    client.delete_event(calendar, SERIES)
    assert [(one.id, one.deleted) for one in read_changes(client, calendar, token).events] == [(SERIES, True)]
    assert read_changes(client, calendar, None).events == ()
    with pytest.raises(NotFoundError):
        client.get_event(calendar, occurrence)


def test_whole_day_series_and_exdate(google: Google) -> None:
    calendar, client = google.calendar(), google.client()
    draft = EventDraft(
        EventTime(day=date(2026, 7, 6)),
        EventTime(day=date(2026, 7, 8)),
        recurrence=("RRULE:FREQ=MONTHLY;COUNT=4;BYMONTHDAY=6", "EXDATE;VALUE=DATE:20260906"),
    )
    client.insert_event(calendar, SERIES, draft)
    found = client.instances(calendar, SERIES)
    days = [(event.start.day, event.end.day) for event in found if event.start and event.end]
    assert days == [
        (date(2026, 7, 6), date(2026, 7, 8)),
        (date(2026, 8, 6), date(2026, 8, 8)),
        (date(2026, 10, 6), date(2026, 10, 8)),
    ]
    assert found[0].id == f"{SERIES}_20260706"


@pytest.mark.parametrize("line", ["EXDATE:20260316T080000Z", "EXDATE;TZID=Europe/Berlin:20260316T090000"])
def test_an_exdate_is_meant_in_its_own_zone(google: Google, weekly: EventDraft, line: str) -> None:
    calendar, client = google.calendar(), google.client()
    client.insert_event(calendar, SERIES, replace(weekly, recurrence=(RULE, line)))
    starts = [event.raw["start"]["dateTime"] for event in client.instances(calendar, SERIES)]
    assert len(starts) == 8
    assert "2026-03-16T09:00:00+01:00" not in starts


def test_google_rewrites_rules(google: Google, weekly: EventDraft) -> None:
    calendar, client = google.calendar(), google.client()
    event = client.insert_event(calendar, SERIES, replace(weekly, recurrence=("RRULE:INTERVAL=1;FREQ=DAILY;COUNT=3",)))
    assert event.recurrence == ("RRULE:FREQ=DAILY;COUNT=3",)


@pytest.mark.parametrize(
    "rule", ["FREQ=DAILY", "RRULE:FREQ=NIE", "RRULE:COUNT=3", "RRULE:FREQ=DAILY;COUNT=3;UNTIL=20260701"]
)
def test_broken_rules_are_refused(google: Google, weekly: EventDraft, rule: str) -> None:
    with pytest.raises(InvalidRequestError):
        google.client().insert_event(google.calendar(), SERIES, replace(weekly, recurrence=(rule,)))


def test_a_timed_series_needs_a_zone(google: Google, weekly: EventDraft) -> None:
    naked = replace(weekly, start=replace(weekly.start, time_zone=None), end=replace(weekly.end, time_zone=None))
    with pytest.raises(InvalidRequestError):
        google.client().insert_event(google.calendar(), SERIES, naked)


def test_an_end_before_the_start_is_refused(google: Google, weekly: EventDraft) -> None:
    backwards = replace(weekly, start=weekly.end, end=weekly.start)
    with pytest.raises(InvalidRequestError) as caught:
        google.client().insert_event(google.calendar(), SERIES, backwards)
    assert caught.value.reason == "timeRangeEmpty"
