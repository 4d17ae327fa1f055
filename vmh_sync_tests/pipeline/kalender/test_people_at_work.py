"""How people really work in Google: they copy, split series, move events to colleagues, and work while it is locked."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from vmh_sync.kalender.audits import audit
from vmh_sync.sync.reporting.outcome import Result
from vmh_sync_tests.fixtures.chancery import ZONE, Chancery, marked, tasks

Json = dict[str, Any]


def at(chancery: Chancery, offset: int, hour: int = 14) -> Json:
    begin = datetime.combine(chancery.day(offset), datetime.min.time()).replace(hour=hour)
    return {
        "start": {"dateTime": begin.isoformat(), "timeZone": ZONE},
        "end": {"dateTime": (begin + timedelta(hours=1)).isoformat(), "timeZone": ZONE},
    }


def agree(chancery: Chancery, kuerzel: str = "SB") -> None:
    """Every Termin of the employee has exactly one event with its text, and the other way round."""
    termine = {fr_nr: row for fr_nr, row in chancery.termine().items() if row["sb"] == kuerzel}
    events = chancery.events(kuerzel)
    assert sorted(str(marked(event)) for event in events.values()) == sorted(map(str, termine))
    for fr_nr, row in termine.items():
        assert chancery.event_of(fr_nr, kuerzel).get("summary", "") == row["text"]
    assert set(chancery.pairs(kuerzel)) == set(termine)


@pytest.mark.parametrize("from_google", [False, True])
@pytest.mark.parametrize("change", ["time", "title"])
def test_a_copy_that_says_something_else_becomes_an_appointment_of_its_own(
    chancery: Chancery, from_google: bool, change: str
) -> None:
    chancery.employee()
    if from_google:
        chancery.sync()
        event_id = chancery.event(summary="Besprechung")
    else:
        chancery.termin(text="Besprechung")
    chancery.sync()
    (event_id,) = chancery.events()
    copy = chancery.copy_event("SB", event_id, **(at(chancery, 12) if change == "time" else {"summary": "Zweite"}))
    assert chancery.sync().writes["advoware"] == 1
    chancery.until_quiet()
    assert len(chancery.termine()) == 2 and set(chancery.events()) == {event_id, copy}
    agree(chancery)
    chancery.edit_event("SB", copy, summary="Nur die Kopie")
    chancery.until_quiet()
    assert sorted(row["text"] for row in chancery.termine().values()) == ["Besprechung", "Nur die Kopie"]


def test_the_second_half_of_a_split_series_becomes_a_series_of_its_own(chancery: Chancery) -> None:
    chancery.employee()
    chancery.sync()
    event_id = chancery.event(summary="Jour fixe", recurrence=["RRULE:FREQ=WEEKLY;COUNT=8"])
    chancery.sync()
    until = f"{chancery.day(9 + 27):%Y%m%d}T225959Z"
    chancery.edit_event("SB", event_id, recurrence=[f"RRULE:FREQ=WEEKLY;UNTIL={until}"])
    later = at(chancery, 9 + 28, hour=16)
    chancery.copy_event("SB", event_id, recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"], **later)
    chancery.until_quiet()
    agree(chancery)
    starts = sorted((row["uhrzeitVon"], row["dauertermin"]) for row in chancery.termine().values())
    assert starts == [("14:00:00", 1), ("16:00:00", 1)]


def test_an_equal_copy_is_a_duplicate_and_only_that_is_ever_removed(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.sync()
    event_id = chancery.event_of(fr_nr)["id"]
    equal = chancery.copy_event("SB", event_id)
    other = chancery.copy_event("SB", event_id, summary="Ganz anderes")
    found = chancery.run(lambda context: audit.duplicates(context, fix=True))
    assert [(one.event, one.mended) for one in found] == [(equal, True)]
    assert set(chancery.events()) == {event_id, other}
    chancery.until_quiet()
    agree(chancery)


@pytest.mark.parametrize("from_google", [False, True])
@pytest.mark.parametrize("order", [("AH", "SB"), ("SB", "AH"), ()])
def test_an_event_moved_to_a_colleagues_calendar_takes_its_termin_along(
    chancery: Chancery, from_google: bool, order: tuple[str, ...]
) -> None:
    for kuerzel in ("AH", "SB"):
        chancery.employee(kuerzel)
        chancery.termin(kuerzel, f"Bleibt bei {kuerzel}")
    if not from_google:
        chancery.termin("SB", "Wandert", anwalt="SB")
    chancery.sync()
    if from_google:
        chancery.event("SB", "Wandert")
        chancery.sync()
    chancery.until_quiet()
    (fr_nr,) = [number for number, row in chancery.termine().items() if row["text"] == "Wandert"]
    event_id = chancery.event_of(fr_nr, "SB")["id"]
    chancery.move_event("SB", event_id, "AH")
    chancery.edit_event("AH", event_id, location="Büro AH")
    for kuerzel in order:
        chancery.sync(kuerzel)
        assert fr_nr in chancery.termine(), "nothing is deleted before it stands elsewhere"
        assert event_id in chancery.events("AH")
    chancery.until_quiet()
    row = chancery.termine()[fr_nr]
    assert (row["sb"], row["anwalt"], row["ort"]) == ("AH", "AH", "Büro AH")
    assert chancery.event_of(fr_nr, "AH")["id"] == event_id
    assert [event["summary"] for event in chancery.events("SB").values()] == ["Bleibt bei SB"]
    assert len(chancery.termine()) == 3
    agree(chancery, "AH")
    agree(chancery, "SB")


@pytest.mark.parametrize("order", [("AH", "SB"), ("SB", "AH")])
def test_a_termin_deleted_while_its_event_is_moved_to_a_colleague_ends_as_its_source_says(
    chancery: Chancery, order: tuple[str, ...]
) -> None:
    """Born in Advoware: deleted there, deleted everywhere. Born in Google: it goes on with the colleague."""
    for kuerzel in ("AH", "SB"):
        chancery.employee(kuerzel)
        chancery.termin(kuerzel, f"Bleibt bei {kuerzel}")
    fr_nr = chancery.termin("SB", "Aus Advoware")
    chancery.sync()
    from_google = chancery.event("SB", "Aus Google")
    chancery.until_quiet()
    (other,) = [number for number, row in chancery.termine().items() if row["text"] == "Aus Google"]
    for number, event_id in ((fr_nr, chancery.event_of(fr_nr)["id"]), (other, from_google)):
        chancery.move_event("SB", event_id, "AH")
        chancery.drop_termin(number)
    for kuerzel in order:
        chancery.sync(kuerzel)
    chancery.until_quiet()
    texts = sorted((row["sb"], row["text"]) for row in chancery.termine().values())
    assert texts == [("AH", "Aus Google"), ("AH", "Bleibt bei AH"), ("SB", "Bleibt bei SB")]
    agree(chancery, "AH")
    agree(chancery, "SB")


def forget_pair(chancery: Chancery, kuerzel: str, fr_nr: int) -> None:
    """Killed between the insert in Google and the row of the pair."""
    with chancery.store.transaction() as tx:
        row = chancery.pairs(kuerzel)[fr_nr].id
        tx.calendar_pairs._connection.exec_driver_sql(f"DELETE FROM calendar_pairs WHERE id = {row}")


def test_an_event_of_ours_that_no_pair_knows_goes_with_its_termin_and_what_was_typed_into_it_is_told(
    chancery: Chancery,
) -> None:
    chancery.employee()
    chancery.termin(text="Bleibt")
    fr_nr = chancery.termin()
    chancery.sync()
    forget_pair(chancery, "SB", fr_nr)
    chancery.edit_event("SB", chancery.event_of(fr_nr)["id"], location="Neuer Saal")
    chancery.drop_termin(fr_nr)
    chancery.until_quiet()
    agree(chancery)
    assert ["Neuer Saal" in task["description"] for task in tasks(chancery)] == [True]


@pytest.mark.parametrize("order", [("SB", "AH", "SB"), ("AH", "SB", "AH")])
@pytest.mark.parametrize("from_google", [False, True])
def test_an_event_that_is_moved_before_its_pair_is_stored_goes_to_the_colleague_once(
    chancery: Chancery, from_google: bool, order: tuple[str, ...]
) -> None:
    """Born in Google, with a copy that stays behind, it is looked at again until it is known whose it is."""
    for kuerzel in ("AH", "SB"):
        chancery.employee(kuerzel)
        chancery.termin(kuerzel, f"Bleibt bei {kuerzel}")
    chancery.sync()
    if from_google:
        chancery.event("AH", "Wandert")
    else:
        chancery.termin("AH", "Wandert")
    chancery.until_quiet()
    (fr_nr,) = [number for number, row in chancery.termine().items() if row["text"] == "Wandert"]
    event_id = chancery.event_of(fr_nr, "AH")["id"]
    if from_google:
        chancery.copy_event("AH", event_id, summary="Kopie")
    chancery.move_event("AH", event_id, "SB")
    if not from_google:
        chancery.edit_event("SB", event_id, location="Saal 11")
    forget_pair(chancery, "AH", fr_nr)
    for kuerzel in order:
        chancery.sync(kuerzel)
    chancery.until_quiet()
    texts = sorted((row["sb"], row["text"]) for row in chancery.termine().values())
    copy = [("AH", "Kopie")] if from_google else []
    assert texts == [("AH", "Bleibt bei AH"), *copy, ("SB", "Bleibt bei SB"), ("SB", "Wandert")]
    agree(chancery, "AH")
    agree(chancery, "SB")


def test_a_moved_event_waits_under_write_protection_and_nothing_is_doubled(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kuerzel in ("AH", "SB"):
        chancery.employee(kuerzel)
    fr_nr = chancery.termin("SB", "Wandert")
    chancery.sync()
    chancery.until_quiet()
    event_id = chancery.event_of(fr_nr)["id"]
    monkeypatch.setenv("ADVOWARE_WRITE_PROTECTION", "true")
    chancery.move_event("SB", event_id, "AH")
    chancery.until_quiet()
    assert not chancery.events("SB") and set(chancery.events("AH")) == {event_id}
    monkeypatch.setenv("ADVOWARE_WRITE_PROTECTION", "false")
    chancery.until_quiet()
    assert chancery.termine()[fr_nr]["sb"] == "AH" and len(chancery.termine()) == 1
    agree(chancery, "AH")
    agree(chancery, "SB")


def test_a_copy_in_a_colleagues_calendar_is_the_colleagues_own_appointment(chancery: Chancery) -> None:
    for kuerzel in ("AH", "SB"):
        chancery.employee(kuerzel)
    fr_nr = chancery.termin("SB", "Besprechung")
    chancery.sync()
    chancery.copy_event("SB", chancery.event_of(fr_nr)["id"], to="AH")
    chancery.until_quiet()
    assert sorted(row["sb"] for row in chancery.termine().values()) == ["AH", "SB"]
    agree(chancery, "AH")
    agree(chancery, "SB")


def test_what_is_made_in_google_under_write_protection_waits_visibly_and_goes_at_once_when_it_is_lifted(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.sync()
    monkeypatch.setenv("ADVOWARE_WRITE_PROTECTION", "true")
    made = [chancery.event(summary=f"Neu {number}", offset=10 + number) for number in range(2)]
    made.append(chancery.copy_event("SB", chancery.event_of(fr_nr)["id"], **at(chancery, 20)))
    for how in ({}, {"dry_run": True}, {}):
        waiting = [one for one in chancery.outcomes(**how) if one.result is Result.SKIPPED]
        assert sorted(one.id for one in waiting) == sorted(f"SB/{event_id}" for event_id in made)
        assert all("wartet" in (one.error or "") for one in waiting)
    assert {one.event for one in chancery.run(audit.verify) if "write_protected" in one.kind} == set(made)
    chancery.drop_event("SB", made.pop(0))
    chancery.sync()
    left = [one.id for one in chancery.outcomes() if one.result is Result.SKIPPED]
    assert sorted(left) == sorted(f"SB/{event_id}" for event_id in made)
    monkeypatch.setenv("ADVOWARE_WRITE_PROTECTION", "false")
    assert chancery.sync().writes["advoware"] == 2, "at once, not with the next full list"
    chancery.until_quiet()
    assert len(chancery.termine()) == 3
    agree(chancery)


def test_a_copy_whose_creation_was_not_answered_is_found_again_and_not_created_twice(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr = chancery.termin(text="Besprechung")
    chancery.sync()
    copy = chancery.copy_event("SB", chancery.event_of(fr_nr)["id"], **at(chancery, 12))
    chancery.office.fault("Termine", "drop_after", method="POST", times=1)
    assert chancery.sync().failures == []
    chancery.until_quiet()
    assert len(chancery.termine()) == 2 and copy in chancery.events()
    agree(chancery)


def test_a_dry_run_before_the_first_pass_plans_what_the_first_pass_does(chancery: Chancery) -> None:
    chancery.employee()
    chancery.termin(text="Aus Advoware")
    chancery.sync()
    for fr_nr in list(chancery.termine()):
        chancery.drop_termin(fr_nr)
    chancery.until_quiet()
    with chancery.store.transaction() as tx:
        # As if this installation were new and only the calendar stood there.
        for table in ("calendar_pairs", "calendar_states", "cursors"):
            tx.calendar_pairs._connection.exec_driver_sql(f"DELETE FROM {table}")
    chancery.termin(text="Neu in Advoware")
    chancery.event(summary="Steht schon im Kalender")
    planned = [one.id for one in chancery.outcomes(dry_run=True) if one.result is Result.SYNCED]
    done = [one.id for one in chancery.outcomes() if one.result is Result.SYNCED]
    assert sorted(planned) == sorted(done) and len(done) == 2
