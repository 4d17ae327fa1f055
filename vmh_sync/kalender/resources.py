"""The Dagster resource through which calendar ops get at the outside world."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import dagster as dg

from vmh_sync.kalender.context import CalendarContext, open_calendar
from vmh_sync.orchestration.resources import opening_failures
from vmh_sync.orchestration.sentences import Stopped
from vmh_sync.systems.google_calendar.service import ServiceAccountError


class CalendarResources(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Opens clients, store and leases for one run, from the settings in the environment."""

    @asynccontextmanager
    async def open(self, run_id: str) -> AsyncIterator[CalendarContext]:
        """Open everything for one op; raises ``dagster.Failure`` that names bad settings or a standstill."""
        try:
            with opening_failures():
                async with open_calendar(run_id) as context:
                    yield context
        except ServiceAccountError as problem:
            raise Stopped(problem.message_for_people, allow_retries=True) from None


CALENDAR_RESOURCES: Mapping[str, Any] = {"calendars": CalendarResources(), "io_manager": dg.mem_io_manager}
"""What the calendar's job works with. Personal data stays in memory (design.md 2)."""
