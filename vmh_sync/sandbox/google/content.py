"""From the body a client sends to what Google keeps, and from there to what Google shows."""

import re
from typing import Any

from vmh_sync.sandbox.google.errors import bad_request, invalid, no_attendees
from vmh_sync.sandbox.google.recurrence import checked
from vmh_sync.sandbox.google.times import check_order, shown_time, stored_time
from vmh_sync.sandbox.google.world import StoredCalendar, StoredEvent

Json = dict[str, Any]

EVENT_ID = re.compile(r"^[a-v0-9]{5,1024}$")
_TEXTS = ("summary", "description", "location")
_PLAIN = (
    "colorId",
    "attendees",
    "attachments",
    "source",
    "conferenceData",
    "anyoneCanAddSelf",
    "eventType",
    "gadget",
)
_OF_THEIR_KIND = ("birthdayProperties", "focusTimeProperties", "outOfOfficeProperties", "workingLocationProperties")
_DEFAULTS: dict[str, Any] = {
    "visibility": "default",
    "transparency": "opaque",
    "guestsCanInviteOthers": True,
    "guestsCanSeeOtherGuests": True,
    "guestsCanModify": False,
}
_CHOICES = {
    "status": {"confirmed", "tentative", "cancelled"},
    "visibility": {"default", "public", "private", "confidential"},
    "transparency": {"opaque", "transparent"},
}
# A change of these counts as a new version for invited people.
SIGNIFICANT = ("start", "end", "recurrence", "status", "location", "summary")
_KEY_LIMIT, _VALUE_LIMIT, _PROPERTIES_LIMIT = 44, 1024, 300


def normalised(body: Json, calendar: StoredCalendar, *, may_invite: bool) -> Json:
    """Return the writable part of an event as Google keeps it. Raises 400 or 403.

    Empty texts and defaults are dropped, CRLF becomes LF, times are stored in UTC with their zone, over-long
    extended properties vanish silently, as Google does it.
    """
    if body.get("attendees") and not may_invite:
        raise no_attendees()
    for key, choices in _CHOICES.items():
        if body.get(key) is not None and body[key] not in choices:
            raise invalid(f"Invalid value for: {key}")
    lines = body.get("recurrence") or []
    start = stored_time(body.get("start"), "start", calendar.time_zone, recurring=bool(lines))
    end = stored_time(body.get("end"), "end", calendar.time_zone, recurring=bool(lines))
    check_order(start, end)
    content: Json = {"status": body.get("status") or "confirmed", "start": start, "end": end}
    if lines:
        content["recurrence"] = checked(lines, start)
    content |= {key: str(body[key]).replace("\r\n", "\n") for key in _TEXTS if body.get(key)}
    content |= {key: body[key] for key in (*_PLAIN, *_OF_THEIR_KIND) if body.get(key)}
    content |= {key: body[key] for key, default in _DEFAULTS.items() if body.get(key) not in (None, default)}
    content["reminders"] = body.get("reminders") or {"useDefault": True}
    content.setdefault("eventType", "default")
    properties = _properties(body.get("extendedProperties"))
    return {**content, "extendedProperties": properties} if properties else content


def _properties(wire: Any) -> Json:
    """Keep what Google keeps: names up to 44, values up to 1024 characters, at most 300 properties."""
    kept: Json = {}
    for kind in ("private", "shared"):
        values = (wire or {}).get(kind) or {}
        good = {
            key: str(value)
            for key, value in values.items()
            if value is not None and len(key) <= _KEY_LIMIT and len(str(value)) <= _VALUE_LIMIT
        }
        if good:
            kept[kind] = good
    if sum(len(values) for values in kept.values()) > _PROPERTIES_LIMIT:
        raise bad_request("The event has too many extended properties.")
    return kept


def merged(current: Json, patch: Json) -> Json:
    """Apply a patch the way the API does: objects are merged, null removes, everything else replaces."""
    result = dict(current)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        elif isinstance(value, dict):
            result[key] = merged({}, value)
        else:
            result[key] = value
    return result


def shown(event: StoredEvent, calendar: StoredCalendar, account: str, zone: str | None = None) -> Json:
    """Return the event as an answer shows it, times in the asked zone or the calendar's."""
    shown_zone = zone or calendar.time_zone
    body = {"kind": "calendar#event", "etag": event.etag, "id": event.id, **event.content}
    for key in ("start", "end", "originalStartTime"):
        if key in body:
            body[key] = shown_time(body[key], shown_zone)
    creator = body["creator"]
    body["creator"] = {**creator, "self": True} if creator["email"] == calendar.id == account else dict(creator)
    own = {"email": calendar.id, "displayName": calendar.summary, "self": True}
    body["organizer"] = dict(event.content.get("organizer") or own)
    return body


_BUSY = frozenset(
    ("kind", "etag", "id", "status", "start", "end", "recurrence", "recurringEventId", "originalStartTime", "iCalUID")
)
_SEES_PRIVATE = frozenset({"writer", "owner"})


def as_seen(body: Json, role: str) -> Json:
    """Return an event as an account with this role sees it: of a private one lower roles see only when it is."""
    if role in _SEES_PRIVATE or body.get("visibility") not in ("private", "confidential"):
        return body
    return {key: value for key, value in body.items() if key in _BUSY} | {"visibility": body["visibility"]}


def shown_in_list(
    event: StoredEvent, calendar: StoredCalendar, account: str, role: str, zone: str | None = None
) -> Json:
    """Return the event as a list shows it: of a tombstone only what Google guarantees."""
    if not event.cancelled:
        return as_seen(shown(event, calendar, account, zone), role)
    body: Json = {"kind": "calendar#event", "etag": event.etag, "id": event.id, "status": "cancelled"}
    if event.master_id:
        body["recurringEventId"] = event.master_id
        body["originalStartTime"] = shown_time(event.content["originalStartTime"], zone or calendar.time_zone)
    return body
