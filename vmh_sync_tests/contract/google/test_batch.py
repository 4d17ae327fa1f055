"""The batch endpoint, through the official client's own batch support."""

from typing import Any

import pytest
from googleapiclient.errors import HttpError

from vmh_sync.kalender.form.event_identity import event_id
from vmh_sync_tests.contract.google.conftest import Google


def test_a_batch_reaches_the_rewritten_address_and_answers_each_part(google: Google) -> None:
    calendar, service = google.calendar(), google.services().service()
    answers: dict[str, tuple[Any, HttpError | None]] = {}
    batch = service.new_batch_http_request(lambda part, answer, error: answers.update({part: (answer, error)}))
    body = {"start": {"date": "2026-03-02"}, "end": {"date": "2026-03-03"}, "summary": "Größe"}
    for number in (1, 2, 1):
        request = service.events().insert(calendarId=calendar, body={**body, "id": event_id("K", "SB", number)})
        batch.add(request)
    batch.add(service.events().delete(calendarId=calendar, eventId="never0existed"))
    batch.execute()
    outcome = [(answer and answer["summary"], error and error.resp.status) for answer, error in answers.values()]
    assert outcome == [("Größe", None), ("Größe", None), (None, 409), (None, 404)]
    # Every part counts against the quota.
    assert google.hooks.state()["quota"]["peak"] == 4


def test_more_than_50_parts_are_refused(google: Google, monkeypatch: pytest.MonkeyPatch) -> None:
    calendar, service = google.calendar(), google.services().service()
    for count, refused in ((50, False), (51, True)):
        batch = service.new_batch_http_request()
        for _ in range(count):
            batch.add(service.events().list(calendarId=calendar))
        if refused:
            with pytest.raises(HttpError) as caught:
                batch.execute()
            assert caught.value.resp.status == 400
        else:
            batch.execute()


def test_parts_over_the_quota_fail_on_their_own(google: Google) -> None:
    google.hooks.config.user_quota = 3
    calendar, service = google.calendar(), google.services().service()
    statuses: list[int] = []
    batch = service.new_batch_http_request(lambda _, __, error: statuses.append(error.resp.status if error else 200))
    for _ in range(5):
        batch.add(service.events().list(calendarId=calendar))
    batch.execute()
    assert statuses == [200, 200, 200, 403, 403]
