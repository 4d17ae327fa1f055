"""A colleague's calendar, which a pass over somebody else asks: one that cannot be reached says nothing, nor "no"."""

from collections.abc import Callable
from typing import TypeVar

from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.errors import ColleagueUnreachable
from vmh_sync.kalender.reading.employees import may_be_active
from vmh_sync.systems.google_calendar.calendars import GET_CALENDAR
from vmh_sync.systems.google_calendar.errors import ForbiddenError, NotFoundError
from vmh_sync.systems.google_calendar.events import Event

T = TypeVar("T")


async def asked(context: CalendarContext, kuerzel: str, calendar: str, question: Callable[[], T]) -> T | None:
    """Return what a colleague's calendar answers; ``None`` if it is lost and nobody's: of who has left.

    Raises :class:`ColleagueUnreachable` if nobody can say. In one pass it is not asked again after that.
    """
    if calendar not in context.beyond_reach:
        try:
            return await context.google.run(question)
        except (NotFoundError, ForbiddenError):
            context.beyond_reach[calendar] = await may_be_active(context, kuerzel)
    if context.beyond_reach[calendar]:
        raise ColleagueUnreachable(kuerzel)
    return None


async def event_at(context: CalendarContext, kuerzel: str, calendar: str, event_id: str) -> Event | None:
    """Return an event of a colleague's, deleted ones too; ``None`` if there is none. Raises as :func:`asked`."""
    client = context.google.client

    def question() -> Event | None:
        try:
            return client.get_event(calendar, event_id)
        except NotFoundError:
            # Google says 404 for a missing event and for a missing calendar: only the first is an answer.
            client.run(GET_CALENDAR, lambda service: service.calendars().get(calendarId=calendar))
            return None

    return await asked(context, kuerzel, calendar, question)
