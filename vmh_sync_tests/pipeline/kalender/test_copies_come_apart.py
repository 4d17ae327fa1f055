"""An equal copy of an event is noted; when the first one changes, the copy is an appointment of its own at once."""

from collections.abc import Iterator

import pytest

from vmh_sync.kalender.reading.delta_gaps import FEW
from vmh_sync_tests.fixtures.chancery import marked
from vmh_sync_tests.inmemory.calendars import CalendarFirm, two_employees
from vmh_sync_tests.inmemory.network import ARRIVES, Fate, Request


@pytest.fixture
def two() -> Iterator[CalendarFirm]:
    yield from two_employees()


def passes(two: CalendarFirm, number: int) -> list[Request]:
    """So many passes; returns what was asked of Google."""
    asked: list[Request] = []
    two.world.wire.arrived = lambda one: asked.append(one) if one.system == "google" else None
    for _ in range(number):
        two.world.loop.pass_time(900)
        two.begin_pass(("SB",))
        two.finish()
    two.world.wire.arrived = lambda one: None
    return [one for one in asked if "oken" not in one.path]


def copied(two: CalendarFirm, *, from_google: bool) -> tuple[int, str, str]:
    make = two.chancery.event if from_google else two.chancery.termin
    make("SB", "Ortstermin")
    two.come_to_rest()
    (fr_nr,), (event_id,) = two.chancery.termine(), two.chancery.events("SB")
    copy = two.chancery.copy_event("SB", event_id)
    passes(two, 2)
    assert set(two.chancery.termine()) == {fr_nr}
    return fr_nr, event_id, copy


@pytest.mark.parametrize("side", ["google", "advoware"])
@pytest.mark.parametrize("from_google", [True, False])
def test_the_copy_is_an_appointment_of_its_own_once_the_first_one_says_something_else(
    two: CalendarFirm, from_google: bool, side: str
) -> None:
    fr_nr, event_id, copy = copied(two, from_google=from_google)
    if side == "google":
        two.chancery.edit_event("SB", event_id, summary="Verhandlung")
    else:
        two.chancery.edit_termin(fr_nr, text="Verhandlung")
    passes(two, 2)
    (other,) = set(two.chancery.termine()) - {fr_nr}
    assert {one: row["text"] for one, row in two.chancery.termine().items()} == {
        fr_nr: "Verhandlung",
        other: "Ortstermin",
    }
    assert {one: marked(event) for one, event in two.chancery.events("SB").items()} == {
        event_id: str(fr_nr),
        copy: str(other),
    }
    assert len(passes(two, 3)[1:]) == 2


def test_a_copy_at_rest_costs_nothing(two: CalendarFirm) -> None:
    fr_nr, event_id, copy = copied(two, from_google=True)
    assert len(passes(two, 3)) == 3
    two.chancery.drop_event("SB", copy)
    passes(two, 2)
    two.chancery.edit_event("SB", event_id, summary="Verhandlung")
    passes(two, 2)
    assert len(passes(two, 2)) == 2
    assert [row["text"] for row in two.chancery.termine().values()] == ["Verhandlung"]
    assert set(two.chancery.termine()) == {fr_nr}


def test_copies_of_many_that_go_at_once_stand_for_them(two: CalendarFirm) -> None:
    titles = {two.chancery.event("SB", f"Termin {number}", offset=5 + number): number for number in range(FEW + 2)}
    two.come_to_rest()
    kept = {two.chancery.copy_event("SB", event_id) for event_id, number in titles.items() if number % 2}
    before = {row["text"]: fr_nr for fr_nr, row in two.chancery.termine().items()}
    passes(two, 2)
    for event_id in titles:
        two.chancery.drop_event("SB", event_id)
    passes(two, 2)
    stay = {before[f"Termin {number}"] for number in titles.values() if number % 2}
    assert (set(two.chancery.termine()), set(two.chancery.events("SB"))) == (stay, kept)


@pytest.mark.parametrize("summary", ["Zweiter", "Ortstermin"])
@pytest.mark.parametrize("fate", [Fate(carried_out=False, answer=400), Fate(dies="before")], ids=["refused", "killed"])
def test_a_copy_that_could_not_be_marked_yet_does_not_stand_for_the_first_one(
    two: CalendarFirm, fate: Fate, summary: str
) -> None:
    event_id = two.chancery.event("SB", "Ortstermin")
    two.come_to_rest()
    (fr_nr,) = two.chancery.termine()
    copy = two.chancery.copy_event("SB", event_id, summary="Zweiter")

    def unmarked(request: Request) -> Fate:
        return fate if request.system == "google" and request.is_write and copy in request.path else ARRIVES

    def deleted_meanwhile(request: Request) -> Fate:
        if request.is_write and event_id in request.path and event_id in two.chancery.events("SB"):
            two.chancery.drop_event("SB", event_id)
        return unmarked(request)

    two.world.wire.fate = unmarked
    passes(two, 1)
    (other,) = set(two.chancery.termine()) - {fr_nr}
    assert marked(two.chancery.events("SB")[copy]) == str(fr_nr)
    two.chancery.edit_termin(fr_nr, ort="Saal 7")
    two.chancery.edit_event("SB", copy, summary=summary)
    two.world.wire.fate = deleted_meanwhile
    passes(two, 1)
    two.world.wire.fate = lambda request: ARRIVES
    two.come_to_rest()
    assert {one: row["text"] for one, row in two.chancery.termine().items()} == {other: summary}
    assert {one: marked(event) for one, event in two.chancery.events("SB").items()} == {copy: str(other)}
