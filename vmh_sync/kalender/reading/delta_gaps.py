"""What a delta does not name and the decision needs all the same: series with exceptions, unsettled events, copies.

A delta names an exception without its series and a series without its exceptions, so a series that could not be
represented, and now can, would stay as it is until everything is read. And an event whose sync failed is not named
again once the token has moved on (specification, kalender.md 1).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.form.google_form import KEY_FR_NR, read_mark
from vmh_sync.kalender.state.pair_rows import Stored
from vmh_sync.systems.google_calendar.calendars import GET_CALENDAR
from vmh_sync.systems.google_calendar.changes import Changes, read_changes
from vmh_sync.systems.google_calendar.client import GoogleCalendarClient
from vmh_sync.systems.google_calendar.errors import NotFoundError, UnreadableEventError
from vmh_sync.systems.google_calendar.events import Event

MOST_UNSETTLED = 50
"""As many failed events are read one by one; with more of them the token stays, so that the list names them again."""

MOST_READS = 2 * MOST_UNSETTLED
"""As many single reads fill a delta's gaps; when it takes more, everything is read."""

FEW = 10
"""Copies of so many appointments are looked for one by one, those of more in one list of all that stands there."""


async def fill_gaps(
    context: CalendarContext, calendar_id: str, changes: Changes, stored: Stored
) -> tuple[Changes, frozenset[str]]:
    """Return the changes with what is missing in them, and the series of which they now hold every exception.

    An unchanged calendar costs nothing. Raises the client's errors.
    """
    if changes.full:
        return changes, frozenset()
    creating = not context.rules.write_protection and context.rules.write_allowed_default
    gaps = _Gaps.of(changes, stored, creating=creating)
    if not gaps.reads:
        return changes, frozenset()
    client = context.google.client
    if gaps.reads > MOST_READS:
        return await context.google.run(lambda: read_changes(client, calendar_id, None)), frozenset()
    return await context.google.run(lambda: _filled(client, calendar_id, changes, gaps))


@dataclass(frozen=True, slots=True)
class _Gaps:
    """``events`` are to be read one by one, ``series`` with all their exceptions.

    Of ``numbers`` copies are looked for: one may stand for an event that is gone, or differ from one that has changed.
    """

    events: frozenset[str]
    series: frozenset[str]
    numbers: frozenset[int]

    @property
    def reads(self) -> int:
        return len(self.events) + len(self.series) + min(len(self.numbers), FEW)

    @classmethod
    def of(cls, changes: Changes, stored: Stored, *, creating: bool) -> "_Gaps":
        named = {event.id: event for event in changes.events if not event.is_exception}
        paired = {row.event_id: row for row in stored.pairs if row.event_id is not None}

        def undecided(event_id: str) -> bool:
            row = paired.get(event_id)
            return creating if row is None else bool(row.obstacle)

        masters = {str(event.recurring_event_id) for event in changes.events if event.is_exception}
        masters |= {event.id for event in named.values() if event.recurrence}
        gone = {event.id for event in named.values() if event.cancelled}
        unsettled = set(stored.unsettled) | (set(stored.waiting) if creating else set())
        series = {one for one in masters if undecided(one) or one in unsettled} - gone
        events = unsettled - set(named)
        changed = {row.frnr: event_id for event_id in named if (row := paired.get(event_id)) and row.frnr is not None}
        numbers = {number for number, event_id in changed.items() if event_id in gone or number in stored.copied}
        return cls(frozenset(events | (series - set(named))), frozenset(series), frozenset(numbers))


def _filled(
    client: GoogleCalendarClient, calendar_id: str, changes: Changes, gaps: _Gaps
) -> tuple[Changes, frozenset[str]]:
    items = {event.id: event for event in changes.events}
    items |= {one.id: one for one in _read(client, calendar_id, gaps.events)}
    copies = {one.id: one for one in _copies(client, calendar_id, gaps.numbers)}
    items = copies | items
    unread = {one for one in gaps.events | copies.keys() if items[one].recurrence}
    whole = set()
    for series in gaps.series | unread:
        if items[series].cancelled or not items[series].recurrence:
            continue
        try:
            occurrences = client.instances(calendar_id, series, show_deleted=True)
        except NotFoundError:
            continue  # deleted since the list was read: the next one says so
        except ValueError:
            items[series] = _unreadable(series)
            continue
        items |= {one.id: one for one in occurrences if one.is_exception}
        whole.add(series)
    return replace(changes, events=tuple(items.values())), frozenset(whole)


def copies_of(client: GoogleCalendarClient, calendar_id: str, fr_nr: int) -> list[Event]:
    """Return the living events of a calendar that carry the mark of a Termin."""
    return [one for one in client.carrying(calendar_id, KEY_FR_NR, str(fr_nr)) if not one.is_exception]


def _copies(client: GoogleCalendarClient, calendar_id: str, numbers: frozenset[int]) -> Iterable[Event]:
    if len(numbers) <= FEW:
        return [one for number in sorted(numbers) for one in copies_of(client, calendar_id, number)]
    living = [(one, read_mark(one.raw)) for one in client.changed_since(calendar_id, None) if not one.is_exception]
    return [one for one, mark in living if mark is not None and mark.fr_nr in numbers]


def _read(client: GoogleCalendarClient, calendar_id: str, event_ids: Iterable[str]) -> Iterable[Event]:
    for event_id in sorted(event_ids):
        try:
            yield client.get_event(calendar_id, event_id)
        except NotFoundError:
            # Google says 404 for a missing event and for a missing calendar: only the first is a deletion.
            client.run(GET_CALENDAR, lambda service: service.calendars().get(calendarId=calendar_id))
            yield Event.from_wire({"id": event_id, "status": "cancelled"})
        except UnreadableEventError:
            yield _unreadable(event_id)


def _unreadable(event_id: str) -> Event:
    """Return an event of which nothing can be used: nothing is decided about it, and a finding says so."""
    return Event.from_wire({"id": event_id})
