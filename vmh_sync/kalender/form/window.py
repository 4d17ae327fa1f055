"""The window of time that both sides are read with (specification, kalender.md 5)."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from vmh_sync.kalender.form.wall_clock import midnight
from vmh_sync.kalender.model import Appointment, CalendarRules

MOVED_AHEAD = timedelta(days=3650)
"""How far beyond the window a Termin is looked for whose creation was not answered."""


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open span ``start <= t < end`` of aware times in the firm's zone."""

    start: datetime
    end: datetime

    def touches(self, form: Appointment) -> bool:
        """Tell whether any part of the appointment (any occurrence's day of a series) can lie in the window."""
        return form.start < self.end and self._last_end(form) > self.start

    def surely_lists(self, form: Appointment) -> bool:
        """Tell whether a complete read of this window would have shown the appointment if it existed.

        A single appointment must lie inside the window as a whole (the edges are treated differently by the two
        sides), a series must touch it.
        """
        if form.recurrence is not None:
            return self.touches(form)
        return form.start >= self.start and form.end <= self.end

    def _last_end(self, form: Appointment) -> datetime:
        series = form.recurrence
        if series is None:
            return form.end
        if series.until is None:
            return datetime.max.replace(tzinfo=self.end.tzinfo)
        return datetime.combine(series.until, time(23, 59, 59), self.end.tzinfo)

    def wide(self) -> "Window":
        """Return the window in which an appointment is looked for that somebody may have moved out of this one."""
        return Window(self.start, self.end + MOVED_AHEAD)


def window_at(now: datetime, rules: CalendarRules) -> Window:
    """Return the window at the aware moment ``now``: start of last year to the end of today's date two years ahead."""
    today = now.astimezone(rules.zone).date()
    first = date(today.year - rules.window_years_back, 1, 1)
    day = 28 if (today.month, today.day) == (2, 29) else today.day
    last = date(today.year + rules.window_years_ahead, today.month, day)
    return Window(midnight(first, rules.zone), midnight(last + timedelta(days=1), rules.zone))
