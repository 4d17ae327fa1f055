"""The control paths of the simulated Google over HTTP."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from vmh_sync.sandbox.google.errors import DOCUMENTED
from vmh_sync.systems.google_calendar.errors import (
    Answer,
    FullSyncRequiredError,
    GoogleCalendarError,
    from_answer,
    reason_of,
)
from vmh_sync_tests.contract.google.conftest import Google, find_events

TIMES = {"start": {"date": "2026-03-02"}, "end": {"date": "2026-03-03"}}


@pytest.fixture
def door(google: Google) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{google.url}/_sandbox", trust_env=False) as client:
        yield client


def test_seeds_edits_and_state(door: httpx.Client) -> None:
    seed = {"calendars": [{"summary": "AW-SB", "owner": "sb@example.test"}], "events": [{"calendar": "AW-SB", **TIMES}]}
    answer = door.post("/seed", json=seed).json()
    (calendar,), (event,) = answer["calendars"], answer["events"]
    edit = {"calendar": "AW-SB", "id": event, "action": "update", "values": {"summary": "von Hand"}}
    assert door.post("/edit", json=edit).json()["creator"] == {"email": "sb@example.test"}
    door.post("/edit", json={"calendar": calendar, "id": event, "action": "delete"}).raise_for_status()
    state = next(one for one in door.get("/state").json()["calendars"] if one["id"] == calendar)
    assert (state["events"][event]["status"], state["events"][event]["summary"]) == ("cancelled", "von Hand")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/do/nothing", {}),
        ("/do/set", {"colour": "red"}),
        ("/do/delete_calendar", {"calendar": "none"}),
        ("/do/error_body", {"reason": "none"}),
        ("/edit", {"calendar": "AW-SB", "id": "none0", "action": "delete"}),
        ("/edit", {"calendar": "AW-SB", "action": "copy"}),
        ("/edit", {"calendar": "AW-SB", "action": "create", "values": {}}),
    ],
)
def test_what_cannot_be_is_refused(google: Google, door: httpx.Client, path: str, body: dict[str, Any]) -> None:
    google.calendar()
    answer = door.post(path, json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_reset_turns_switches_back(google: Google, door: httpx.Client) -> None:
    google.calendar()
    door.post("/do/set", json={"user_quota": 1, "delegation_subjects": []}).raise_for_status()
    assert google.hooks.config.user_quota == 1
    door.post("/reset", json={}).raise_for_status()
    assert google.hooks.config.user_quota == 600
    assert google.hooks.config.delegation_subjects == ("kanzlei@example.test",)
    assert door.get("/state").json()["calendars"] == []


def test_documented_errors_can_be_put_into_fault_rules(google: Google, door: httpx.Client) -> None:
    calendar, client = google.calendar(), google.client()
    rule = door.post("/do/error_body", json={"reason": "fullSyncRequired"}).json()
    door.post("/faults", json={"action": "status", "path": "/events", "times": 1, **rule}).raise_for_status()
    with pytest.raises(FullSyncRequiredError):
        find_events(client, calendar, a="b")


def test_every_documented_error_has_a_class_of_its_own_meaning() -> None:
    kinds: dict[str, type[GoogleCalendarError]] = {}
    for reason, error in DOCUMENTED.items():
        text = json.dumps(error.body())
        assert reason_of(text) == reason
        kinds[reason] = type(from_answer("events.list", Answer(error.status, reason)))
    assert len({kinds[one] for one in ("fullSyncRequired", "updatedMinTooLongAgo", "deleted")}) == 3
    assert kinds["rateLimitExceeded"] is kinds["userRateLimitExceeded"] is kinds["quotaExceeded"]
    assert kinds["forbidden"] is not kinds["insufficientPermissions"]
    assert kinds["conflict"] is not kinds["duplicate"]
