"""Whatever people do, and however pages are cut: who follows the deltas knows what the calendar holds."""

import random

import pytest

from vmh_sync.kalender.form.event_identity import event_id
from vmh_sync.systems.google_calendar.changes import read_changes
from vmh_sync.systems.google_calendar.client import GoogleCalendarClient
from vmh_sync_tests.contract.google.conftest import Google

TIMES = {"start": {"date": "2026-03-02"}, "end": {"date": "2026-03-03"}}


class Mirror:
    """A copy of a calendar that is kept by deltas only."""

    def __init__(self, client: GoogleCalendarClient, calendar: str) -> None:
        self.client, self.calendar = client, calendar
        self.token: str | None = None
        self.events: dict[str, str] = {}

    def follow(self) -> None:
        changes = read_changes(self.client, self.calendar, self.token)
        if changes.full:
            self.events = {}
        for event in changes.events:
            self.events.pop(event.id, None)
            if not event.cancelled:
                self.events[event.id] = event.summary
        self.token = changes.token


@pytest.mark.parametrize("seed", range(8))
def test_a_mirror_of_deltas_equals_the_calendar(google: Google, seed: int) -> None:
    rng = random.Random(seed)
    google.hooks.config.paging = "short"
    calendar = google.calendar()
    mirror = Mirror(google.client(), calendar)
    living: list[str] = []
    for step in range(40):
        action = rng.choice(["create", "create", "update", "update", "delete", "kill token", "share", "follow"])
        if action == "create":
            values = {**TIMES, "id": event_id("K", "SB", step), "summary": f"neu {step}"}
            living.append(str(google.hooks.edit({"calendar": calendar, "values": values})["id"]))
        elif action == "update" and living:
            values = {"summary": f"geändert {step}"}
            google.hooks.edit({"calendar": calendar, "id": rng.choice(living), "values": values})
        elif action == "delete" and living:
            gone = living.pop(rng.randrange(len(living)))
            google.hooks.edit({"calendar": calendar, "id": gone, "action": "delete"})
        elif action == "kill token":
            google.hooks.command("invalidate_sync_tokens", {"calendar": calendar})
        elif action == "share":
            google.hooks.command("share", {"calendar": calendar, "account": f"p{step}@example.test", "role": "reader"})
        else:
            mirror.follow()
    mirror.follow()
    stored = next(one for one in google.hooks.state()["calendars"] if one["id"] == calendar)["events"]
    truth = {one["id"]: one["summary"] for one in stored.values() if one["status"] != "cancelled"}
    assert mirror.events == truth
    assert sorted(truth) == sorted(living)
