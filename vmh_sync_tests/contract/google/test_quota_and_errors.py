"""Quotas, error bodies and how the client takes them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from vmh_sync.kalender.form.event_identity import event_id
from vmh_sync.systems.google_calendar.client import GoogleCalendarClient
from vmh_sync.systems.google_calendar.errors import (
    ConnectError,
    ForbiddenError,
    GoogleCalendarError,
    IncompleteReadError,
    InvalidRequestError,
    NotFoundError,
    RateLimitedError,
    ServerError,
    UnknownOutcomeError,
)
from vmh_sync.systems.google_calendar.quota import unlimited
from vmh_sync_tests.contract.google.conftest import Google, find_events
from vmh_sync_tests.fixtures.event_drafts import EventDraft


def body(reason: str, domain: str = "usageLimits") -> str:
    return f'{{"error": {{"errors": [{{"domain": "{domain}", "reason": "{reason}", "message": ""}}]}}}}'


def test_the_user_quota_counts_units_and_frees_them_after_a_minute(google: Google) -> None:
    google.hooks.config.user_quota = 10
    calendar, client = google.calendar(), google.client(attempts=1)
    for _ in range(10):
        find_events(client, calendar, a="b")
    with pytest.raises(RateLimitedError) as caught:
        find_events(client, calendar, a="b")
    assert (caught.value.status, caught.value.reason) == (403, "userRateLimitExceeded")
    google.clock.advance(timedelta(seconds=60))
    find_events(client, calendar, a="b")


def test_the_project_quota_is_shared_by_all_users(google: Google) -> None:
    google.hooks.config.project_quota = 3
    google.hooks.config.rate_status, google.hooks.config.retry_after = 429, 7
    calendar = google.calendar(acl={"user:kanzlei@example.test": "reader"})
    for subject in (None, "kanzlei@example.test", None):
        find_events(google.client(subject, attempts=1), calendar, a="b")
    with pytest.raises(RateLimitedError) as caught:
        find_events(google.client("kanzlei@example.test", attempts=1), calendar, a="b")
    assert (caught.value.status, caught.value.reason) == (429, "rateLimitExceeded")
    assert caught.value.retry_after == 7


def test_a_patch_costs_three_units(google: Google, draft: EventDraft) -> None:
    calendar, client = google.calendar(), google.client(attempts=1)
    event = client.insert_event(calendar, event_id("K", "SB", 1), draft)
    guests = {"attendees": [{"email": "gast@example.test"}]}
    google.hooks.edit({"calendar": calendar, "id": event.id, "values": guests})
    current = client.get_event(calendar, event.id)
    google.hooks.config.user_quota = 4
    with pytest.raises(RateLimitedError):
        client.update_event(calendar, current, draft)
    google.hooks.config.user_quota = 5
    client.update_event(calendar, current, draft)


def test_the_client_waits_out_a_full_quota(google: Google) -> None:
    google.hooks.config.user_quota = 2
    calendar, client = google.calendar(), google.client(attempts=8)
    for _ in range(3):
        find_events(client, calendar, a="b")
    assert sum(google.slept) >= 59
    assert google.slept == sorted(google.slept)


def test_quota_is_taken_before_every_attempt(google: Google) -> None:
    calendar, client = google.calendar(), google.client()
    google.fault(action="status", path="/events", status=503, times=2)
    find_events(client, calendar, a="b")
    assert google.quota.units == 3


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (403, "rateLimitExceeded", RateLimitedError),
        (403, "userRateLimitExceeded", RateLimitedError),
        (403, "quotaExceeded", RateLimitedError),
        (429, "rateLimitExceeded", RateLimitedError),
        (500, "backendError", ServerError),
        (502, "whatever", ServerError),
        (503, "backendError", ServerError),
        (409, "conflict", ServerError),
    ],
)
def test_transient_answers_are_retried(
    google: Google, status: int, reason: str, kind: type[GoogleCalendarError]
) -> None:
    calendar, client = google.calendar(), google.client(attempts=3)
    google.fault(action="status", path="/events", status=status, body=body(reason), times=2)
    assert find_events(client, calendar, a="b") == []
    assert len(google.slept) == 2
    google.fault(action="status", path="/events", status=status, body=body(reason), times=3)
    with pytest.raises(kind):
        find_events(client, calendar, a="b")


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (400, "invalid", InvalidRequestError),
        (403, "forbidden", ForbiddenError),
        (403, "forbiddenForNonOrganizer", ForbiddenError),
        (404, "notFound", NotFoundError),
    ],
)
def test_final_answers_are_not_retried(
    google: Google, status: int, reason: str, kind: type[GoogleCalendarError]
) -> None:
    calendar, client = google.calendar(), google.client()
    google.fault(action="status", path="/events", status=status, body=body(reason, "global"))
    with pytest.raises(kind):
        find_events(client, calendar, a="b")
    assert google.slept == []


def test_retry_after_is_honoured_and_too_long_a_wait_is_handed_back(google: Google) -> None:
    calendar, client = google.calendar(), google.client()
    google.fault(action="status", path="/events", status=429, body=body("x"), headers={"Retry-After": "30"})
    find_events(client, calendar, a="b")
    assert 30 <= google.slept[0] <= 31
    google.fault(action="status", path="/events", status=429, body=body("x"), headers={"Retry-After": "600"})
    with pytest.raises(RateLimitedError) as caught:
        find_events(client, calendar, a="b")
    assert caught.value.retry_after == 600
    assert len(google.slept) == 1


def test_reads_survive_lost_and_broken_answers(google: Google, draft: EventDraft) -> None:
    calendar, client = google.calendar(), google.client(attempts=5)
    client.insert_event(calendar, event_id("K", "SB", 1), draft)
    google.fault(action="malformed", path="/events")
    google.fault(action="empty", path="/events")
    google.fault(action="drop_after", path="/events", times=2)  # httplib2 repeats a read once by itself
    assert len(find_events(client, calendar, vmhFrNr="4711")) == 1
    assert len(google.slept) == 3


def test_an_answer_without_a_list_is_no_empty_list(google: Google) -> None:
    calendar, client = google.calendar(), google.client()
    google.fault(action="empty", path="/events", body="{}")
    with pytest.raises(IncompleteReadError):
        find_events(client, calendar, a="b")


def test_a_broken_answer_to_an_insert_is_looked_up(google: Google, draft: EventDraft) -> None:
    calendar, client = google.calendar(), google.client()
    google.fault(action="malformed", path="/events", method="POST")
    assert client.insert_event(calendar, event_id("K", "SB", 1), draft).summary == "Verhandlung"


def test_a_timeout_of_a_write_is_an_unknown_outcome(google: Google, draft: EventDraft) -> None:
    calendar, client = google.calendar(), google.client(attempts=1, api_timeout_seconds=0.2)
    find_events(client, calendar, a="b")
    google.fault(action="hang", path="/events", method="POST", seconds=5)
    with pytest.raises(UnknownOutcomeError):
        client.insert_event(calendar, event_id("K", "SB", 1), draft)


def test_nobody_listening_is_no_unknown_outcome(google: Google, draft: EventDraft) -> None:
    client = google.client(api_endpoint="http://127.0.0.1:9", attempts=2)
    with pytest.raises(ConnectError):
        client.insert_event("x", event_id("K", "SB", 1), draft)


def test_a_token_service_that_fails_is_transient(google: Google, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("google.auth._exponential_backoff.time.sleep", lambda _: None)
    calendar, client = google.calendar(), google.client()
    google.fault(action="status", path="/token", status=503, times=3)
    assert find_events(client, calendar, a="b") == []
    assert len(google.slept) == 1


def test_errors_carry_no_personal_value(google: Google, draft: EventDraft) -> None:
    calendar, client = google.calendar(), google.client()
    google.fault(action="status", path="/events", status=400, body='{"error": {"message": "Verhandlung"}}')
    with pytest.raises(InvalidRequestError) as caught:
        client.insert_event(calendar, "abcde", draft)
    text = f"{caught.value} {caught.value!r} {caught.value.__cause__} {draft!r}"
    assert "Verhandlung" not in text
    assert "Düsseldorf" not in text
    assert calendar not in text
    assert str(caught.value) == "google: events.insert failed: status 400, reason unknown"


def test_every_attempt_is_observed(google: Google) -> None:
    seen: list[dict[str, Any]] = []

    class Observer:
        def observe(self, **call: Any) -> None:
            seen.append(call)

    calendar = google.calendar()
    client = GoogleCalendarClient(google.services(), unlimited, retrier=google.client()._retrier, observer=Observer())
    google.fault(action="status", path="/events", status=503)
    google.fault(action="drop_after", path="/events", times=2)
    find_events(client, calendar, a="b")
    told = [(one["system"], one["method"], one["route"], one["status"], one["retry"]) for one in seen]
    route = "calendars/{calendarId}/events"
    assert told == [
        ("google", "GET", route, 503, False),
        ("google", "GET", route, None, True),
        ("google", "GET", route, 200, True),
    ]
    assert all(one["seconds"] >= 0 for one in seen)


def test_threads_share_a_client_but_no_connection(google: Google, draft: EventDraft) -> None:
    calendars = [google.calendar(f"AW-{number}") for number in range(4)]
    client = google.client()

    def work(number: int) -> str:
        return client.insert_event(calendars[number % 4], event_id("K", "SB", number), draft).id

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(work, range(80)))
    stored = [one for calendar in google.hooks.state()["calendars"] for one in calendar["events"]]
    assert sorted(stored) == sorted(ids)
    assert google.slept == []
