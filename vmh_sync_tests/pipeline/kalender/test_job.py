"""The Dagster job and the command line, over real HTTP."""

import json
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest
from typer.testing import CliRunner

from vmh_sync.cli import app
from vmh_sync.kalender import batch
from vmh_sync.kalender.calendars import Calendars
from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.employee.sync_employee import employee_lease
from vmh_sync.kalender.jobs.triggers import kalender_alle_15_minuten, kalender_mitarbeiter
from vmh_sync.kalender.pipeline import EMPLOYEES, KALENDER
from vmh_sync.kalender.run_config import EMPLOYEE_PARTITIONS
from vmh_sync.orchestration.run_tags import SIGN_TAG, TRIGGER_TAG, Trigger
from vmh_sync.orchestration.triggers import tick_time
from vmh_sync.orchestration.triggers.tick_time import TickOver
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync_tests.fixtures.chancery import Chancery
from vmh_sync_tests.fixtures.jobs import job


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as made:
        yield made


def test_one_run_takes_several_employees_and_shows_each_ones_history(
    chancery: Chancery, instance: dg.DagsterInstance
) -> None:
    for kuerzel in ("SB", "AH"):
        chancery.termin(chancery.employee(kuerzel))
    result = job("sync_kalender").execute_in_process(instance=instance)
    assert result.success
    assert instance.get_materialized_partitions(EMPLOYEES) == {"SB", "AH"}
    # Dagster shows the checks of an asset as not evaluated from its next materialization on.
    assert instance.get_latest_materialization_event(KALENDER) is None
    assert len(instance.fetch_observations(KALENDER, limit=5).records) == 1
    outputs = [
        event.step_output_data.metadata
        for event in result.all_events
        if event.event_type_value == "STEP_OUTPUT" and event.step_key == "write_calendars"
    ]
    assert outputs[0]["geschrieben nach Google"].value == 2 and outputs[0]["gelesen in Advoware"].value == 2
    table = outputs[0]["Ergebnisse"]
    assert isinstance(table, dg.TableMetadataValue)
    assert "betnr" not in [column.name for column in table.schema.columns], "an appointment has none"
    run = instance.get_run_by_id(result.run_id)
    assert run is not None and run.tags[SIGN_TAG] == run.run_id, "what looks after runs expects a sign of life of it"


def test_a_run_with_a_partition_key_takes_that_employee(chancery: Chancery, instance: dg.DagsterInstance) -> None:
    for kuerzel in ("SB", "AH"):
        chancery.termin(chancery.employee(kuerzel))
    instance.add_dynamic_partitions(EMPLOYEE_PARTITIONS, ["SB", "AH"])
    assert job("sync_kalender").execute_in_process(instance=instance, partition_key="AH").success
    assert len(chancery.events("AH")) == 1 and chancery.calendar("SB") is None


def test_the_sensor_keeps_partitions_equal_to_the_active_employees(
    chancery: Chancery, instance: dg.DagsterInstance
) -> None:
    chancery.employee("SB")
    chancery.employee("XX", aktiv=False)
    instance.add_dynamic_partitions(EMPLOYEE_PARTITIONS, ["XX"])
    result = kalender_mitarbeiter(dg.build_sensor_context(instance=instance))
    assert isinstance(result, dg.SensorResult)
    changes = {type(one).__name__: one.partition_keys for one in result.dynamic_partitions_requests or ()}
    assert changes == {"AddDynamicPartitionsRequest": ["SB"], "DeleteDynamicPartitionsRequest": ["XX"]}


def test_the_sensor_ends_beside_an_advoware_that_stays_silent(
    chancery: Chancery, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tick_time, "SECONDS", 0.2)
    chancery.office.fault("Mitarbeiter", "hang", seconds=20)
    result = kalender_mitarbeiter(dg.build_sensor_context(instance=instance))
    assert isinstance(result, dg.SkipReason) and TickOver.people in str(result.skip_message)


def test_the_schedule_asks_for_everybody_or_for_groups_with_the_oldest_first(
    chancery: Chancery, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kuerzel in ("AH", "BK", "SB"):
        chancery.employee(kuerzel)
    chancery.sync("AH")
    instance.add_dynamic_partitions(EMPLOYEE_PARTITIONS, ["AH", "BK", "SB"])
    tick = dg.build_schedule_context(instance=instance)
    planned: Any = kalender_alle_15_minuten(tick)
    (one,) = planned
    assert one.run_config["ops"]["fetch_calendars"]["config"]["kuerzel"] == []
    monkeypatch.setenv("CALENDAR_SYNC_EMPLOYEES_PER_RUN", "2")
    planned = kalender_alle_15_minuten(tick)
    groups = [one.run_config["ops"]["fetch_calendars"]["config"]["kuerzel"] for one in planned]
    assert groups == [["BK", "SB"], ["AH"]]


def test_a_tick_waits_for_no_run_that_has_begun_and_adds_none_to_those_that_have_not(
    chancery: Chancery, instance: dg.DagsterInstance
) -> None:
    chancery.employee("SB")
    instance.add_dynamic_partitions(EMPLOYEE_PARTITIONS, ["SB"])
    tick = dg.build_schedule_context(instance=instance)
    sweep = {TRIGGER_TAG: str(Trigger.SWEEP)}
    instance.add_run(dg.DagsterRun("sync_kalender", status=dg.DagsterRunStatus.STARTED, tags=sweep))
    assert isinstance(kalender_alle_15_minuten(tick), list), "a long first load of one holds up nobody else"
    instance.add_run(dg.DagsterRun("sync_kalender", status=dg.DagsterRunStatus.NOT_STARTED, tags=sweep))
    assert isinstance(kalender_alle_15_minuten(tick), dg.SkipReason)


def test_a_busy_employee_is_skipped_and_the_others_are_synced(chancery: Chancery) -> None:
    for kuerzel in ("AH", "SB"):
        chancery.termin(chancery.employee(kuerzel))

    async def while_busy(context: CalendarContext) -> list[RecordOutcome]:
        async with employee_lease(context, "AH"):
            made = batch.diff(batch.map_fields(await batch.fetch(context, Calendars())))
            assert context.calls.by_system()["google"] < 6, "who is busy is not even read"
            return (await batch.write(context, made)).outcomes

    outcomes = chancery.run(while_busy)
    skipped = [(one.id, one.error) for one in outcomes if one.result is Result.SKIPPED]
    assert skipped == [("AH", "Kalender AH: Für dieses Kürzel läuft bereits ein Abgleich.")]
    assert chancery.events("SB") and not chancery.events("AH")


def test_the_command_line_syncs_and_tells_in_one_json_object(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr = chancery.termin()
    dry = CliRunner().invoke(app, ["sync", "kalender", "--all", "--dry-run", "--json"])
    assert dry.exit_code == 0, dry.output
    plan = json.loads(dry.stdout.splitlines()[-1])["plan"]
    assert [(row["what"], row["frNr"]) for row in plan] == [("insert_google", fr_nr)]
    assert chancery.calendar() is None, "a dry run creates nothing"
    done = CliRunner().invoke(app, ["sync", "kalender", "--kuerzel", "SB", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout.splitlines()[-1])
    assert told == {
        "records": 1,
        "synced": 1,
        "unchanged": 0,
        "skipped": 0,
        "failed": 0,
        "writes": {"advoware": 0, "espocrm": 0, "google": 1},
        "conflicts": 0,
        "different": 0,
        "failures": [],
        "lost": [],
        "waiting": [],
        "tasks": {"written": 0, "waiting": 0},
        "deadlines": {},
    }


def test_the_command_line_says_who_has_left_and_ends_with_3(chancery: Chancery) -> None:
    chancery.employee("XX", aktiv=False)
    done = CliRunner().invoke(app, ["sync", "kalender", "--kuerzel", "XX", "--json"])
    assert done.exit_code == 3, done.output
    assert "nicht (mehr) aktiv" in json.loads(done.stdout.splitlines()[-1])["failures"][0]["error"]


def test_a_broken_key_file_fails_the_pass_with_a_clear_message(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    chancery.employee()
    monkeypatch.setenv("GOOGLE_CALENDAR_SERVICE_ACCOUNT_JSON", "{broken")
    done = CliRunner().invoke(app, ["sync", "kalender", "--all", "--json"])
    assert done.exit_code == 1
    assert "GOOGLE_CALENDAR_SERVICE_ACCOUNT_JSON" in json.loads(done.stdout.splitlines()[-1])["error"]


def test_a_conflict_is_named_in_the_run_and_on_the_command_line(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.sync()
    event_id = chancery.event_of(fr_nr)["id"]
    chancery.edit_termin(fr_nr, text="Aus Advoware")
    chancery.edit_event("SB", event_id, summary="Aus Google")
    told = CliRunner().invoke(app, ["sync", "kalender", "--all"])
    assert told.exit_code == 0, told.output
    assert f"SB, frNr {fr_nr}, Ereignis {event_id}: Auf beiden Seiten geändert" in told.output
    assert f"audit show SB/{fr_nr}" in told.output and "Aus Google" not in told.output
    assert "(Felder: Titel)" in told.output, "fields are named as people name them"


def test_into_a_pipe_a_dry_run_tells_each_appointment_in_one_whole_line(chancery: Chancery) -> None:
    chancery.employee()
    numbers = {chancery.termin(text=f"Ein Termin mit einem langen Namen, Nummer {one}", offset=one) for one in (1, 2)}
    shown = CliRunner().invoke(app, ["sync", "kalender", "--all", "--dry-run", "--show-values"]).stdout
    assert "Plan (es wurde nichts geschrieben):" in shown
    rows = [line for line in shown.splitlines() if line.startswith("  SB, ")]
    assert {row.split(", ")[1] for row in rows} == {f"frNr: {number}" for number in numbers}
    assert all("Was: in Google anlegen, Grund: Neu in Advoware" in row for row in rows)
