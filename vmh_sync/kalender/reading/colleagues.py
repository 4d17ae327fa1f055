"""A colleague's calendar, which a pass over somebody else asks: one that cannot be reached says nothing, nor "no"."""

from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.errors import ColleagueUnreachable
from vmh_sync.kalender.reading.employees import may_be_active
from vmh_sync.systems.google_calendar.calendars import GET_CALENDAR
from vmh_sync.systems.google_calendar.errors import ForbiddenError, NotFoundError
from vmh_sync.systems.google_calendar.events import Event


async def event_at(context: CalendarContext, kuerzel: str, calendar: str, event_id: str) -> Event | None:
    """Return an event of a colleague's, deleted ones too; ``None`` if there is none.

    Raises :class:`ColleagueUnreachable` if nobody can say. The lost calendar of who has left is nobody's: none.
    """
    client = context.google.client
    try:
        try:
            return await context.google.run(lambda: client.get_event(calendar, event_id))
        except NotFoundError:
            # Google says 404 for a missing event and for a missing calendar: only the first is an answer.
            await context.google.run(
                lambda: client.run(GET_CALENDAR, lambda service: service.calendars().get(calendarId=calendar))
            )
            return None
    except (NotFoundError, ForbiddenError):
        if await may_be_active(context, kuerzel):
            raise ColleagueUnreachable(kuerzel) from None
        return None
