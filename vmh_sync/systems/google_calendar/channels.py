"""Channels: Google tells an address of ours that a calendar has changed, never what (specification, kalender.md 1).

A notification is a doorbell. It may be late, double or lost, so the sync token stays what the truth is read with.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from vmh_sync.systems.google_calendar.client import GoogleCalendarClient, Operation
from vmh_sync.systems.google_calendar.errors import Answer, NotFoundError, UnknownOutcomeError
from vmh_sync.systems.google_calendar.quota import WRITE
from vmh_sync.systems.google_calendar.retry import Replay

LONGEST = timedelta(days=7)
"""What a channel of events lasts at most, and without being asked."""

WATCH = Operation("events.watch", "POST", "calendars/{calendarId}/events/watch", WRITE, Replay.NEVER)
STOP = Operation("channels.stop", "POST", "channels/stop", WRITE)


@dataclass(frozen=True, slots=True)
class OpenedChannel:
    """What Google says of a new channel: ``resource_id`` is needed to stop it."""

    resource_id: str
    expires_at: datetime


def watch(
    client: GoogleCalendarClient, calendar_id: str, channel_id: str, *, address: str, token: str, now: datetime
) -> OpenedChannel:
    """Open a channel for the events of a calendar. Blocks; raises the client's errors.

    ``channel_id`` must never have been used, ``token`` comes back with each notification. An answer without an end
    means the longest that Google grants.
    """
    body = {
        "id": channel_id,
        "type": "web_hook",
        "address": address,
        "token": token,
        "params": {"ttl": str(int(LONGEST.total_seconds()))},
    }
    answer = client.run(WATCH, lambda service: service.events().watch(calendarId=calendar_id, body=body))
    resource_id, ends = answer.get("resourceId"), answer.get("expiration")
    if not isinstance(resource_id, str) or not resource_id:
        raise UnknownOutcomeError(WATCH.name, Answer(200, "noResourceId"))
    return OpenedChannel(resource_id, min(_moment(ends) or now + LONGEST, now + LONGEST))


def stop(client: GoogleCalendarClient, channel_id: str, resource_id: str) -> None:
    """Stop a channel; one that Google does not know any more is stopped. Blocks; raises the client's errors."""
    body = {"id": channel_id, "resourceId": resource_id}
    try:
        client.run(STOP, lambda service: service.channels().stop(body=body))
    except NotFoundError:
        return


def _moment(milliseconds: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(str(milliseconds)) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
