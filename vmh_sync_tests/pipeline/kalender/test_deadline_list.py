"""The daily word on deadlines, and what each of the firm's rules catches."""

import asyncio
import json
from typing import Any

import dagster as dg
import pytest
from typer.testing import CliRunner

from vmh_sync.clock import SystemClock
from vmh_sync.commands.audits.audit_kalender import kalender_app
from vmh_sync.commands.passes.sync_kalender import run_calendars
from vmh_sync.doctor.calendar import check_deadlines
from vmh_sync.kalender.audits.deadline_list import DeadlineReport, deadline_reports
from vmh_sync.kalender.calendars import Calendars
from vmh_sync.kalender.jobs.deadline_job import fristen_liste, fristen_liste_morgens
from vmh_sync.kalender.resources import CALENDAR_RESOURCES
from vmh_sync.settings import AdvowareSettings, CalendarSyncSettings, SettingsError, load
from vmh_sync_tests.fixtures.chancery import Chancery, Json, tasks

RULES = '[{"name": "Gericht", "text": ["Verhandlung"]}, {"name": "Notfristen", "text": "notfrist", "ganztags": true}]'


@pytest.fixture(autouse=True)
def rules(chancery: Chancery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALENDAR_SYNC_DEADLINE_RULES", RULES)
    chancery.employee("SB")


def reports(chancery: Chancery, **how: Any) -> list[DeadlineReport]:
    return list(chancery.run(lambda context: deadline_reports(context, **how)))


def open_tasks(chancery: Chancery) -> list[Json]:
    return [task for task in tasks(chancery) if task["status"] != "Completed"]


def test_both_calendars_agree_or_the_differences_are_named_and_only_the_newest_list_is_open(chancery: Chancery) -> None:
    first, second = chancery.termin(), chancery.termin(text="Verhandlung zwei", offset=9)
    chancery.termin(text="Mittagessen")
    chancery.termin(text="Verhandlung, vorbei", offset=-3)
    chancery.sync()
    (report,) = reports(chancery, send=True)
    assert (report.deadlines, report.differences) == (2, ())
    (task,) = open_tasks(chancery)
    assert "beide Kalender stimmen überein" in task["name"]
    chancery.edit_event("SB", chancery.event_of(first)["id"], location="Kantine")
    chancery.drop_event("SB", chancery.event_of(second)["id"])
    (report,) = reports(chancery, send=True)
    assert len(report.differences) == 2
    (task,) = open_tasks(chancery)
    assert "2 Abweichungen" in task["name"] and "Kantine" in task["description"]
    assert f"frNr {second}" in task["description"], "the list before is closed"
    reports(chancery, send=True)
    assert len(tasks(chancery)) == 2, "the same list is written once"


def test_the_command_names_titles_and_ends_with_3_where_the_calendars_differ(chancery: Chancery) -> None:
    fr_nr = chancery.termin()
    chancery.sync()
    assert CliRunner().invoke(kalender_app, ["deadlines"]).exit_code == 0
    chancery.edit_termin(fr_nr, uhrzeitVon="08:00:00")
    told = CliRunner().invoke(kalender_app, ["deadlines", "--json"])
    assert told.exit_code == 3
    (row,) = json.loads(told.stdout.splitlines()[-1])["deadlines"]
    assert row["kuerzel"] == "SB" and not row["agree"] and "Verhandlung" in row["differences"][0]
    assert row["rules"] == {"Gericht": 1, "Notfristen": 0}


def test_the_job_tells_everybody_and_its_schedule_waits_for_rules(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    chancery.employee("AH")
    chancery.termin()
    chancery.sync()
    assert fristen_liste.execute_in_process(resources=CALENDAR_RESOURCES).success
    assert len(open_tasks(chancery)) == 2
    assert isinstance(fristen_liste_morgens(dg.build_schedule_context()), dg.RunRequest)
    monkeypatch.setenv("CALENDAR_SYNC_DEADLINE_RULES", "")
    assert isinstance(fristen_liste_morgens(dg.build_schedule_context()), dg.SkipReason)


def test_dry_run_and_doctor_say_what_each_rule_catches(chancery: Chancery) -> None:
    chancery.employee("AH")
    chancery.termin("ALLE", "Verhandlung für alle")
    chancery.termin()
    assert run_calendars(Calendars(dry_run=True), as_json=True).deadlines == {"Gericht": 2, "Notfristen": 0}
    lines = asyncio.run(check_deadlines(load(AdvowareSettings), SystemClock()))
    assert [(line.level, line.text) for line in lines] == [
        ("ok", "Regel „Gericht“ trifft 2 Termine."),
        ("hint", "Regel „Notfristen“ trifft keinen Termin."),
    ]


@pytest.mark.parametrize(
    "bad", ["{", '[{"name": "Alles"}]', '[{"name": "x", "text": " "}]', '[{"name": "x", "titel": "y"}]', '["x"]']
)
def test_a_rule_that_would_catch_everything_or_says_nothing_known_is_refused(
    monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    monkeypatch.setenv("CALENDAR_SYNC_DEADLINE_RULES", bad)
    with pytest.raises(SettingsError):
        load(CalendarSyncSettings)
