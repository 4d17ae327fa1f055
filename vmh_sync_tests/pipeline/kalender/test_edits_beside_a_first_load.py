"""What people edit while a calendar is filled for the first time does not wait until it is full."""

from collections.abc import Iterator
from contextvars import Context
from datetime import datetime, timedelta

import pytest

from vmh_sync.kalender.employee.employee_work import SyncOptions
from vmh_sync.kalender.employee.sync_employee import sync_employee
from vmh_sync.kalender.reading.employees import select
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync_tests.inmemory.calendars import CalendarFirm, two_employees
from vmh_sync_tests.inmemory.loop import Process
from vmh_sync_tests.inmemory.network import ARRIVES, Fate, Request

TERMINE = 150
WRITE = 1.0  # a second an event, as the quota of the firm may make it


@pytest.fixture
def two() -> Iterator[CalendarFirm]:
    yield from two_employees(employees_at_once=1)


def fill(two: CalendarFirm, kuerzel: str) -> None:
    day = f"{two.chancery.day().isoformat()}T00:00:00"
    times = {"datum": day, "datumBis": day, "uhrzeitVon": "10:30:00", "uhrzeitBis": "11:30:00", "sb": kuerzel}
    two.chancery.office.seed(termine=[times | {"text": f"Termin {number}"} for number in range(TERMINE)])


def slow(two: CalendarFirm) -> list[tuple[datetime, Request]]:
    """Let each insert take its time; returns the writes as they come, with their moments."""
    writes: list[tuple[datetime, Request]] = []

    def fate(request: Request) -> Fate:
        if request.method in ("POST", "PUT", "PATCH", "DELETE") and "oken" not in request.path:
            two.world.loop.pass_time(WRITE)
            writes.append((two.world.clock.now(), request))
        return ARRIVES

    two.world.wire.fate = fate
    return writes


def test_a_colleagues_edit_does_not_wait_behind_a_first_load_of_the_same_run(two: CalendarFirm) -> None:
    event_id = two.chancery.event("SB", "Ortstermin")
    two.come_to_rest()
    fill(two, "AH")
    two.chancery.edit_event("SB", event_id, summary="Ortstermin neu")
    writes = slow(two)
    two.begin_pass()
    two.finish()
    assert len(writes) > TERMINE
    assert (writes[0][1].system, writes[0][1].method) == ("advoware", "PUT")


@pytest.mark.parametrize("side", ["google", "advoware"])
def test_an_edit_of_the_same_employee_is_carried_within_two_minutes(two: CalendarFirm, side: str) -> None:
    event_id = two.chancery.event("SB", "Ortstermin")
    two.come_to_rest()
    (fr_nr,) = two.chancery.termine()
    fill(two, "SB")
    writes, edited = slow(two), list[datetime]()

    def carried() -> bool:
        row, event = two.chancery.termine()[fr_nr], two.chancery.events("SB")[event_id]
        return row["text"] == event["summary"] == "Ortstermin neu"

    slowly, carried_at = two.world.wire.fate, list[datetime]()

    def fate(request: Request) -> Fate:
        if len(writes) == 10 and not edited:
            edited.append(two.world.clock.now())
            if side == "google":
                two.chancery.edit_event("SB", event_id, summary="Ortstermin neu")
            else:
                two.chancery.edit_termin(fr_nr, text="Ortstermin neu")
        if edited and not carried_at and carried():
            carried_at.append(two.world.clock.now())
        return slowly(request)

    two.world.wire.fate = fate
    two.begin_pass(("SB",))
    outcomes = two.finish()
    assert carried_at and carried_at[0] - edited[0] <= timedelta(minutes=2)
    written = [one for one in outcomes if one.result is Result.SYNCED]
    assert len(written) == len({one.id for one in written}) == TERMINE + 1
    assert sum(one.google_writes + one.advoware_writes for one in outcomes) == len(writes)
    assert len(two.chancery.events("SB")) == TERMINE + 1


def test_what_fails_is_tried_once_however_often_both_sides_are_looked_at(two: CalendarFirm) -> None:
    fill(two, "SB")
    slow(two)
    slowly, inserts = two.world.wire.fate, list[Request]()

    def fate(request: Request) -> Fate:
        if request.method == "POST" and request.path.endswith("/events"):
            inserts.append(request)
            if len(inserts) == 5:
                return Fate(carried_out=False, answer=400)
        return slowly(request)

    two.world.wire.fate = fate
    two.begin_pass(("SB",))
    outcomes = two.finish()
    assert len(inserts) == TERMINE
    assert len([one for one in outcomes if one.result is Result.FAILED]) == 1


def test_what_google_rings_about_while_a_pass_is_under_way_is_read_after_it(two: CalendarFirm) -> None:
    event_id = two.chancery.event("SB", "Ortstermin")
    two.come_to_rest()
    two.chancery.edit_event("SB", event_id, summary="eins")

    async def rung(process: Process) -> list[RecordOutcome]:
        context = two.context(process)
        chosen = await select(context, ["SB"])
        work = await sync_employee(context, chosen.employees[0], SyncOptions(wait_seconds=60))
        return work.outcomes

    def fate(request: Request) -> Fate:
        if (request.system, request.method) == ("advoware", "PUT") and len(ringing) == 0:
            two.chancery.edit_event("SB", event_id, summary="zwei")
            ringing.append(Context().run(two.start, rung))
        return ARRIVES

    ringing: list[object] = []
    two.world.wire.fate = fate
    two.begin_pass(("SB",))
    two.finish()
    assert [row["text"] for row in two.chancery.termine().values()] == ["zwei"]
