"""Whether an event lives on at a colleague's cannot be said yet, or not at all: its Termin waits, and that is told."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest

from vmh_sync.kalender import batch as passes
from vmh_sync.kalender.batch import CalendarBatch
from vmh_sync.kalender.calendars import Calendars
from vmh_sync.kalender.context import CalendarContext
from vmh_sync_tests.inmemory.calendars import CalendarFirm, two_employees
from vmh_sync_tests.inmemory.network import Request

NUMBER = "12/26"
SHORTLY = 60


@pytest.fixture
def two() -> Iterator[CalendarFirm]:
    yield from two_employees()


def appointment(two: CalendarFirm, *, from_google: bool) -> tuple[int, str]:
    make = two.chancery.event if from_google else two.chancery.termin
    make("SB", "Ortstermin")
    two.come_to_rest()
    (fr_nr,) = two.chancery.termine()
    two.chancery.edit_termin(fr_nr, nr=NUMBER, anwalt="SB")
    two.come_to_rest()
    return fr_nr, two.chancery.event_of(fr_nr)["id"]


def one_pass(two: CalendarFirm, kuerzel: str) -> str:
    two.begin_pass((kuerzel,))
    return " ".join(outcome.error or "" for outcome in two.finish())


def look(two: CalendarFirm, kuerzel: str) -> tuple[str, list[Any]]:
    """What a dry run foresees: how each appointment ends in words, and the rows of its plan."""

    async def work(context: CalendarContext) -> CalendarBatch:
        fetched = await passes.fetch(context, Calendars(kuerzel=[kuerzel], dry_run=True))
        return await passes.write(context, passes.diff(passes.map_fields(fetched)))

    batch = two.chancery.run(work)
    return " ".join(one.error or "" for one in batch.outcomes), [row["what"] for row in batch.rows()]


def reach(two: CalendarFirm, how: str, kuerzel: str = "AH") -> None:
    google = two.world.google
    google.command(how, {"calendar": f"AW-{kuerzel}", "account": google.config.service_account_email, "role": "owner"})


@pytest.mark.parametrize("from_google", [True, False])
@pytest.mark.parametrize(("away", "back"), [("unshare", "share"), ("forbid", "allow")])
def test_an_event_moved_to_a_calendar_that_cannot_be_reached_is_not_taken_for_deleted(
    two: CalendarFirm, from_google: bool, away: str, back: str
) -> None:
    fr_nr, event_id = appointment(two, from_google=from_google)
    two.chancery.move_event("SB", event_id, "AH")
    reach(two, away)
    for _ in range(2):
        two.world.loop.pass_time(900)
        foreseen, rows = look(two, "SB")
        assert rows == ["finding:put_off"]
        assert foreseen == one_pass(two, "SB") and "AH ist nicht zu erreichen" in foreseen
        assert set(two.chancery.termine()) == {fr_nr} and two.chancery.events("SB") == {}
    reach(two, back)
    two.come_to_rest()
    ((number, row),) = two.chancery.termine().items()
    assert (number, row["sb"], row["nr"]) == (fr_nr, "AH", NUMBER)
    assert set(two.chancery.events("AH")) == {event_id} and two.chancery.events("SB") == {}


def test_the_lost_calendar_of_who_has_left_keeps_nobody_from_deleting(two: CalendarFirm) -> None:
    fr_nr, event_id = appointment(two, from_google=True)
    two.chancery.office.edit("Mitarbeiter", "update", id="AH", values={"aktiv": False})
    reach(two, "delete_calendar")
    two.chancery.drop_event("SB", event_id)
    assert look(two, "SB")[1] == ["delete_advoware"]
    two.come_to_rest()
    assert fr_nr not in two.chancery.termine()


def test_an_event_like_one_of_a_colleague_whose_calendar_cannot_be_reached_waits(two: CalendarFirm) -> None:
    fr_nr, event_id = appointment(two, from_google=True)
    said = {"summary", "start", "end"}
    values = {key: value for key, value in two.chancery.events("SB")[event_id].items() if key in said}
    two.chancery.drop_event("SB", event_id)
    new = two.chancery.event("AH", **values)
    reach(two, "forbid", "SB")
    assert "SB ist nicht zu erreichen" in look(two, "AH")[0]
    assert "SB ist nicht zu erreichen" in one_pass(two, "AH")
    assert set(two.chancery.termine()) == {fr_nr}
    reach(two, "allow", "SB")
    two.come_to_rest()
    ((number, row),) = two.chancery.termine().items()
    assert (number, row["sb"], row["nr"]) == (fr_nr, "AH", NUMBER) and set(two.chancery.events("AH")) == {new}


@pytest.mark.parametrize("from_google", [True, False])
def test_a_dry_run_shows_no_deletion_of_what_was_moved(two: CalendarFirm, from_google: bool) -> None:
    _, event_id = appointment(two, from_google=from_google)
    two.chancery.move_event("SB", event_id, "AH")
    foreseen, rows = look(two, "SB")
    assert rows == ["finding:put_off"]
    assert foreseen == one_pass(two, "SB") and "in den Kalender AH verschoben" in foreseen
    assert look(two, "AH")[1] == ["take_over"]


@pytest.mark.parametrize(("from_google", "anew"), [(True, False), (False, False), (True, True)])
def test_a_calendar_that_cannot_be_reached_is_asked_once_in_a_pass(
    two: CalendarFirm, from_google: bool, anew: bool
) -> None:
    make = two.chancery.event if from_google else two.chancery.termin
    for number in range(3):
        make("SB", f"Ortstermin {number}", offset=10 + number)
    two.come_to_rest()
    for event_id, event in two.chancery.events("SB").items():
        two.chancery.drop_event("SB", event_id)
        if anew:
            two.chancery.event("AH", **{name: event[name] for name in ("summary", "start", "end")})
    lost, asks = ("SB", "AH") if anew else ("AH", "SB")
    reach(two, "forbid", lost)
    calendar = two.chancery.calendar(lost)
    made: list[Request] = []
    two.world.wire.arrived = made.append
    assert one_pass(two, asks).count("nicht zu erreichen") == 3
    assert calendar is not None
    assert sum(calendar["id"] in unquote(one.path) for one in made if one.system == "google") == 1
    assert sum("Mitarbeiter" in one.path for one in made) == 2  # who is to be synced, and whether somebody still works


@pytest.mark.parametrize(("whose", "told"), [("SB", ["finding:deadline"]), ("ALLE", [])])
def test_a_dry_run_shows_that_an_event_is_sent_back_or_stands_there_already(whose: str, told: list[str]) -> None:
    rules = [{"name": "Gericht", "text": ["Verhandlung"]}] if whose == "SB" else []
    for two in two_employees(deadline_rules=rules):
        if whose == "SB":
            two.chancery.event("SB", "Verhandlung")
        else:
            two.chancery.termin(whose)
        two.come_to_rest()
        (fr_nr,), (event_id,) = two.chancery.termine(), two.chancery.events("SB")
        two.chancery.move_event("SB", event_id, "AH")
        if whose == "ALLE":
            one_pass(two, "SB")
        assert look(two, "AH")[1] == ["delete_google", *told]
        one_pass(two, "AH")
        assert event_id not in two.chancery.events("AH") and set(two.chancery.termine()) == {fr_nr}
