"""Channels as Google's guide to push notifications describes them, opened and stopped by the official client."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from vmh_sync.systems.google_calendar.channels import LONGEST, OpenedChannel, stop, watch
from vmh_sync.systems.google_calendar.errors import GoogleCalendarError, NotFoundError
from vmh_sync_tests.contract.google.conftest import Google
from vmh_sync_tests.fixtures.event_drafts import EventDraft

ADDRESS = "https://sync.kanzlei.example/vmh/push/google-calendar"
Told = list[Mapping[str, str]]


@pytest.fixture
def told(google: Google) -> Iterator[Told]:
    """The headers of all messages in their order."""
    messages: Told = []
    channels: Any = google.hooks.api.channels
    channels._post = lambda address, headers: messages.append({"address": address, **headers})
    yield messages


def opened(google: Google, calendar: str, channel: str = "channel-1") -> OpenedChannel:
    now = google.clock.now()
    return watch(google.client(), calendar, channel, address=ADDRESS, token="secret", now=now)


def states(told: Told) -> list[str]:
    return [one["X-Goog-Resource-State"] for one in told]


def test_a_channel_says_that_it_is_open_and_then_that_something_changed_never_what(
    google: Google, told: Told, draft: EventDraft
) -> None:
    calendar, other = google.calendar("AW-SB"), google.calendar("AW-AH")
    channel = opened(google, calendar)
    assert channel.expires_at == google.clock.now() + LONGEST
    google.client().insert_event(other, "vmh00001", draft)
    assert states(told) == ["sync"]
    event = google.client().insert_event(calendar, "vmh00002", draft)
    google.hooks.edit({"calendar": calendar, "id": event.id, "values": {"summary": "Neu"}})
    google.client().delete_event(calendar, event.id)
    assert states(told) == ["sync", "exists", "exists", "exists"]
    assert [one["X-Goog-Message-Number"] for one in told] == ["1", "2", "3", "4"]
    last = told[-1]
    assert (last["address"], last["X-Goog-Channel-ID"], last["X-Goog-Channel-Token"]) == (
        ADDRESS,
        "channel-1",
        "secret",
    )
    assert last["X-Goog-Resource-ID"] == channel.resource_id and last["X-Goog-Channel-Expiration"].endswith("GMT")


def test_a_move_rings_in_both_calendars(google: Google, told: Told) -> None:
    calendar, other = google.calendar("AW-SB"), google.calendar("AW-AH")
    values = {"summary": "x", "start": {"date": "2026-03-02"}, "end": {"date": "2026-03-03"}}
    event = google.hooks.edit({"calendar": calendar, "values": values})["id"]
    for number, one in enumerate((calendar, other)):
        opened(google, one, f"channel-{number}")
    told.clear()
    google.hooks.edit({"calendar": calendar, "action": "move", "id": event, "to": other})
    assert sorted(one["X-Goog-Channel-ID"] for one in told) == ["channel-0", "channel-1"]


def test_a_stopped_or_ended_channel_is_silent_and_unknown_ones_are_stopped_already(
    google: Google, told: Told, draft: EventDraft
) -> None:
    calendar = google.calendar()
    stopped, ended = opened(google, calendar, "a"), opened(google, calendar, "b")
    stop(google.client(), "a", stopped.resource_id)
    stop(google.client(), "a", stopped.resource_id)
    google.clock.advance(LONGEST + timedelta(seconds=1))
    told.clear()
    google.client().insert_event(calendar, "vmh00001", draft)
    stop(google.client(), "b", ended.resource_id)
    assert told == []


def test_a_channel_id_is_good_for_one_channel_and_a_calendar_must_be_there(google: Google, told: Told) -> None:
    calendar = google.calendar()
    first = opened(google, calendar)
    with pytest.raises(GoogleCalendarError) as refused:
        opened(google, calendar)
    assert (refused.value.status, refused.value.reason) == (400, "channelIdNotUnique")
    with pytest.raises(NotFoundError):
        opened(google, "nirgends@group.calendar.google.com", "channel-2")
    with pytest.raises(GoogleCalendarError) as plain:
        watch(google.client(), calendar, "channel-3", address="http://example.org/", token="", now=google.clock.now())
    assert plain.value.reason == "push.webhookUrlNotHttps"
    assert first.resource_id and states(told) == ["sync"]
