"""Events whose content nobody here may change: what somebody else organises, locked copies, and events from Gmail.

Google refuses a change of title, time, place or description of them (403 ``forbiddenForNonOrganizer``, 400
``eventTypeRestriction``); our private properties belong to our own copy. See docs/kalender-ereignisarten.md.
"""

from collections.abc import Mapping

from vmh_sync.kalender.model import FLOWING_FIELDS

WRITABLE = frozenset({"private"})
"""What of the normal form may be written to such an event all the same: how visible our own copy is."""

CONTENT = FLOWING_FIELDS
"""What may not."""


def is_fixed(event: Mapping[str, object]) -> bool:
    """Tell whether the content of an event, as Google sent it, is its organiser's alone."""
    if event.get("locked") is True or event.get("eventType") == "fromGmail":
        return True
    organizer = event.get("organizer")
    if organizer is None or not isinstance(organizer, Mapping) or organizer.get("self") is True:
        return False
    return bool(organizer.get("email")) and event.get("guestsCanModify") is not True
