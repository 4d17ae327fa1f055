"""The Dagster resource through which calendar ops get at the outside world."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import dagster as dg

from vmh_sync.engine.passes.opening import at_work
from vmh_sync.kalender.context import CalendarContext, CalendarSettings, open_calendar_sides
from vmh_sync.orchestration.jobs.resources import RunResources, opening_failures
from vmh_sync.orchestration.jobs.sentences import Stopped
from vmh_sync.systems.google_calendar.service import ServiceAccountError


class CalendarResources(RunResources):
    """Opens clients, store and leases for one run, from the settings in the environment."""

    @asynccontextmanager
    async def open(self, run_id: str) -> AsyncIterator[CalendarContext]:
        """Give one op everything; raises ``dagster.Failure`` that names bad settings or a standstill."""
        try:
            with opening_failures():
                settings = self._opened.settings(CalendarSettings.read)
                async with (
                    at_work(run_id, settings.house),
                    self._opened.op(lambda: open_calendar_sides(run_id, settings)) as context,
                    context.alive(),
                ):
                    yield context
        except ServiceAccountError as problem:
            raise Stopped(problem.message_for_people, allow_retries=True) from None


CALENDAR_RESOURCES: Mapping[str, object] = {"calendars": CalendarResources(), "io_manager": dg.mem_io_manager}
"""What the calendar's job works with. Personal data stays in memory (design.md 2)."""
