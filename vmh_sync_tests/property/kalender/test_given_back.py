"""A Termin goes to a colleague, its event with it or not, and comes back before the passes have followed."""

from collections.abc import Iterator

import pytest

from vmh_sync_tests.fixtures.chancery import Chancery, marked
from vmh_sync_tests.inmemory.calendars import CalendarFirm, two_employees
from vmh_sync_tests.inmemory.firm import Hindrance
from vmh_sync_tests.inmemory.network import Fate


@pytest.fixture
def firm() -> Iterator[CalendarFirm]:
    yield from two_employees()


def from_google(firm: CalendarFirm) -> tuple[int, str]:
    """An appointment of SB's that was entered in Google: its number and its event."""
    event_id = firm.chancery.event("SB", "Ortstermin")
    firm.come_to_rest()
    (fr_nr,) = firm.chancery.termine()
    return fr_nr, event_id


def give(chancery: Chancery, fr_nr: int, kuerzel: str) -> None:
    chancery.edit_termin(fr_nr, sb=kuerzel, anwalt=kuerzel)


def one_pass(firm: CalendarFirm, *kuerzel: str, dies: int | None = None) -> None:
    firm.begin_pass(kuerzel, Hindrance(fates={} if dies is None else {dies: Fate(dies="before")}))
    firm.finish()


def stands(chancery: Chancery) -> dict[str, list[str | None]]:
    return {kuerzel: [marked(event) for event in chancery.events(kuerzel).values()] for kuerzel in ("AH", "SB")}


@pytest.mark.parametrize("order", [("AH", "SB"), ("SB", "AH")])
@pytest.mark.parametrize("edited", [False, True])
def test_a_termin_that_came_with_its_event_and_is_given_back_is_deleted_by_nobody(
    firm: CalendarFirm, order: tuple[str, str], edited: bool
) -> None:
    """The event left SB's calendar by a person's hand, but nobody deleted it."""
    chancery = firm.chancery
    fr_nr, event_id = from_google(firm)
    give(chancery, fr_nr, "AH")
    chancery.move_event("SB", event_id, "AH")
    if edited:
        chancery.edit_event("AH", event_id, location="Saal 9")
    one_pass(firm, "AH")
    assert stands(chancery) == {"AH": [str(fr_nr)], "SB": []}
    give(chancery, fr_nr, "SB")
    for kuerzel in order:
        one_pass(firm, kuerzel)
    firm.come_to_rest()
    assert stands(chancery) == {"AH": [], "SB": [str(fr_nr)]}
    assert chancery.termine()[fr_nr]["ort"] == ("Saal 9" if edited else "")
    assert chancery.event_of(fr_nr)["summary"] == "Ortstermin"


def test_what_was_typed_on_both_sides_before_a_termin_came_with_its_event_is_no_conflict(firm: CalendarFirm) -> None:
    """What both agreed on comes along with the event: each side's edit goes to the other."""
    chancery = firm.chancery
    fr_nr, event_id = from_google(firm)
    chancery.edit_termin(fr_nr, sb="AH", anwalt="AH", ort="Saal 4")
    chancery.move_event("SB", event_id, "AH")
    chancery.edit_event("AH", event_id, summary="Ortstermin mit Gutachter")
    firm.come_to_rest()
    assert (chancery.termine()[fr_nr]["text"], chancery.termine()[fr_nr]["ort"]) == (
        "Ortstermin mit Gutachter",
        "Saal 4",
    )
    event = chancery.event_of(fr_nr, "AH")
    assert (event["id"], event["summary"], event["location"]) == (event_id, "Ortstermin mit Gutachter", "Saal 4")
    assert set(chancery.pairs("AH")) == {fr_nr} and not chancery.pairs("SB")


def test_a_termin_given_back_after_a_kill_follows_its_events_deletion_as_before(firm: CalendarFirm) -> None:
    """SB's pass died before it had taken the event out of SB's calendar; the appointment is Google's as ever."""
    chancery = firm.chancery
    fr_nr, event_id = from_google(firm)
    give(chancery, fr_nr, "AH")
    one_pass(firm, "SB", dies=5)
    assert stands(chancery) == {"AH": [], "SB": [str(fr_nr)]}, "killed before the deletion"
    give(chancery, fr_nr, "SB")
    firm.come_to_rest()
    chancery.drop_event("SB", event_id)
    firm.come_to_rest()
    assert (chancery.termine(), stands(chancery)) == ({}, {"AH": [], "SB": []})


def test_a_termin_given_away_and_deleted_does_not_come_back_from_the_event_that_was_to_go(firm: CalendarFirm) -> None:
    """SB's pass died before it had taken the event out of SB's calendar; by then the Termin is deleted in Advoware."""
    chancery = firm.chancery
    fr_nr, _ = from_google(firm)
    give(chancery, fr_nr, "AH")
    one_pass(firm, "AH")
    one_pass(firm, "SB", dies=5)
    assert stands(chancery) == {"AH": [str(fr_nr)], "SB": [str(fr_nr)]}, "killed before the deletion"
    chancery.drop_termin(fr_nr)
    one_pass(firm, "AH")
    firm.come_to_rest()
    assert (chancery.termine(), stands(chancery)) == ({}, {"AH": [], "SB": []})
