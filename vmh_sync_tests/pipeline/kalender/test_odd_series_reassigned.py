"""A series that Advoware cannot hold, whose Termin is given to a colleague: it goes along as one (kalender.md 4)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vmh_sync_tests.chaos.calendars import audited_losers
from vmh_sync_tests.fixtures.chancery import Chancery, marked
from vmh_sync_tests.inmemory.calendars import CalendarFirm, two_employees
from vmh_sync_tests.inmemory.firm import SETTLED, Hindrance
from vmh_sync_tests.inmemory.network import Fate
from vmh_sync_tests.inmemory.world import ZONE

ODD = ["RRULE:FREQ=WEEKLY;BYDAY=MO,TH;COUNT=9"]
SAID = ("summary", "recurrence", "start", "end", "status", "recurringEventId", "extendedProperties")


@pytest.fixture
def firm() -> Iterator[CalendarFirm]:
    yield from two_employees()


def one_pass(firm: CalendarFirm, *kuerzel: str) -> None:
    firm.begin_pass(kuerzel)
    firm.finish()


def series(firm: CalendarFirm, *, from_google: bool = True, **more: Any) -> tuple[int, str]:
    """A series of SB's that stands on both sides: its number and its event."""
    chancery = firm.chancery
    if from_google:
        chancery.event("SB", "Jour fixe", offset=7, recurrence=["RRULE:FREQ=WEEKLY;COUNT=8"], **more)
    else:
        until = f"{chancery.day(90).isoformat()}T00:00:00"
        chancery.termin("SB", "Jour fixe", anwalt="SB", dauertermin=1, turnus=1, turnusArt=2, datumBis=until)
    firm.come_to_rest()
    (fr_nr,) = chancery.termine()
    return fr_nr, str(chancery.event_of(fr_nr)["id"])


def second(chancery: Chancery, event_id: str) -> tuple[str, datetime]:
    """The series' second occurrence: its id, and when it begins."""
    event = chancery.events()[event_id]
    begin = datetime.fromisoformat(event["start"]["dateTime"]).astimezone(ZONE) + timedelta(days=7)
    return f"{event_id}_{begin.astimezone(UTC):%Y%m%dT%H%M%SZ}", begin


def make_odd(chancery: Chancery, event_id: str, how: str) -> None:
    """A person gives the series something that Advoware has no word for."""
    occurrence, begin = second(chancery, event_id)
    if how == "weekdays":
        chancery.edit_event("SB", event_id, recurrence=ODD)
    elif how == "moved occurrence":
        start, end = (
            {"dateTime": (begin + timedelta(hours=hours)).isoformat(), "timeZone": "Europe/Berlin"} for hours in (2, 3)
        )
        chancery.edit_event("SB", occurrence, start=start, end=end)
    else:
        chancery.drop_event("SB", occurrence)


def living(chancery: Chancery) -> list[tuple[str, str, str | None]]:
    """Whose calendar shows which series, and whose mark it carries; occurrences of their own are left out."""
    return [
        (kuerzel, event_id, marked(event))
        for kuerzel in ("AH", "SB")
        for event_id, event in chancery.events(kuerzel).items()
        if "recurringEventId" not in event
    ]


@pytest.mark.parametrize("order", [(), ("SB",), ("AH",)])
@pytest.mark.parametrize("how", ["weekdays", "moved occurrence", "cancelled occurrence"])
@pytest.mark.parametrize(("from_google", "told_before"), [(True, True), (True, False), (False, False)])
def test_the_odd_series_itself_goes_to_the_colleague(
    firm: CalendarFirm, from_google: bool, how: str, told_before: bool, order: tuple[str, ...]
) -> None:
    chancery = firm.chancery
    fr_nr, event_id = series(firm, from_google=from_google)
    occurrence, _ = second(chancery, event_id)
    make_odd(chancery, event_id, how)
    if told_before:
        one_pass(firm)
    odd = chancery.calendar("SB")
    assert odd is not None
    chancery.edit_termin(fr_nr, sb="AH", anwalt="AH")
    for kuerzel in order:
        one_pass(firm, kuerzel)
    firm.come_to_rest()
    assert living(chancery) == [("AH", event_id, str(fr_nr))]
    assert set(chancery.termine()) == {fr_nr} and chancery.termine()[fr_nr]["sb"] == "AH"
    pair = chancery.pairs("AH")[fr_nr]
    assert (pair.status, pair.event_id) == ("not_representable", event_id) and not chancery.pairs("SB")
    stands = chancery.calendar("AH")
    assert stands is not None
    for part in (event_id, occurrence):
        before, now = odd["events"].get(part, {}), stands["events"].get(part, {})
        assert [before.get(name) for name in SAID] == [now.get(name) for name in SAID]
    writes = firm.world.wire.writes
    one_pass(firm)
    assert firm.world.wire.writes == writes, "a pass over what waits for a person writes nothing"


def test_killed_between_the_move_and_its_pair_it_is_found_again(firm: CalendarFirm) -> None:
    chancery = firm.chancery
    fr_nr, event_id = series(firm)
    make_odd(chancery, event_id, "weekdays")
    one_pass(firm)
    chancery.edit_termin(fr_nr, sb="AH", anwalt="AH")
    for request in range(1, 12):
        if event_id in chancery.events("AH"):
            break
        firm.begin_pass(("AH",), Hindrance(fates={request: Fate(dies="after")}))
        firm.finish()
        firm.world.loop.pass_time(SETTLED.total_seconds())
    assert event_id in chancery.events("AH") and fr_nr in chancery.pairs("SB"), "killed before the pair went along"
    one_pass(firm)
    firm.come_to_rest()
    assert living(chancery) == [("AH", event_id, str(fr_nr))]
    assert chancery.pairs("AH")[fr_nr].event_id == event_id and not chancery.pairs("SB")


def test_what_google_does_not_let_go_stays_with_whom_it_is_and_the_colleague_is_told(firm: CalendarFirm) -> None:
    chancery = firm.chancery
    fr_nr, event_id = series(firm, organizer={"email": "gericht@justiz.example"}, iCalUID="1@justiz.example")
    make_odd(chancery, event_id, "weekdays")
    one_pass(firm)
    chancery.edit_termin(fr_nr, sb="AH", anwalt="AH")
    one_pass(firm)
    firm.begin_pass(("AH",))
    outcomes = firm.finish()
    assert ["lässt sich nicht" in (one.error or "") for one in outcomes if one.id == f"AH/{fr_nr}"] == [True]
    assert living(chancery) == [("SB", event_id, str(fr_nr))]
    chancery.drop_event("SB", event_id)
    firm.come_to_rest()
    assert [(kuerzel, mark) for kuerzel, _, mark in living(chancery)] == [("AH", str(fr_nr))]


def test_one_that_becomes_odd_after_the_colleague_has_the_series_goes_and_its_rule_is_told(firm: CalendarFirm) -> None:
    chancery = firm.chancery
    fr_nr, event_id = series(firm)
    chancery.edit_termin(fr_nr, sb="AH", anwalt="AH")
    one_pass(firm, "AH")
    make_odd(chancery, event_id, "weekdays")
    firm.come_to_rest()
    assert [(kuerzel, mark) for kuerzel, _, mark in living(chancery)] == [("AH", str(fr_nr))]
    assert any("BYDAY=MO,TH" in loser for loser in audited_losers(chancery))


def test_one_whose_termin_is_gone_for_good_stays_with_its_person(firm: CalendarFirm) -> None:
    chancery = firm.chancery
    fr_nr, event_id = series(firm)
    make_odd(chancery, event_id, "weekdays")
    one_pass(firm)
    chancery.drop_termin(fr_nr)
    firm.come_to_rest()
    assert living(chancery) == [("SB", event_id, str(fr_nr))] and not chancery.termine()
