"""Looking at both sides again during a long pass: it ends, and what people mend meanwhile is tried."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from vmh_sync.kalender.audits.not_representable import newly_hindered
from vmh_sync.kalender.employee.employee_work import EmployeeWork, SyncOptions
from vmh_sync.kalender.employee.phase_counts import phase_counts
from vmh_sync.kalender.employee.sync_employee import sync_employee
from vmh_sync.kalender.reading.employees import select
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync_tests.inmemory.calendars import CalendarFirm, two_employees
from vmh_sync_tests.inmemory.loop import Process
from vmh_sync_tests.inmemory.network import ARRIVES, Fate, Request

WRITE = 1.0  # a second an event, as the quota of the firm may make it
RESTLESS, NEW = 70, 20


@pytest.fixture
def two() -> Iterator[CalendarFirm]:
    yield from two_employees(employees_at_once=1)


def fill(two: CalendarFirm, number: int, text: str) -> None:
    day = f"{two.chancery.day().isoformat()}T00:00:00"
    times = {"datum": day, "datumBis": day, "uhrzeitVon": "10:30:00", "uhrzeitBis": "11:30:00", "sb": "SB"}
    two.chancery.office.seed(termine=[times | {"text": f"{text} {one}"} for one in range(number)])


def is_event_write(request: Request) -> bool:
    return request.system == "google" and request.is_write and "/events" in request.path


def test_what_is_changed_again_and_again_holds_up_nothing_else(two: CalendarFirm) -> None:
    fill(two, RESTLESS, "unruhig")
    two.come_to_rest()
    restless = {row: number for number, row in enumerate(two.chancery.termine())}
    of_event = {
        str(event["extendedProperties"]["private"]["frNr"]): event_id
        for event_id, event in two.chancery.events("SB").items()
    }
    numbers = {event_id: int(number) for number, event_id in of_event.items()}
    for number in restless:
        two.chancery.edit_termin(number, text=f"unruhig {number} neu")
    fill(two, NEW, "neu")
    writes = list[Request]()

    def fate(request: Request) -> Fate:
        if is_event_write(request):
            two.world.loop.pass_time(WRITE)
            writes.append(request)
        return ARRIVES

    def arrived(request: Request) -> None:
        number = numbers.get(request.path.rpartition("/")[2])
        if is_event_write(request) and number is not None and len(writes) < 6 * RESTLESS:
            two.chancery.edit_termin(number, text=f"unruhig {number}, {len(writes)}")

    two.world.wire.fate, two.world.wire.arrived = fate, arrived
    two.begin_pass(("SB",))
    outcomes = two.finish()
    assert len(two.chancery.events("SB")) == RESTLESS + NEW
    assert len(writes) <= 3 * RESTLESS + NEW
    assert sum(one.google_writes for one in outcomes) == len(writes)


def test_what_failed_and_somebody_mended_meanwhile_is_tried(two: CalendarFirm) -> None:
    fill(two, RESTLESS, "gut")
    begin, inserts, mended = two.world.clock.now(), list[Request](), list[int]()

    def fate(request: Request) -> Fate:
        if not (is_event_write(request) and request.method == "POST"):
            return ARRIVES
        two.world.loop.pass_time(WRITE)
        inserts.append(request)
        if len(inserts) == 1:
            return Fate(carried_out=False, answer=400)
        if not mended and two.world.clock.now() - begin > timedelta(seconds=30):
            said = {event["summary"] for event in two.chancery.events("SB").values()}
            (left,) = [number for number, row in list(two.chancery.termine().items())[:1] if row["text"] not in said]
            mended.append(left)
            two.chancery.edit_termin(left, text="mended")
        return ARRIVES

    two.world.wire.fate = fate
    two.begin_pass(("SB",))
    outcomes = two.finish()
    assert mended
    assert [one for one in outcomes if one.result is Result.FAILED] == []
    assert len(two.chancery.events("SB")) == RESTLESS


def test_what_the_first_plan_of_a_long_pass_did_is_told_at_its_end(two: CalendarFirm) -> None:
    weekly = two.chancery.event("SB", "Jour fixe", recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"])
    two.come_to_rest()
    two.chancery.edit_event("SB", weekly, recurrence=["RRULE:FREQ=WEEKLY;COUNT=4", "RDATE:20260401T120000Z"])
    fill(two, RESTLESS, "neu")
    works: list[EmployeeWork] = []

    async def one(process: Process) -> list[RecordOutcome]:
        context = two.context(process)
        chosen = await select(context, ["SB"])
        works.append(await sync_employee(context, chosen.employees[0], SyncOptions()))
        return works[0].outcomes

    def fate(request: Request) -> Fate:
        if is_event_write(request):
            two.world.loop.pass_time(WRITE)
        return ARRIVES

    two.world.wire.fate = fate
    two.start(one)
    two.finish()
    assert [one.event for one in newly_hindered(works)] == [weekly]
    numbers = phase_counts(works)
    assert (numbers["plan_insert_google"], numbers["plan_appointments"]) == (RESTLESS, RESTLESS + 1)
