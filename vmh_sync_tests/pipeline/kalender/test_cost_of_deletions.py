"""What deletions in Google cost: whether an event was moved is asked once of each colleague, not once per event."""

from collections.abc import Iterator

import pytest

from vmh_sync.kalender.reading.delta_gaps import FEW
from vmh_sync.settings import CalendarSyncSettings
from vmh_sync_tests.inmemory.calendars import CalendarFirm, two_employees
from vmh_sync_tests.inmemory.network import ARRIVES, Fate, Request
from vmh_sync_tests.inmemory.world import World

EMPLOYEES = 30
NAMES = tuple(f"M{number:02d}" for number in range(EMPLOYEES))
CASES = [(number, from_google) for number in (1, 5) for from_google in (False, True)] + [(12, True)]


@pytest.fixture(scope="module")
def firm() -> Iterator[CalendarFirm]:
    """Everything that the tests delete stands on both sides, and the echoes of our own writes have been read."""
    firm = CalendarFirm(World(), CalendarSyncSettings(_env_file=None))
    chancery = firm.chancery
    for kuerzel in NAMES:
        chancery.employee(kuerzel)
        chancery.termin(kuerzel, f"Einer {kuerzel}")
    one_pass(firm, "M00")
    for deletions, from_google in CASES:
        for number in range(deletions):
            title = f"{title_of(deletions, from_google)} {number}"
            make = chancery.event if from_google else chancery.termin
            make("M00", title, offset=20 + number)
    for _ in range(3):
        one_pass(firm)
    yield firm
    firm.world.close()


def one_pass(firm: CalendarFirm, *kuerzel: str) -> None:
    firm.begin_pass(kuerzel)
    firm.finish()


def title_of(deletions: int, from_google: bool) -> str:
    return f"{'Aus Google' if from_google else 'Aus Advoware'}, {deletions} weg:"


def calls_of(firm: CalendarFirm, *kuerzel: str) -> list[str]:
    """The requests to Google of one pass, by what they do."""
    made: list[Request] = []
    firm.world.wire.arrived = made.append
    one_pass(firm, *kuerzel)
    firm.world.wire.arrived = lambda request: None
    return sorted(
        f"{one.method} {'list' if one.path.endswith('/events') else 'event'}"
        for one in made
        if one.system == "google" and "oken" not in one.path
    )


@pytest.mark.parametrize(("deletions", "from_google"), CASES)
def test_however_many_events_were_deleted_each_colleagues_calendar_is_read_once(
    firm: CalendarFirm, deletions: int, from_google: bool
) -> None:
    delete_all(firm, "M00", title_of(deletions, from_google))
    entered_again = [] if from_google else ["POST list"] * deletions
    asked_when = ["GET event"] * deletions  # Google guarantees only the id of what its lists call deleted
    copies = ["GET list"] * (deletions if deletions <= FEW else 1)  # does an equal one that stands here stand for it?
    assert calls_of(firm, "M00") == asked_when + copies + ["GET list"] * EMPLOYEES + entered_again


def test_deletions_in_many_calendars_are_asked_about_together(firm: CalendarFirm) -> None:
    """The quota is one for the whole firm: each calendar is read for itself, and once more for all the others."""
    names = NAMES[10:]
    for kuerzel in names:
        delete_all(firm, kuerzel, "Einer")
    lists = ["GET list"] * (2 * EMPLOYEES + len(names))
    calls = ["GET event"] * len(names) + lists + ["POST list"] * len(names)
    assert calls_of(firm) == calls


def delete_all(firm: CalendarFirm, kuerzel: str, title: str) -> None:
    for event_id, event in firm.chancery.events(kuerzel).items():
        if event["summary"].startswith(title):
            firm.chancery.drop_event(kuerzel, event_id)


def test_an_event_that_is_moved_while_the_pass_runs_is_looked_for_anew(two: CalendarFirm) -> None:
    chancery = two.chancery
    first, second = chancery.event("SB", "Wird gelöscht"), chancery.event("SB", "Wird verschoben", offset=10)
    two.come_to_rest()
    fr_nr = next(number for number, row in chancery.termine().items() if row["text"] == "Wird verschoben")
    chancery.drop_event("SB", first)
    chancery.edit_termin(fr_nr, ort="Saal 3")

    def before(request: Request) -> Fate:
        if request.system == "google" and request.is_write and second in chancery.events("SB"):
            chancery.move_event("SB", second, "AH")
        return ARRIVES

    two.world.wire.fate = before
    one_pass(two, "SB")
    assert [row["text"] for row in chancery.termine().values()] == ["Wird verschoben"]
    two.come_to_rest()
    assert set(chancery.events("AH")) == {second} and set(chancery.termine()) == {fr_nr}


@pytest.fixture
def two() -> Iterator[CalendarFirm]:
    yield from two_employees()
