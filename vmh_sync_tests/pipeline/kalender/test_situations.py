"""Modes, conflicts, and people who come and go (specification, kalender.md 5 and 7)."""

import asyncio
from datetime import UTC, datetime

import pytest

from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.employee.employee_work import SyncOptions
from vmh_sync.kalender.employee.sync_employee import employee_lease, sync_employee
from vmh_sync.kalender.reading.employees import Employee, select
from vmh_sync.sandbox.made_up.appointments import employees, termine
from vmh_sync.sandbox.people.calendars import CalendarPeople
from vmh_sync.sync.reporting.outcome import Result
from vmh_sync_tests.fixtures.chancery import Chancery, marked


def test_both_changed_the_source_wins_and_the_loser_stands_in_the_audit_log(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.sync()
    chancery.edit_termin(fr_nr, text="Aus Advoware")
    chancery.edit_event("SB", chancery.event_of(fr_nr)["id"], summary="Aus Google")
    assert chancery.sync().conflicts == 1
    assert chancery.event_of(fr_nr)["summary"] == "Aus Advoware" == chancery.termine()[fr_nr]["text"]
    with chancery.store.reading() as tx:
        rows = tx.audit.for_record(f"SB/{fr_nr}")
    assert [row.losing_value for row in rows if row.kind == "conflict"] == ["Aus Google"]


def test_deleted_in_advoware_against_a_change_in_google_the_deletion_holds_and_is_told(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.termin(text="Bleibt")
    chancery.sync()
    chancery.edit_event("SB", chancery.event_of(fr_nr)["id"], summary="Noch geändert")
    chancery.drop_termin(fr_nr)
    chancery.sync()
    assert fr_nr not in chancery.pairs() and len(chancery.events()) == 1
    with chancery.store.reading() as tx:
        losers = [row.losing_value for row in tx.audit.for_record(f"SB/{fr_nr}") if row.kind == "conflict"]
    assert losers == ["Noch geändert"]


def test_write_protection_puts_google_back_and_writes_nothing_to_advoware(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.sync()
    monkeypatch.setenv("ADVOWARE_WRITE_PROTECTION", "true")
    chancery.office.clear_calls()
    chancery.edit_event("SB", chancery.event_of(fr_nr)["id"], summary="Geändert")
    new = chancery.event(summary="Neu in Google")
    summary = chancery.sync()
    assert not summary.failures and summary.writes == {"advoware": 0, "espocrm": 0, "google": 1}
    assert chancery.office.calls()["writes"] == 0
    assert chancery.event_of(fr_nr)["summary"] == "Verhandlung"
    assert new in chancery.events() and set(chancery.termine()) == {fr_nr}
    assert chancery.until_quiet() == 1


def test_anonymised_mode_rewrites_each_event_once_on_and_off_and_text_never_flows_back(chancery: Chancery) -> None:
    chancery.employee()
    numbers = [chancery.termin(text=f"Geheim {number}", notiz="Notiz", ort="Ort") for number in range(3)]
    chancery.sync()
    assert chancery.sync(full_content=False).writes == {"advoware": 0, "espocrm": 0, "google": 3}
    assert not any(chancery.sync(full_content=False).writes.values())
    shown = [(e.get("summary"), e.get("description"), e.get("location")) for e in chancery.events().values()]
    assert shown == [("Termin", None, None)] * 3
    chancery.edit_event("SB", chancery.event_of(numbers[0])["id"], summary="Überschrieben")
    chancery.sync(full_content=False)
    assert chancery.termine()[numbers[0]]["text"] == "Geheim 0"
    assert chancery.sync(full_content=True).writes["google"] == 3
    assert chancery.event_of(numbers[0])["summary"] == "Geheim 0"
    assert not any(chancery.sync(full_content=True).writes.values())


def test_a_termin_for_everybody_stands_in_each_calendar(chancery: Chancery) -> None:
    for kuerzel in ("AH", "SB"):
        chancery.employee(kuerzel)
    fr_nr = chancery.termin("ALLE", "Versammlung")
    chancery.sync()
    assert chancery.event_of(fr_nr, "AH")["id"] != chancery.event_of(fr_nr, "SB")["id"]
    chancery.edit_event("AH", chancery.event_of(fr_nr, "AH")["id"], summary="Versammlung verlegt")
    chancery.until_quiet()
    assert chancery.event_of(fr_nr, "SB")["summary"] == "Versammlung verlegt"


def test_a_series_with_a_moved_occurrence_is_reported_and_left_alone(chancery: Chancery) -> None:
    chancery.employee()
    until = f"{chancery.day(90).isoformat()}T00:00:00"
    fr_nr = chancery.termin(dauertermin=1, turnus=1, turnusArt=2, datumBis=until)
    chancery.sync()
    event = chancery.event_of(fr_nr)
    assert event["recurrence"][0].startswith("RRULE:FREQ=WEEKLY")
    chancery.edit_event("SB", event["id"], recurrence=["RRULE:FREQ=MONTHLY;BYDAY=1MO"])
    assert not any(chancery.sync().writes.values())
    assert chancery.pairs()[fr_nr].status == "not_representable"
    assert chancery.termine()[fr_nr]["turnusArt"] == 2


def test_a_second_run_for_the_same_kuerzel_is_turned_away(chancery: Chancery) -> None:
    chancery.employee()
    chancery.termin()

    async def while_another_runs(context: CalendarContext) -> list[Result]:
        async with employee_lease(context, "SB") as lease:
            assert lease is not None
            work = await sync_employee(context, Employee("SB"), SyncOptions())
        return [outcome.result for outcome in work.outcomes]

    assert chancery.run(while_another_runs) == [Result.SKIPPED]
    assert not chancery.events()


def test_two_runs_at_once_double_nothing(chancery: Chancery) -> None:
    chancery.employee()
    chancery.sync()
    numbers = {chancery.termin(text=f"Termin {number}") for number in range(10)}
    chancery.event(summary="Aus Google")

    async def two(context: CalendarContext) -> None:
        chosen = await select(context, ())
        await asyncio.gather(*(sync_employee(context, chosen.employees[0], SyncOptions()) for _ in range(2)))

    chancery.run(two)
    chancery.until_quiet()
    assert len(chancery.termine()) == 11 == len(chancery.events()) == len(chancery.pairs())
    assert {marked(event) for event in chancery.events().values()} >= {str(number) for number in numbers}


def test_a_run_that_was_overtaken_plans_again(chancery: Chancery) -> None:
    """What was read before another run wrote must not be carried out."""
    from vmh_sync.kalender.employee import sync_employee as stages

    chancery.employee()
    chancery.sync()
    event_id = chancery.event(summary="Aus Google")

    async def overtaken(context: CalendarContext) -> int:
        employee = Employee("SB")
        slow = stages.plan(stages.map_fields(await stages.fetch(context, employee, SyncOptions())))
        await sync_employee(context, employee, SyncOptions())
        await stages.write(context, slow, SyncOptions())
        return sum(outcome.advoware_writes + outcome.google_writes for outcome in slow.outcomes)

    assert chancery.run(overtaken) == 0
    (fr_nr,) = chancery.termine()
    assert marked(chancery.events()[event_id]) == str(fr_nr)


def test_an_employee_who_left_is_told_and_the_others_go_on(chancery: Chancery) -> None:
    for kuerzel in ("AH", "SB"):
        chancery.termin(chancery.employee(kuerzel))
    chancery.sync()
    chancery.employee("AH", aktiv=False)
    new = chancery.termin("SB", "Neu")
    selected = chancery.run(lambda context: select(context, ()))
    assert selected.gone == ("AH",) and [one.kuerzel for one in selected.employees] == ["SB"]
    chancery.sync()
    assert chancery.event_of(new) and len(chancery.events("AH")) == 1


def test_the_one_who_waited_longest_comes_first(chancery: Chancery) -> None:
    for kuerzel in ("AH", "BK", "SB"):
        chancery.employee(kuerzel)
    chancery.sync("SB")
    chancery.sync("AH")
    assert [one.kuerzel for one in chancery.run(lambda context: select(context, ())).employees] == ["BK", "SB", "AH"]


def test_the_debug_setting_limits_the_employees(chancery: Chancery, monkeypatch: pytest.MonkeyPatch) -> None:
    for kuerzel in ("AH", "SB"):
        chancery.employee(kuerzel)
    monkeypatch.setenv("CALENDAR_SYNC_DEBUG_KUERZEL", "sb, ZZ")
    assert [one.kuerzel for one in chancery.run(lambda context: select(context, ())).employees] == ["SB"]


@pytest.mark.parametrize("seed", range(2))
def test_people_edit_on_both_sides_until_it_is_quiet(chancery: Chancery, seed: int) -> None:
    import random

    today = datetime.now(UTC).date()
    chancery.office.seed(mitarbeiter=employees(), termine=termine(random.Random(seed), today))
    assert not chancery.sync().failures
    assert chancery.until_quiet() <= 2
    for round_ in range(3):
        asyncio.run(people(chancery, seed=10 * seed + round_))
        chancery.until_quiet()
    assert chancery.run(lambda context: verify(context)) == []


async def people(chancery: Chancery, seed: int) -> None:
    async with CalendarPeople(chancery.sandbox.urls, today=datetime.now(UTC).date(), seed=seed) as crowd:
        await crowd.edit_some(12)


async def verify(context: CalendarContext) -> list[object]:
    from vmh_sync.kalender.audits import audit

    found = [*await audit.duplicates(context), *await audit.orphans(context), *await audit.verify(context)]
    return [trouble.to_json() for trouble in found]


def test_two_passes_that_both_find_no_calendar_create_one(chancery: Chancery) -> None:
    chancery.employee()
    chancery.google.fault("calendars$", "latency", method="POST", seconds=0.3, times=None)

    async def two(context: CalendarContext) -> None:
        await asyncio.gather(*(sync_employee(context, Employee("SB"), SyncOptions()) for _ in range(2)))

    chancery.run(two)
    names = [one["summary"] for one in chancery.google.state()["calendars"]]
    assert names.count("AW-SB") == 1
