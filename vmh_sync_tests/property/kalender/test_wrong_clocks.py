"""Calendars while clocks are wrong, in the nights in which clocks are changed, and while Google forgets its tokens."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from _pytest.mark import ParameterSet

from vmh_sync.sandbox.google.errors import full_sync_required
from vmh_sync_tests.fixtures.chancery import ZONE, Json, marked
from vmh_sync_tests.inmemory.calendars import CalendarFirm, two_employees
from vmh_sync_tests.inmemory.firm import Hindrance
from vmh_sync_tests.inmemory.network import Fate, Request
from vmh_sync_tests.inmemory.world import VirtualClock

DAY, NONE = timedelta(days=1), timedelta(0)


def in_proof(*values: object) -> ParameterSet:
    """A case of the long proof only."""
    return pytest.param(*values, marks=pytest.mark.proof)


@pytest.fixture
def firm(strategy: str) -> Iterator[CalendarFirm]:
    yield from two_employees(strategy=strategy)


def said(firm: CalendarFirm) -> tuple[dict[str, str], dict[str, str]]:
    """Text and place of each number in Advoware, and of each marked event in Google."""
    chancery = firm.chancery
    office = {str(fr_nr): f"{row['text']}|{row['ort'] or ''}" for fr_nr, row in chancery.termine().items()}
    events = [one for kuerzel in ("AH", "SB") for one in chancery.events(kuerzel).values()]
    return office, {str(marked(one)): f"{one['summary']}|{one.get('location', '')}" for one in events}


def lists_of_google(request: Request) -> bool:
    return request.system == "google" and request.method == "GET" and request.path.endswith("/events")


TOKENS_FORGOTTEN = Fate(
    carried_out=False, answer=410, says=json.dumps(full_sync_required().body()).encode(), of=lists_of_google
)


@pytest.mark.parametrize("strategy", ["source_system_wins", in_proof("last_change_wins")])
@pytest.mark.parametrize(
    ("ours", "googles"),
    [(-DAY, DAY), (DAY, NONE), *(in_proof(*one) for one in ((-DAY, -DAY), (-DAY, NONE), (DAY, -DAY), (DAY, DAY)))],
)
def test_edits_of_both_sides_arrive_while_clocks_are_a_day_wrong_and_google_forgets_its_tokens(
    firm: CalendarFirm, ours: timedelta, googles: timedelta
) -> None:
    chancery, world = firm.chancery, firm.world
    fr_nr = chancery.termin("SB", "Aus Advoware", anwalt="SB")
    event_id = chancery.event("SB", "Aus Google")
    gone = chancery.event("AH", "Fällt weg")
    dropped = chancery.termin("AH", "Fällt auch weg")
    firm.come_to_rest()
    world.clock.wrong_by = ours
    world.google.config.clock = VirtualClock(world.loop, googles)  # Advoware's and EspoCRM's are right
    chancery.edit_termin(fr_nr, ort="Saal 1")
    chancery.edit_event("SB", event_id, location="Saal 2")
    chancery.drop_event("AH", gone)
    chancery.drop_termin(dropped)
    chancery.event("AH", "Neu in Google")
    chancery.termin("AH", "Neu in Advoware")
    firm.begin_pass(hindrance=Hindrance(fates=dict.fromkeys(range(2, 8), TOKENS_FORGOTTEN)))
    firm.finish()
    world.clock.wrong_by = -ours
    firm.come_to_rest()
    world.clock.wrong_by = timedelta(0)
    world.google.config.clock = VirtualClock(world.loop)
    firm.come_to_rest()
    office, google = said(firm)
    assert office == google
    texts = ["Aus Advoware|Saal 1", "Aus Google|Saal 2", "Neu in Advoware|", "Neu in Google|"]
    assert sorted(office.values()) == texts


NIGHTS = [
    ("2026-10-25", "02:30:00"),  # comes twice
    ("2026-10-25", "03:00:00"),
    ("2027-03-28", "02:30:00"),  # does not come
    ("2027-03-28", "01:30:00"),
]


@pytest.mark.parametrize("strategy", ["source_system_wins", in_proof("last_change_wins")])
@pytest.mark.parametrize("moved", [True, in_proof(False)])
def test_appointments_in_the_nights_in_which_clocks_are_changed_stay_where_people_put_them(
    firm: CalendarFirm, moved: bool
) -> None:
    """The pass runs in that very night, too, and rests: what a server spells differently is nobody's edit."""
    chancery, world = firm.chancery, firm.world
    for day, hour in NIGHTS:
        until, date = f"{hour[:2]}:55:00", f"{day}T00:00:00"
        hours: Json = {"uhrzeitVon": hour, "uhrzeitBis": until}
        chancery.termin("SB", f"Gerichtstermin {day} {hour}", datum=date, datumBis=date, **hours)
        times: Json = {
            name: {"dateTime": f"{day}T{at}", "timeZone": ZONE} for name, at in (("start", hour), ("end", until))
        }
        chancery.event("SB", f"Fest {hour} am {day}", **times)
    weekly: Json = {"dauertermin": 1, "turnus": 1, "turnusArt": 2, "datumBis": "2026-11-30T00:00:00"}
    chancery.termin("SB", "Serie", datum="2026-10-18T00:00:00", uhrzeitVon="02:30:00", uhrzeitBis="03:30:00", **weekly)
    firm.come_to_rest()
    before = {row["text"]: row["uhrzeitVon"] for row in chancery.termine().values()}
    assert len(before) == 2 * len(NIGHTS) + 1
    for day, hour in NIGHTS[:2] + NIGHTS[3:]:
        assert before[f"Gerichtstermin {day} {hour}"] == before[f"Fest {hour} am {day}"] == hour
    for night in ("2026-10-25T00:30:00+00:00", "2027-03-28T01:00:00+00:00"):
        world.loop.pass_time((datetime.fromisoformat(night) - world.clock.now()).total_seconds())
        if moved:
            texts = {row["text"]: number for number, row in chancery.termine().items()}
            fr_nr = texts["Gerichtstermin 2027-03-28 01:30:00"]
            chancery.edit_termin(fr_nr, ort=night[:10])
        firm.come_to_rest()
    after = {row["text"]: row["uhrzeitVon"] for row in chancery.termine().values()}
    assert after == before
    office, google = said(firm)
    assert office == google
