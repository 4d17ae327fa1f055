"""A person moves the event of a deadline to a colleague and back again, while passes enter it anew."""

import pytest

from vmh_sync.settings import CalendarSyncSettings
from vmh_sync_tests.chaos.calendars import audited_losers
from vmh_sync_tests.inmemory.calendars import CalendarFirm
from vmh_sync_tests.inmemory.world import World
from vmh_sync_tests.property.kalender.people_in_google import DEADLINE_RULES


@pytest.mark.parametrize("renamed", [True, False])
def test_an_event_of_a_deadline_that_comes_back_beside_the_one_entered_anew_is_no_new_appointment(
    renamed: bool,
) -> None:
    firm = CalendarFirm(World(), CalendarSyncSettings(_env_file=None, deadline_rules=DEADLINE_RULES))
    chancery = firm.chancery
    for kuerzel in ("AH", "SB"):
        chancery.employee(kuerzel)
        chancery.termin(kuerzel, f"Bleibt bei {kuerzel}", offset=3)
    fr_nr = chancery.termin("AH", "Berufung", notiz="Notfrist")
    firm.come_to_rest()
    event_id = chancery.event_of(fr_nr, "AH")["id"]
    chancery.move_event("AH", event_id, "SB")
    if renamed:
        chancery.edit_event("SB", event_id, summary="Berufung verlegt")
    firm.begin_pass(("AH",))
    firm.finish()
    assert chancery.event_of(fr_nr, "AH")["id"] != event_id, "entered anew"
    chancery.move_event("SB", event_id, "AH")
    firm.come_to_rest()
    assert len(chancery.termine()) == 3 and chancery.termine()[fr_nr]["text"] == "Berufung"
    assert chancery.event_of(fr_nr, "AH")["summary"] == "Berufung" and len(chancery.events("SB")) == 1
    assert ("Berufung verlegt" in audited_losers(chancery)) == renamed
    firm.world.close()
