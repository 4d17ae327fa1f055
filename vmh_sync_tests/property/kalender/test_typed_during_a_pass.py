"""Somebody types into an event at any moment of a pass that works on it: it arrives in Advoware."""

from functools import partial
from typing import Any

import pytest

from vmh_sync.settings import CalendarSyncSettings
from vmh_sync_tests.inmemory.calendars import CalendarFirm
from vmh_sync_tests.inmemory.world import World

MOST_REQUESTS = 20


@pytest.mark.parametrize("full_content", [True, False])
def test_what_is_typed_into_an_event_whose_termin_is_just_made_again_goes_to_advoware(full_content: bool) -> None:
    """Google's list does not name the event, so it is read only after the new Termin stands."""
    firm = CalendarFirm(World(), CalendarSyncSettings(_env_file=None, full_content=full_content))
    chancery = firm.chancery
    chancery.employee("SB")
    firm.come_to_rest()
    for number in range(3, MOST_REQUESTS):
        event_id = chancery.event("SB", f"Ortstermin {number}")
        firm.come_to_rest()
        (fr_nr,) = [key for key, row in chancery.termine().items() if row["text"] == f"Ortstermin {number}"]
        chancery.drop_termin(fr_nr)
        day = f"2026-03-{number + 10}"
        times: dict[str, Any] = {
            name: {"dateTime": f"{day}T{hour}:00:00"} for name, hour in (("start", "08"), ("end", "09"))
        }
        running = firm.begin_pass()
        running.meanwhile[number] = partial(chancery.edit_event, "SB", event_id, **times)
        firm.finish()
        if running.meanwhile:
            break  # the pass has no such request
        firm.come_to_rest()
        rows = [row for row in chancery.termine().values() if row["text"] == f"Ortstermin {number}"]
        assert [row["datum"][:10] for row in rows] == [day], number
    assert number >= 6, "the new Termin and its mark are among the moments"
    firm.world.close()
