"""What both sides have beyond the window is one appointment when the window reaches it, though no delta names it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from vmh_sync.settings import CalendarSyncSettings
from vmh_sync_tests.inmemory.calendars import CalendarFirm, two_employees
from vmh_sync_tests.inmemory.network import Answer, Request

DAY = 24 * 3600


@pytest.fixture
def firm() -> Iterator[CalendarFirm]:
    yield from two_employees()


def on_both_sides(firm: CalendarFirm, offset: int) -> int:
    """Typed on both sides, as an earlier system leaves it."""
    day = firm.chancery.day(offset)
    times: dict[str, Any] = {
        name: {"dateTime": f"{day}T{at}", "timeZone": "Europe/Berlin"}
        for name, at in (("start", "10:30:00"), ("end", "11:30:00"))
    }
    firm.chancery.event("SB", "Verjährung", **times)
    return firm.chancery.termin("SB", "Verjährung", offset=offset)


@pytest.mark.parametrize("by_settings", [False, True], ids=["by time", "by the settings"])
def test_it_is_linked_and_not_doubled(firm: CalendarFirm, by_settings: bool) -> None:
    firm.chancery.termin("SB", "Nah")
    far = on_both_sides(firm, 1200 if by_settings else 734)
    firm.come_to_rest()
    if by_settings:
        firm._settings = replace(firm._settings, sync=CalendarSyncSettings(_env_file=None, window_years_ahead=5))
    firm.world.loop.pass_time(5 * DAY)
    firm.come_to_rest()
    assert far in firm.chancery.pairs()
    firm.world.loop.pass_time(9 * DAY)  # the next full list
    firm.come_to_rest()
    assert (len(firm.chancery.termine()), len(firm.chancery.events())) == (2, 2)


def test_the_calendar_is_read_as_a_whole_only_once_for_it(firm: CalendarFirm) -> None:
    firm.chancery.termin("SB", "Nah")
    firm.chancery.termin("SB", "Fern", offset=734)
    firm.chancery.termin("SB", "Zu früh", offset=-600)
    carried_out = firm.world.wire.carry_out

    def generous(request: Request, url: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
        """An office may list more than was asked for."""
        return carried_out(request, url.replace("from=2025-", "from=2020-"), headers, body)

    firm.world.wire.carry_out = generous  # type: ignore[method-assign]
    firm.come_to_rest()
    firm.world.loop.pass_time(5 * DAY)
    firm.come_to_rest()
    whole: list[str] = []
    usual = firm.world.wire.arrived

    def counted(request: Request) -> None:
        listing = request.system == "google" and request.method == "GET" and request.path.endswith("/events")
        whole.extend([request.path] if listing and "syncToken" not in request.query else [])
        usual(request)

    firm.world.wire.arrived = counted
    firm.come_to_rest()
    assert whole == []
