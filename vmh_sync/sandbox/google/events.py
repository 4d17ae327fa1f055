"""Writing and reading single events, among them single occurrences of a series."""

from typing import Any

from vmh_sync.sandbox.google.content import EVENT_ID, SIGNIFICANT, merged, normalised
from vmh_sync.sandbox.google.errors import (
    deleted,
    duplicate,
    event_type_restriction,
    for_organizer_only,
    instance_cannot_move,
    invalid,
    not_found,
    precondition_failed,
    required,
)
from vmh_sync.sandbox.google.ownership import OF_GOOGLE, check_change, organised_elsewhere
from vmh_sync.sandbox.google.recurrence import HORIZON, instance_start, occurrences, suffix
from vmh_sync.sandbox.google.times import utc
from vmh_sync.sandbox.google.world import StoredCalendar, StoredEvent, World

Json = dict[str, Any]
_IDENTITY = (
    "created",
    "iCalUID",
    "creator",
    "htmlLink",
    "recurringEventId",
    "originalStartTime",
    "organizer",
    *OF_GOOGLE,
)


class EventBook:
    """Events of all calendars; knows nothing of accounts' rights."""

    def __init__(self, world: World) -> None:
        self._world = world

    def insert(
        self, calendar: StoredCalendar, body: Json, creator: str, *, may_invite: bool, organised: bool = False
    ) -> StoredEvent:
        """Add an event, under the client's id if it sent one. Raises 400, 403, 409.

        ``organised``: the body may name another organiser, and say what only Google says of an event.
        """
        event_id = body.get("id") or self._world.new_event_id()
        if not EVENT_ID.match(str(event_id)):
            raise invalid("Invalid resource id value.")
        if event_id in calendar.used_ids:
            raise duplicate()
        content = normalised(body, calendar, may_invite=may_invite)
        content |= {
            "created": self._world.now_text(),
            "updated": self._world.now_text(),
            "iCalUID": body.get("iCalUID") or f"{event_id}@google.com",
            "sequence": 0,
            "creator": {"email": creator},
            "htmlLink": self._world.html_link(calendar.id, event_id),
        }
        organizer = body.get("organizer") or {}
        if organised and organizer.get("email") not in (None, calendar.id):
            content["organizer"] = {key: organizer[key] for key in ("email", "displayName") if key in organizer}
        if organised:
            content |= {key: body[key] for key in OF_GOOGLE if body.get(key)}
        change = self._world.event_tick(calendar)
        event = StoredEvent(event_id, content, change, change)
        calendar.events[event_id] = event
        calendar.used_ids.add(event_id)
        return event

    def import_copy(self, calendar: StoredCalendar, body: Json, creator: str) -> StoredEvent:
        """``events.import``: a private copy of an event, known by its iCalUID; imported again it is replaced.

        Raises 400.
        """
        uid = body.get("iCalUID")
        if not uid:
            raise required("Missing iCalUID.")
        if body.get("eventType", "default") != "default":
            raise event_type_restriction("Only events of type default can be imported.")
        values = {key: value for key, value in body.items() if key != "id"}
        known = next((one for one in calendar.events.values() if one.content.get("iCalUID") == uid), None)
        if known is not None:
            return self.replace(calendar, known.id, values, if_match=None, may_invite=True, as_person=True)
        return self.insert(calendar, values, creator, may_invite=True, organised=True)

    def find(self, calendar: StoredCalendar, event_id: str) -> StoredEvent:
        """Return an event, a tombstone, or an occurrence of a series made up on the spot. Raises 404."""
        event = calendar.events.get(event_id)
        if event is not None and not event.hidden:
            return event
        return self._occurrence(calendar, event_id)

    def replace(
        self,
        calendar: StoredCalendar,
        event_id: str,
        body: Json,
        *,
        if_match: str | None,
        may_invite: bool,
        as_person: bool = False,
    ) -> StoredEvent:
        """``events.update``: everything writable is replaced; a tombstone comes back to life. Raises 400–412.

        ``as_person``: it is the organiser's own hand, who may change everything.
        """
        event = self._for_change(calendar, event_id, if_match)
        # An update cannot change the kind; a body without it means the kind that is there.
        body = {"eventType": event.content.get("eventType", "default"), **body}
        content = normalised(body, calendar, may_invite=may_invite)
        if not as_person:
            check_change(event, calendar, content)
        return self._store(calendar, event, content)

    def patch(
        self,
        calendar: StoredCalendar,
        event_id: str,
        body: Json,
        *,
        if_match: str | None,
        may_invite: bool,
        as_person: bool = False,
    ) -> StoredEvent:
        """``events.patch``: what is sent is merged in. Raises 400–412. ``as_person``: see :meth:`replace`."""
        event = self._for_change(calendar, event_id, if_match)
        has_guests = bool(event.content.get("attendees")) and "attendees" not in body
        content = normalised(merged(event.content, body), calendar, may_invite=may_invite or has_guests)
        if not as_person:
            check_change(event, calendar, content)
        return self._store(calendar, event, content)

    def delete(self, calendar: StoredCalendar, event_id: str, *, if_match: str | None) -> None:
        """Leave a tombstone; a series takes its exceptions down with it. Raises 404, 410, 412."""
        event = self.find(calendar, event_id)
        if event.cancelled:
            raise deleted()
        event = self._for_change(calendar, event_id, if_match)
        event.content = {**event.content, "status": "cancelled", "updated": self._world.now_text()}
        event.change = self._world.event_tick(calendar)
        calendar.events[event.id] = event
        for other in calendar.events.values():
            if other.master_id == event.id:
                other.hidden = True

    def move(self, calendar: StoredCalendar, event_id: str, to: StoredCalendar) -> StoredEvent:
        """``events.move``: the same id in another calendar, a tombstone in the old one. Raises 400, 403, 404, 410.

        A series takes its exceptions along.
        """
        event = self.find(calendar, event_id)
        if event.cancelled:
            raise deleted()
        if event.master_id is not None:
            raise instance_cannot_move()
        if event.content.get("eventType", "default") != "default":
            raise event_type_restriction("Only events of type default can be moved.")
        if organised_elsewhere(event, calendar):
            raise for_organizer_only()
        change = self._world.event_tick(to)
        content = {**event.content, "updated": self._world.now_text()}
        moved = StoredEvent(event_id, content, change, change)
        to.events[event_id] = moved
        to.used_ids.add(event_id)
        for other in [one for one in calendar.events.values() if one.master_id == event_id and not one.hidden]:
            change = self._world.event_tick(to)
            to.events[other.id] = StoredEvent(other.id, {**other.content}, change, change)
        self.delete(calendar, event_id, if_match=None)
        return moved

    def instances(self, calendar: StoredCalendar, master: StoredEvent) -> list[StoredEvent]:
        """Return a series' occurrences in order, changed and cancelled ones in their own form."""
        until = self._world.config.clock.now() + HORIZON
        changed = {
            event.id: event for event in calendar.events.values() if event.master_id == master.id and not event.hidden
        }
        found = []
        for start, end in occurrences(master.content, calendar.time_zone, until):
            instance = self._instance(calendar, master, start, end)
            found.append(changed.pop(instance.id, instance))
        return found + list(changed.values())

    def _occurrence(self, calendar: StoredCalendar, event_id: str) -> StoredEvent:
        master_id, _, tail = event_id.rpartition("_")
        master = calendar.events.get(master_id)
        if master is None or master.cancelled or "recurrence" not in master.content:
            raise not_found()
        try:
            wanted = instance_start(tail, master.content["start"])
        except ValueError:
            raise not_found() from None
        moment = utc(wanted, calendar.time_zone)
        for start, end in occurrences(master.content, calendar.time_zone, moment + HORIZON):
            if utc(start, calendar.time_zone) == moment:
                return self._instance(calendar, master, start, end)
            if utc(start, calendar.time_zone) > moment:
                break
        raise not_found()

    def _instance(self, calendar: StoredCalendar, master: StoredEvent, start: Json, end: Json) -> StoredEvent:
        from_master = {key: value for key, value in master.content.items() if key != "recurrence"}
        event_id = f"{master.id}_{suffix(start)}"
        content = {
            **from_master,
            "start": start,
            "end": end,
            "recurringEventId": master.id,
            "originalStartTime": start,
            "htmlLink": self._world.html_link(calendar.id, event_id),
        }
        return StoredEvent(event_id, content, master.change, master.order)

    def _for_change(self, calendar: StoredCalendar, event_id: str, if_match: str | None) -> StoredEvent:
        event = self.find(calendar, event_id)
        if if_match not in (None, "*", event.etag):
            raise precondition_failed()
        return event

    def _store(self, calendar: StoredCalendar, event: StoredEvent, content: Json) -> StoredEvent:
        old = event.content
        changed = any(old.get(key) != content.get(key) for key in SIGNIFICANT)
        kept = {key: old[key] for key in _IDENTITY if key in old}
        if "recurringEventId" in kept:
            content.pop("recurrence", None)
        event.content = {
            **content,
            **kept,
            "updated": self._world.now_text(),
            "sequence": old["sequence"] + (1 if changed else 0),
        }
        event.change = self._world.event_tick(calendar)
        calendar.events[event.id] = event
        return event
