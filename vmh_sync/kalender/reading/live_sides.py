"""Both sides of one employee as they are now: what the plan was made of, brought up to date by single reads."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.form.advoware_form import belongs_to, is_for_everybody
from vmh_sync.kalender.form.wire_termin import to_fields
from vmh_sync.kalender.model import TerminFields
from vmh_sync.systems.advoware.records import Termin
from vmh_sync.systems.google_calendar.calendars import GET_CALENDAR
from vmh_sync.systems.google_calendar.errors import ForbiddenError, NotFoundError
from vmh_sync.systems.google_calendar.events import Event, EventContent


def concerns(termin: TerminFields, kuerzel: str) -> bool:
    """Tell whether the Termin belongs into the calendar of ``kuerzel``."""
    return is_for_everybody(termin) or belongs_to(termin, kuerzel)


@dataclass(slots=True, repr=False)
class LiveSides:
    """``termine`` and ``events`` hold what was last read or written; a missing key means "gone" or "not named".

    ``deleted``: when an event was deleted, by Google's clock; ``None`` where Google did not say. ``exceptions``: what
    the list named of a series besides the series itself.
    """

    context: CalendarContext
    kuerzel: str
    calendar_id: str
    termine: dict[int, TerminFields]
    events: dict[str, Event]
    deleted: dict[str, datetime | None] = field(default_factory=dict)
    exceptions: dict[str, list[Mapping[str, object]]] = field(default_factory=dict)

    @classmethod
    def as_read(
        cls,
        context: CalendarContext,
        kuerzel: str,
        calendar_id: str,
        termine: Iterable[TerminFields],
        events: Iterable[Event],
    ) -> "LiveSides":
        """Return both sides as their lists tell them."""
        named, exceptions = list[Event](), dict[str, list[Mapping[str, object]]]()
        for one in events:
            if one.is_exception:
                exceptions.setdefault(str(one.recurring_event_id), []).append(one.raw)
            else:
                named.append(one)
        living = {one.id: one for one in named if not one.cancelled}
        deleted = {one.id: one.updated for one in named if one.cancelled}
        by_number = {termin.fr_nr: termin for termin in termine}
        return cls(context, kuerzel, calendar_id, by_number, living, deleted, exceptions)

    async def fresh_event(self, event_id: str) -> Event | None:
        """Read one event anew; ``None`` if it is deleted. Raises if the calendar itself cannot be read."""
        client, calendar = self.context.google.client, self.calendar_id
        try:
            event = await self.context.google.run(lambda: client.get_event(calendar, event_id))
        except NotFoundError:
            # Google says 404 for a missing event and for a missing calendar: only the first is a deletion.
            await self.context.google.run(
                lambda: client.run(GET_CALENDAR, lambda service: service.calendars().get(calendarId=calendar))
            )
            event = None
        if event is None or event.cancelled:
            self.events.pop(event_id, None)
            at = event.updated if event is not None else None
            if event_id not in self.deleted or self.deleted[event_id] != at:
                self.deleted[event_id] = at
                self.context.lately.forget()
            return None
        self.events[event_id] = event
        return event

    async def deleted_at(self, event_id: str) -> datetime | None:
        """Return when an event was deleted; ``None`` while it lives, or where a 404 may mean the whole calendar."""
        if self.deleted.get(event_id) is None:
            client, calendar = self.context.google.client, self.calendar_id
            with suppress(NotFoundError, ForbiddenError):
                event = await self.context.google.run(lambda: client.get_event(calendar, event_id))
                self.deleted[event_id] = event.updated if event.cancelled else None
        return self.deleted.get(event_id)

    async def fresh_termin(self, fr_nr: int) -> Termin | None:
        """Read one Termin anew; ``None`` if it is gone or no longer stands in this employee's calendar."""
        record = await self.context.advoware.read_termin(fr_nr)
        if record is None or not self.concerns(to_fields(record)):
            self.termine.pop(fr_nr, None)
            return None
        self.termine[fr_nr] = to_fields(record)
        return record

    def concerns(self, termin: TerminFields) -> bool:
        """Tell whether the Termin belongs into this employee's calendar."""
        return concerns(termin, self.kuerzel)

    async def insert_event(self, event_id: str, content: EventContent) -> Event:
        """Insert an event under our id; raises ``DuplicateError`` when it is taken."""
        client, calendar = self.context.google.client, self.calendar_id
        event = await self.context.google.run(lambda: client.insert_event(calendar, event_id, content))
        self.events[event_id] = event
        return event

    async def update_event(self, current: Event, content: EventContent) -> Event:
        """Update an event if it is still as ``current``; raises ``PreconditionFailedError`` otherwise."""
        client, calendar = self.context.google.client, self.calendar_id
        event = await self.context.google.run(lambda: client.update_event(calendar, current, content))
        self.events[event.id] = event
        return event

    async def delete_event(self, event_id: str, etag: str | None) -> bool:
        """Delete an event if it still has this etag; False when it was gone already, which is fine.

        Raises ``NotFoundError`` if it is not the event that is gone but the calendar, or our access to it.
        """
        client, calendar = self.context.google.client, self.calendar_id
        deleted = await self.context.google.run(lambda: client.delete_event(calendar, event_id, etag))
        if not deleted:
            await self.fresh_event(event_id)
        self.events.pop(event_id, None)
        return deleted
