"""Appointments that Advoware cannot hold: told once, listed while they stand, and taken up again by themselves."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from typer.testing import CliRunner

from vmh_sync.cli import app
from vmh_sync.commands.audits.audit_kalender import kalender_app
from vmh_sync.definitions import build_defs
from vmh_sync.kalender.audits import audit
from vmh_sync.kalender.reading import delta_gaps
from vmh_sync_tests.fixtures.chancery import ZONE, Chancery
from vmh_sync_tests.fixtures.jobs import job
from vmh_sync_tests.pipeline.kalender.test_failing import refuse

TOO_MUCH = ["RRULE:FREQ=MONTHLY;BYDAY=1MO"]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as made:
        yield made


def series(chancery: Chancery, **more: Any) -> tuple[int, str]:
    """A weekly series from Advoware, and its event."""
    until = f"{chancery.day(90).isoformat()}T00:00:00"
    fr_nr = chancery.termin(dauertermin=1, turnus=1, turnusArt=2, datumBis=until, **more)
    chancery.sync()
    return fr_nr, str(chancery.event_of(fr_nr)["id"])


def occurrence(event_id: str, day: date, hour: int = 10, minute: int = 30) -> str:
    """The id of the occurrence that begins at this local time, as Google makes it."""
    begin = datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(ZONE))
    return f"{event_id}_{begin.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def at(day: date, hour: int, minute: int = 30) -> dict[str, str]:
    return {"dateTime": f"{day.isoformat()}T{hour:02d}:{minute:02d}:00", "timeZone": ZONE}


def move(chancery: Chancery, event_id: str, day: date, to: date) -> str:
    """A person drags one occurrence of the series to another day."""
    one = occurrence(event_id, day)
    chancery.edit_event("SB", one, start=at(to, 10), end=at(to, 11))
    return one


def run(instance: dg.DagsterInstance) -> dict[str, Any]:
    """One run of the job; the metadata of its write step."""
    result = job("sync_kalender").execute_in_process(instance=instance)
    (written,) = (
        event.step_output_data.metadata
        for event in result.all_events
        if event.event_type_value == "STEP_OUTPUT" and event.step_key == "write_calendars"
    )
    return dict(written)


def event_calls(chancery: Chancery) -> Counter[str]:
    """Calls per route since the counts were cleared, without logins."""
    return Counter({route: n for route, n in chancery.google.calls()["by_route"].items() if "token" not in route})


def test_a_run_names_it_once_and_checks_and_audit_list_it_while_it_stands(
    chancery: Chancery, instance: dg.DagsterInstance
) -> None:
    chancery.employee()
    fr_nr, event_id = series(chancery)
    chancery.edit_event("SB", event_id, recurrence=TOO_MUCH)
    first = run(instance)
    (row,) = first["nicht darstellbar"].records
    assert (row.data["Kürzel"], row.data["frNr"], row.data["Ereignis"]) == ("SB", fr_nr, event_id)
    assert "nicht darstellbar" in row.data["Warum"] and "Google" in row.data["Was tun"]
    second = run(instance)
    assert "nicht darstellbar" not in second, "not every 15 minutes"
    assert second["Plan: nicht darstellbar"].value == 1, "the number of those that stand is"
    found = [(one.kind, one.fr_nr) for one in chancery.run(audit.verify)]
    assert ("finding:not_representable", fr_nr) in found
    answer = CliRunner().invoke(kalender_app, ["verify", "--json"])
    assert answer.exit_code == 3 and "In Advoware nicht darstellbar" in answer.stdout


def test_the_asset_check_lists_it(chancery: Chancery, instance: dg.DagsterInstance) -> None:
    chancery.employee()
    fr_nr, event_id = series(chancery)
    assert check(instance, "representable").passed
    chancery.edit_event("SB", event_id, recurrence=TOO_MUCH)
    chancery.sync()
    chancery.google.clear_calls()
    found = check(instance, "representable")
    assert not event_calls(chancery), "it looks at our own table only"
    assert not found.passed and found.severity is dg.AssetCheckSeverity.WARN
    troubles: Any = found.metadata["die ersten"].value
    (trouble,) = troubles
    assert (trouble["kuerzel"], trouble["frNr"]) == ("SB", fr_nr)


def check(instance: dg.DagsterInstance, name: str) -> dg.AssetCheckEvaluation:
    key = dg.AssetCheckKey(dg.AssetKey("kalender"), name)
    job = dg.define_asset_job("checks", dg.AssetSelection.checks(key))
    defs = dg.Definitions.merge(build_defs(), dg.Definitions(jobs=[job]))
    (evaluation,) = defs.resolve_job_def("checks").execute_in_process(instance=instance).get_asset_check_evaluations()
    return evaluation


def test_an_event_without_a_pair_is_named_when_it_appears_and_by_the_audit(
    chancery: Chancery, instance: dg.DagsterInstance
) -> None:
    chancery.employee()
    chancery.sync()
    event_id = chancery.event(recurrence=TOO_MUCH)
    (row,) = run(instance)["nicht darstellbar"].records
    assert (row.data["frNr"], row.data["Ereignis"]) == (0, event_id)
    assert "nicht darstellbar" not in run(instance)
    assert not chancery.termine()
    assert [one.event for one in chancery.run(audit.verify)] == [event_id], "the audit reads everything"


def test_the_command_line_names_it_in_words_and_says_who_has_left(chancery: Chancery) -> None:
    chancery.employee()
    chancery.employee("XX")
    fr_nr, event_id = series(chancery)
    chancery.employee("XX", aktiv=False)
    chancery.edit_event("SB", event_id, recurrence=TOO_MUCH)
    done = CliRunner().invoke(app, ["sync", "kalender", "--all"])
    assert done.exit_code == 0
    text = " ".join(done.stdout.split())
    assert f"SB, {fr_nr}: In Advoware nicht darstellbar: Die Serie läuft an mehreren" in text
    assert "auf keiner Seite etwas geändert" in text
    assert "Kalender XX: Das Kürzel ist in Advoware nicht (mehr) aktiv" in text


def test_a_moved_occurrence_is_noticed_in_the_delta_and_so_is_its_return(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr, event_id = series(chancery)
    chancery.sync()
    due = chancery.day(14)
    one = move(chancery, event_id, due, due + timedelta(days=1))
    assert not any(chancery.sync().writes.values())
    assert chancery.pairs()[fr_nr].obstacle == "moved_occurrence"
    chancery.google.clear_calls()
    chancery.sync()
    assert sum(event_calls(chancery).values()) == 1, "while nothing changes it costs no more than any other"
    chancery.edit_termin(fr_nr, ort="Wartet")
    assert not any(chancery.sync().writes.values()), "and nothing is written"
    chancery.edit_event("SB", one, start=at(due, 10), end=at(due, 11, 30))
    chancery.sync()
    assert chancery.pairs()[fr_nr].status == "synced" and chancery.pairs()[fr_nr].obstacle is None
    assert chancery.events()[event_id]["location"] == "Wartet", "what had waited is made up for"
    assert chancery.until_quiet() == 1


def test_when_single_reads_would_be_too_many_everything_is_read(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delta_gaps, "MOST_READS", 0)
    chancery.employee()
    fr_nr, event_id = series(chancery)
    due = chancery.day(14)
    one = move(chancery, event_id, due, due + timedelta(days=1))
    chancery.sync()
    chancery.edit_event("SB", one, start=at(due, 10), end=at(due, 11, 30))
    chancery.google.clear_calls()
    chancery.sync()
    assert chancery.pairs()[fr_nr].status == "synced"
    assert sum(event_calls(chancery).values()) == 2, "the delta, and one full list"


def test_two_moved_occurrences_and_only_one_moved_back_leave_it_alone(chancery: Chancery) -> None:
    """The delta names only the one that was moved back: the other one must not be forgotten."""
    chancery.employee()
    fr_nr, event_id = series(chancery)
    days = [chancery.day(14), chancery.day(21)]
    ones = [move(chancery, event_id, day, day + timedelta(days=1)) for day in days]
    chancery.sync()
    chancery.edit_event("SB", ones[0], start=at(days[0], 10), end=at(days[0], 11))
    chancery.edit_termin(fr_nr, ort="Wartet")
    chancery.sync()
    assert chancery.pairs()[fr_nr].obstacle == "moved_occurrence"
    chancery.edit_event("SB", event_id, summary="Titel der Serie")
    chancery.sync()
    assert chancery.pairs()[fr_nr].obstacle == "moved_occurrence", "nor when the series itself changes"
    assert "location" not in chancery.events()[event_id]
    chancery.edit_event("SB", ones[1], start=at(days[1], 10), end=at(days[1], 11), summary="Titel der Serie")
    chancery.edit_event("SB", ones[0], summary="Titel der Serie")
    chancery.until_quiet()
    assert chancery.pairs()[fr_nr].status == "synced"
    assert chancery.events()[event_id]["location"] == "Wartet"


def test_a_series_deleted_while_its_occurrences_are_asked_for_stops_nobody(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr, event_id = series(chancery)
    due = chancery.day(14)
    one = move(chancery, event_id, due, due + timedelta(days=1))
    chancery.sync()
    chancery.edit_event("SB", one, start=at(due, 10), end=at(due, 11, 30))
    new = chancery.termin(text="Anderer")
    chancery.google.fault("/instances", "status", method="GET", times=1, status=404, body='{"error": {"errors": []}}')
    assert not chancery.sync().failures
    assert chancery.event_of(new) and chancery.pairs()[fr_nr].status == "not_representable"


def test_a_cancelled_occurrence_is_noticed_in_the_delta_and_so_is_its_return(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr, event_id = series(chancery)
    chancery.sync()
    one = occurrence(event_id, chancery.day(14))
    chancery.drop_event("SB", one)
    chancery.sync()
    assert chancery.pairs()[fr_nr].obstacle == "moved_occurrence"
    assert fr_nr in chancery.termine(), "one occurrence gone is not the series gone"
    chancery.edit_event("SB", one, status="confirmed")
    chancery.sync()
    assert chancery.pairs()[fr_nr].status == "synced"
    assert chancery.until_quiet() == 1


def test_a_series_typed_in_google_is_taken_over_once_its_exception_is_gone(chancery: Chancery) -> None:
    """It has no pair yet, and the delta names only the occurrence that was moved back."""
    chancery.employee()
    chancery.sync()
    begin = chancery.day(9)
    event_id = chancery.event(recurrence=["RRULE:FREQ=DAILY;COUNT=5"])
    one = occurrence(event_id, begin + timedelta(days=1), 14, 0)
    chancery.edit_event("SB", one, start=at(begin, 8, 0), end=at(begin, 9, 0))
    chancery.sync()
    assert not chancery.termine()
    day = begin + timedelta(days=1)
    chancery.edit_event("SB", one, start=at(day, 14, 0), end=at(day, 15, 0))
    chancery.sync()
    (termin,) = chancery.termine().values()
    assert termin["dauertermin"] == 1
    assert chancery.until_quiet() == 1


def test_a_hindered_one_that_could_not_be_deleted_and_came_back_is_hindered_as_before(chancery: Chancery) -> None:
    """It counted as failed for good, with the refusal of a deletion that nobody wants any more."""
    chancery.employee()
    chancery.employee("AB")
    fr_nr, event_id = series(chancery, anwalt="AB")
    chancery.edit_event("SB", event_id, recurrence=TOO_MUCH)
    chancery.until_quiet()
    assert chancery.pairs()[fr_nr].status == "not_representable"
    refuse(chancery, "google", "DELETE")
    chancery.edit_termin(fr_nr, sb="AB")
    assert len(chancery.sync("SB").failures) == 1
    chancery.edit_termin(fr_nr, sb="SB")
    chancery.google.clear_faults()
    chancery.until_quiet()
    pair = chancery.pairs()[fr_nr]
    assert (pair.status, pair.error_text) == ("not_representable", None)
    assert chancery.events()[event_id]["recurrence"] == TOO_MUCH
