"""What may be changed of an event: shared parts by its organiser alone, and little of Google's own kinds."""

from typing import Any

from vmh_sync.sandbox.google.errors import event_type_restriction, for_organizer_only
from vmh_sync.sandbox.google.world import StoredCalendar, StoredEvent

Json = dict[str, Any]

_SHARED = (
    "summary",
    "description",
    "location",
    "start",
    "end",
    "recurrence",
    "attendees",
    "attachments",
    "conferenceData",
    "source",
    "guestsCanInviteOthers",
    "guestsCanModify",
    "guestsCanSeeOtherGuests",
)
"""The same in the copies of everybody who was invited; the rest belongs to each copy."""

_FROM_GMAIL = ("summary", "description", "location", "start", "end", "recurrence", "attachments", "conferenceData")
_BIRTHDAY = ("description", "location", "visibility", "transparency", "attendees", "attachments", "conferenceData")
OF_GOOGLE = ("locked", "privateCopy", "hangoutLink", "endTimeUnspecified")
"""What Google says of an event and no caller of the API changes."""
ONLY_IN_PRIMARY = frozenset({"birthday", "focusTime", "outOfOffice", "workingLocation"})


def organised_elsewhere(event: StoredEvent, calendar: StoredCalendar) -> bool:
    """Tell whether the event is a copy of what somebody else organises."""
    organizer = event.content.get("organizer")
    return organizer is not None and organizer["email"] != calendar.id


def check_change(event: StoredEvent, calendar: StoredCalendar, content: Json) -> None:
    """Raise 400 or 403 when a caller of the API may not change the event to ``content``."""
    old = event.content
    changed = {key for key in {*old, *content} if old.get(key) != content.get(key)}
    if "eventType" in changed:
        raise event_type_restriction("Event type cannot be changed.")
    refused = {"fromGmail": _FROM_GMAIL, "birthday": _BIRTHDAY}.get(old.get("eventType", "default"), ())
    if changed & set(refused):
        raise event_type_restriction(f"This property of a {old['eventType']} event cannot be changed.")
    if old.get("locked") and changed & {"summary", "description", "location", "start", "end", "recurrence"}:
        raise for_organizer_only()
    shared = {key for key in changed if key in _SHARED}
    if shared and organised_elsewhere(event, calendar) and not old.get("guestsCanModify"):
        raise for_organizer_only()
    if _shared_properties(old) != _shared_properties(content) and organised_elsewhere(event, calendar):
        raise for_organizer_only()


def _shared_properties(content: Json) -> Json:
    shared: Json = content.get("extendedProperties", {}).get("shared", {})
    return shared


def check_new(calendar: StoredCalendar, body: Json) -> None:
    """Raise 400 for a kind of event that callers of the API may not create in this calendar."""
    kind = body.get("eventType", "default")
    if kind == "fromGmail" or (kind in ONLY_IN_PRIMARY and not calendar.primary):
        raise event_type_restriction(f"Events of type {kind} cannot be created here.")
