"""An event that is gone from its calendar: nothing is deleted while nobody knows whether it lives at a colleague's."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from vmh_sync_tests.fixtures.chancery import ZONE, Chancery, marked, tasks
from vmh_sync_tests.inmemory.calendars import CalendarFirm, two_employees
from vmh_sync_tests.inmemory.network import ARRIVES, Fate, Request

FILE = "12/26 Huber"


@pytest.mark.parametrize("from_google", [True, False])
def test_one_that_is_unreadable_at_the_colleagues_is_not_taken_for_deleted(
    chancery: Chancery, from_google: bool
) -> None:
    for kuerzel in ("SB", "AH"):
        chancery.employee(kuerzel)
    chancery.sync()
    make = chancery.event if from_google else chancery.termin
    make("SB", "Ortstermin")
    chancery.until_quiet()
    (fr_nr,) = chancery.termine()
    event_id = chancery.event_of(fr_nr)["id"]
    chancery.edit_termin(fr_nr, azRubrum=FILE)
    chancery.until_quiet()
    chancery.move_event("SB", event_id, "AH")
    calendar = chancery.calendar("AH")
    assert calendar is not None
    theirs = calendar["id"]
    at = f"({re.escape(theirs)}|{re.escape(quote(theirs, safe=''))})/events"
    chancery.google.fault(at, "tamper", where={"id": event_id}, field="summary", body='"Feier \\ud83d"')
    (outcome,) = chancery.outcomes("SB")
    assert (outcome.id, outcome.result.value, outcome.error_class) == (f"SB/{fr_nr}", "failed", "UnreadableEventError")
    chancery.google.clear_faults()
    chancery.until_quiet()
    assert (set(chancery.events("SB")), set(chancery.events("AH"))) == (set(), {event_id})
    ((number, row),) = chancery.termine().items()
    assert (number, row["sb"], row["azRubrum"]) == (fr_nr, "AH", FILE)


def test_one_that_came_back_and_was_moved_while_another_was_deleted_keeps_its_termin(two: CalendarFirm) -> None:
    chancery = two.chancery
    ids = {f"Termin {number}": chancery.event("SB", f"Termin {number}", offset=5 + number) for number in range(2)}
    two.come_to_rest()
    numbers = {row["text"]: number for number, row in chancery.termine().items()}
    for event_id in ids.values():
        chancery.drop_event("SB", event_id)
    moved: list[str] = []

    def before(request: Request) -> Fate:
        if request.system != "google" and request.method == "DELETE" and not moved:
            moved.extend(title for title in ids if str(numbers[title]) not in str(request))
            two.world.loop.pass_time(1)
            chancery.edit_event("SB", ids[moved[0]], status="confirmed")
            chancery.move_event("SB", ids[moved[0]], "AH")
        return ARRIVES

    two.world.wire.fate = before
    two.begin_pass(("SB",))
    two.finish()
    two.world.wire.fate = lambda request: ARRIVES
    two.come_to_rest()
    assert len(moved) == 1 and set(chancery.termine()) == {numbers[moved[0]]}
    assert set(chancery.events("AH")) == {ids[moved[0]]}


@pytest.fixture
def two() -> Iterator[CalendarFirm]:
    yield from two_employees()


@pytest.mark.parametrize("passes_between", [0, 2])
@pytest.mark.parametrize(("here", "there"), [("SB", "AH"), ("AH", "SB")])
@pytest.mark.parametrize("from_google", [True, False])
def test_an_equal_copy_that_stays_when_the_first_one_is_moved_is_an_appointment_as_well(
    two: CalendarFirm, here: str, there: str, from_google: bool, passes_between: int
) -> None:
    event_id, copy = copied(two, here, from_google, passes_between)
    two.chancery.move_event(here, event_id, there)
    two.come_to_rest()
    number = {row["sb"]: str(fr_nr) for fr_nr, row in two.chancery.termine().items()}
    assert {one: marked(event) for one, event in two.chancery.events(here).items()} == {copy: number[here]}
    assert {one: marked(event) for one, event in two.chancery.events(there).items()} == {event_id: number[there]}


def copied(two: CalendarFirm, kuerzel: str, from_google: bool, passes: int, **values: Any) -> tuple[str, str]:
    """An event that is in step and the copy that a person made of it, that many passes ago."""
    make = two.chancery.event if from_google else two.chancery.termin
    make(kuerzel, "Ortstermin", **values)
    two.come_to_rest()
    (event_id,) = two.chancery.events(kuerzel)
    copy = two.chancery.copy_event(kuerzel, event_id)
    for _ in range(passes):
        two.world.loop.pass_time(900)
        two.begin_pass()
        two.finish()
    return event_id, copy


HOURS = {"start": 16, "end": 17}
WEEKLY: dict[str, Any] = {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=4"]}


@pytest.mark.parametrize("passes_between", [0, 2])
@pytest.mark.parametrize(("from_google", "values"), [(True, {}), (True, WEEKLY), (False, {})])
def test_an_equal_copy_that_stays_when_the_first_one_is_deleted_is_the_termin_from_then_on(
    two: CalendarFirm, from_google: bool, values: dict[str, Any], passes_between: int
) -> None:
    event_id, copy = copied(two, "SB", from_google, passes_between, **values)
    (fr_nr,) = two.chancery.termine()
    two.chancery.drop_event("SB", event_id)
    two.come_to_rest()
    assert set(two.chancery.termine()) == {fr_nr}
    assert {one: marked(event) for one, event in two.chancery.events("SB").items()} == {copy: str(fr_nr)}
    two.chancery.drop_event("SB", copy)
    two.come_to_rest()
    assert (set(two.chancery.termine()) == set()) is from_google


@pytest.mark.parametrize("order", [("AH", "SB"), ("SB", "AH")])
@pytest.mark.parametrize("from_google", [True, False])
def test_who_copies_an_event_to_a_colleague_and_deletes_the_first_one_has_moved_it(
    two: CalendarFirm, from_google: bool, order: tuple[str, str]
) -> None:
    """The copy carries our mark and an id of its own; the Termin keeps its number and its file."""
    make = two.chancery.event if from_google else two.chancery.termin
    make("SB", "Ortstermin")
    two.come_to_rest()
    (fr_nr,), (event_id,) = two.chancery.termine(), two.chancery.events("SB")
    two.chancery.edit_termin(fr_nr, nr="12/26", anwalt="SB")
    two.come_to_rest()
    copy = two.chancery.copy_event("SB", event_id, to="AH")
    two.chancery.drop_event("SB", event_id)
    for kuerzel in order:
        two.world.loop.pass_time(60)
        two.begin_pass((kuerzel,))
        two.finish()
    two.come_to_rest()
    assert [(one, row["sb"], row["nr"]) for one, row in two.chancery.termine().items()] == [(fr_nr, "AH", "12/26")]
    assert (set(two.chancery.events("SB")), set(two.chancery.events("AH"))) == (set(), {copy})


def test_an_equal_copy_is_the_termin_also_when_the_first_one_is_deleted_during_the_pass(two: CalendarFirm) -> None:
    event_id, copy = copied(two, "SB", True, 2)
    (fr_nr,) = two.chancery.termine()
    two.chancery.edit_termin(fr_nr, ort="Saal 7")

    def before(request: Request) -> Fate:
        if request.method == "PUT" and event_id in request.path and event_id in two.chancery.events("SB"):
            two.chancery.drop_event("SB", event_id)
        return ARRIVES

    two.world.wire.fate = before
    two.come_to_rest()
    assert {one: row["ort"] for one, row in two.chancery.termine().items()} == {fr_nr: "Saal 7"}
    assert {one: row.get("location") for one, row in two.chancery.events("SB").items()} == {copy: "Saal 7"}


def test_what_a_colleague_entered_for_the_same_time_is_not_taken_for_what_was_not_answered(two: CalendarFirm) -> None:
    """The create was lost on its way; the colleague's Termin was made of the colleague's own event."""
    two.chancery.event("SB", "Anruf bei Gericht")
    lost = Fate(carried_out=False, answer="lost")
    two.world.wire.fate = lambda one: lost if one.method == "POST" and one.path.endswith("Termine") else ARRIVES
    two.begin_pass(("SB",))
    two.finish()
    two.world.wire.fate = lambda request: ARRIVES
    two.chancery.event("AH", "Besprechung")
    two.begin_pass(("AH",))
    two.finish()
    two.come_to_rest()
    assert sorted((row["sb"], row["text"]) for row in two.chancery.termine().values()) == [
        ("AH", "Besprechung"),
        ("SB", "Anruf bei Gericht"),
    ]


@pytest.mark.parametrize("from_google", [True, False])
def test_who_edits_in_advoware_what_is_moved_in_google_is_not_told_that_it_was_deleted(
    two: CalendarFirm, from_google: bool
) -> None:
    make = two.chancery.event if from_google else two.chancery.termin
    make("SB", "Ortstermin")
    two.come_to_rest()
    (fr_nr,), (event_id,) = two.chancery.termine(), two.chancery.events("SB")
    two.chancery.edit_termin(fr_nr, ort="Saal 7")
    two.chancery.move_event("SB", event_id, "AH")
    two.come_to_rest()
    assert [(row["sb"], row["ort"]) for row in two.chancery.termine().values()] == [("AH", "Saal 7")]
    assert two.chancery.events("AH")[event_id]["location"] == "Saal 7" and tasks(two.chancery) == []
    assert {(row.status, row.error_text) for row in two.chancery.pairs("AH").values()} == {("synced", None)}


def test_a_series_that_is_moved_after_one_occurrence_of_it_was_is_known_as_one_that_advoware_cannot_hold(
    two: CalendarFirm,
) -> None:
    event_id = two.chancery.event("SB", "Jour fixe", **WEEKLY)
    two.come_to_rest()
    first = datetime.fromisoformat(two.chancery.events("SB")[event_id]["start"]["dateTime"]).astimezone(UTC)
    second = f"{event_id}_{first + timedelta(weeks=1):%Y%m%dT%H%M%SZ}"
    day = {edge: {"dateTime": f"{two.chancery.day(17)}T{hour}:00:00", "timeZone": ZONE} for edge, hour in HOURS.items()}
    two.chancery.edit_event("SB", second, **day)
    two.chancery.move_event("SB", event_id, "AH")
    two.come_to_rest()
    (pair,) = two.chancery.pairs("AH").values()
    assert (pair.event_id, pair.obstacle) == (event_id, "moved_occurrence")
