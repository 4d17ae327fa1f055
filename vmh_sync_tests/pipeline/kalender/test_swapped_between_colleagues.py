"""Two colleagues give each other an event in Google at the same time, and one pass works on both calendars at once."""

from vmh_sync.settings import CalendarSyncSettings
from vmh_sync_tests.inmemory.calendars import CalendarFirm
from vmh_sync_tests.inmemory.world import World


def test_events_moved_both_ways_at_once_both_arrive() -> None:
    firm = CalendarFirm(World(), CalendarSyncSettings(_env_file=None))
    chancery = firm.chancery
    for kuerzel in ("AH", "SB"):
        chancery.employee(kuerzel)
        chancery.termin(kuerzel, f"Von {kuerzel}")
    firm.come_to_rest()
    for kuerzel, colleague in (("AH", "SB"), ("SB", "AH")):
        (event_id,) = [key for key, one in chancery.events(kuerzel).items() if one["summary"] == f"Von {kuerzel}"]
        chancery.move_event(kuerzel, event_id, colleague)
    firm.come_to_rest()
    assert sorted((row["sb"], row["text"]) for row in chancery.termine().values()) == [
        ("AH", "Von SB"),
        ("SB", "Von AH"),
    ]
    firm.world.close()
