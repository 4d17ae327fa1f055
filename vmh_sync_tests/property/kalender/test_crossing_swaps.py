"""Two colleagues give each other an event while a pass of each calendar is under way, wherever the two passes meet."""

from collections.abc import Sequence

import pytest

from vmh_sync.settings import CalendarSyncSettings
from vmh_sync_tests.chaos.calendars import audited_losers
from vmh_sync_tests.fixtures.chancery import marked
from vmh_sync_tests.inmemory.calendars import CalendarFirm
from vmh_sync_tests.inmemory.world import World

EVERYWHERE = range(0, 130, 5)
"""After so many callbacks of the first pass the second one begins; the first one has about so many."""


def swapped(firm: CalendarFirm) -> list[tuple[str, str, str]]:
    """Whose calendar, which text, and whose Termin, of everything that stands."""
    termine = {str(fr_nr): row for fr_nr, row in firm.chancery.termine().items()}
    shown = [(kuerzel, one) for kuerzel in ("AH", "SB") for one in firm.chancery.events(kuerzel).values()]
    return sorted((kuerzel, one["summary"], termine[str(marked(one))]["sb"]) for kuerzel, one in shown)


@pytest.mark.parametrize("places", [(20, 60), pytest.param(EVERYWHERE, marks=pytest.mark.proof)])
@pytest.mark.parametrize("from_google", [False, True])
@pytest.mark.parametrize("first", ["AH", "SB"])
def test_events_swapped_while_both_calendars_are_at_work_both_arrive(
    first: str, from_google: bool, places: Sequence[int]
) -> None:
    firm = CalendarFirm(World(), CalendarSyncSettings(_env_file=None))
    chancery, second = firm.chancery, "SB" if first == "AH" else "AH"
    for kuerzel in ("AH", "SB"):
        chancery.employee(kuerzel)
    firm.come_to_rest()
    for kuerzel in ("AH", "SB"):
        if from_google:
            chancery.event(kuerzel, f"Von {kuerzel}")
        else:
            chancery.termin(kuerzel, f"Von {kuerzel}", anwalt=kuerzel)
    firm.come_to_rest()
    numbers = set(chancery.termine())
    for place in places:
        wanted = []
        for kuerzel, colleague in (("AH", "SB"), ("SB", "AH")):
            ((event_id, event),) = chancery.events(kuerzel).items()
            wanted.append((colleague, event["summary"], event_id))
        for colleague, _, event_id in wanted:
            chancery.move_event("SB" if colleague == "AH" else "AH", event_id, colleague)
        firm.begin_pass((first,))
        firm.go_on(place)
        firm.begin_pass((second,))
        firm.come_to_rest()
        assert swapped(firm) == sorted((who, text, who) for who, text, _ in wanted), place
        assert set(chancery.termine()) == numbers and not audited_losers(chancery), place
    firm.world.close()
