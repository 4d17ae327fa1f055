"""The situations of the specification (kalender.md 7) that need no servers: anonymising, series, crashes, guards."""

from dataclasses import replace

import pytest

from vmh_sync.kalender.decision.operations import CreateAdvoware, FindingKind
from vmh_sync.kalender.decision.reads import GoogleRead, PendingCreate
from vmh_sync.kalender.model import Source
from vmh_sync_tests.property.kalender.simulated_sides import Sides
from vmh_sync_tests.unit.kalender.situations import BOTH_READS, from_google, kinds, linked, run


@BOTH_READS
def test_anonymised_mode_rewrites_once_each_way(read: GoogleRead) -> None:
    sides = linked(read=read, notiz="Robe", ort="Saal 3", vorbereitungs_dauer="00:30:00")
    sides.full_content = False
    assert run(sides) == ["UpdateGoogle"]
    assert sides.event_of(1)["summary"] == "Termin"
    assert "description" not in sides.event_of(1)
    assert run(sides) == []
    sides.full_content = True
    assert run(sides) == ["UpdateGoogle"]
    assert sides.event_of(1)["summary"] == "Verhandlung"
    assert sides.event_of(1)["description"] == "Robe\n\nVorbereitung: 0:30 Std."
    assert run(sides) == []
    assert sides.findings == []


def test_text_never_flows_back_from_an_anonymised_event_but_times_do() -> None:
    sides = linked(notiz="Robe")
    sides.full_content = False
    run(sides)
    event_id = sides.pairs[1].event_id
    start = {"dateTime": "2026-06-02T08:00:00+02:00", "timeZone": "Europe/Berlin"}
    end = {"dateTime": "2026-06-02T09:00:00+02:00", "timeZone": "Europe/Berlin"}
    sides.put_event(event_id, summary="Getippt", description="Getippt", start=start, end=end)
    assert run(sides) == ["UpdateAdvoware", "UpdateGoogle"]
    termin = sides.termine[1]
    assert (termin.text, termin.notiz, termin.datum, termin.uhrzeit_von) == (
        "Verhandlung",
        "Robe",
        "2026-06-02",
        "08:00:00",
    )
    assert sides.event_of(1)["summary"] == "Termin"
    assert kinds(sides) == [FindingKind.ONE_WAY]
    assert run(sides) == []


def test_notes_changed_in_anonymised_mode_write_nothing() -> None:
    sides = linked()
    sides.full_content = False
    run(sides)
    sides.put_termin(1, notiz="neu")
    assert run(sides) == ["SaveBase"]
    assert run(sides) == []


def test_an_edit_made_just_before_anonymising_is_kept() -> None:
    sides = linked()
    sides.put_event(sides.pairs[1].event_id, summary="Noch geändert")
    sides.full_content = False
    assert run(sides) == ["UpdateAdvoware", "UpdateGoogle"]
    assert sides.termine[1].text == "Noch geändert"
    assert sides.event_of(1)["summary"] == "Termin"
    assert run(sides) == []


def test_changed_travel_time_rewrites_google() -> None:
    sides = linked(notiz="Robe", fahrzeit="00:30:00")
    sides.put_termin(1, fahrzeit="01:00:00")
    assert run(sides) == ["UpdateGoogle"]
    assert sides.event_of(1)["description"] == "Robe\n\nFahrzeit: 1:00 Std."
    sides.put_event(sides.pairs[1].event_id, description="Robe<br>Hut<br><br>Fahrzeit: 1:00 Std.")
    assert run(sides) == ["UpdateAdvoware"]
    assert sides.termine[1].notiz == "Robe\r\nHut"


@BOTH_READS
def test_a_series_that_advoware_cannot_hold_is_left_alone_on_both_sides(read: GoogleRead) -> None:
    sides = linked(read=read)
    before = sides.termine[1]
    sides.put_event(sides.pairs[1].event_id, recurrence=["RRULE:FREQ=WEEKLY;BYDAY=MO,WE"])
    assert run(sides) == ["MarkNotRepresentable"]
    assert sides.pairs[1].obstacle == "weekdays"
    assert sides.termine[1] == before
    assert run(sides) == []
    sides.put_termin(1, text="Wartet")
    assert run(sides) == []
    assert [change.name for change in sides.findings[-1].changes] == ["text"]
    sides.put_event(sides.pairs[1].event_id, recurrence=["RRULE:FREQ=WEEKLY;BYDAY=MO"])
    assert run(sides) == ["UpdateAdvoware", "UpdateGoogle"], "each side's change goes to the other"
    assert sides.pairs[1].obstacle is None


@BOTH_READS
def test_series_with_a_moved_occurrence(read: GoogleRead) -> None:
    sides = linked(read=read, dauertermin=1, turnus=1, turnus_art=2, datum_bis="2026-09-28")
    master = sides.pairs[1].event_id
    moved = {
        "recurringEventId": master,
        "originalStartTime": {"dateTime": "2026-06-08T10:30:00+02:00"},
        "start": {"dateTime": "2026-06-09T10:30:00+02:00"},
        "end": {"dateTime": "2026-06-09T11:30:00+02:00"},
        "summary": "Verhandlung",
    }
    sides.put_event(f"{master}_1", **moved)
    assert run(sides) == ["MarkNotRepresentable"]
    assert sides.pairs[1].obstacle == "moved_occurrence"
    sides.put_event(master, summary="Titel der Serie")
    assert run(sides) == [], "in a delta the series comes without its exceptions"
    sides.put_event(master, summary="Verhandlung")
    sides.put_event(
        f"{master}_1", start={"dateTime": "2026-06-08T10:30:00+02:00"}, end={"dateTime": "2026-06-08T11:30:00+02:00"}
    )
    sides.read = GoogleRead.FULL
    assert run(sides) == ["SaveBase"], "moved back: all is well again"
    assert run(sides) == []


def test_new_event_that_advoware_cannot_hold_is_reported() -> None:
    sides = Sides()
    sides.put_event("g1", recurrence=["RRULE:FREQ=HOURLY"])
    assert run(sides) == []
    assert kinds(sides) == [FindingKind.NOT_REPRESENTABLE]


def test_new_event_becomes_a_termin_and_is_marked() -> None:
    sides, fr_nr = from_google(description="eins<br>zwei", recurrence=["RRULE:FREQ=DAILY;COUNT=3"])
    termin = sides.termine[fr_nr]
    assert (termin.text, termin.notiz, termin.sb) == ("Mittagessen", "eins\r\nzwei", "SB")
    assert (termin.dauertermin, termin.turnus, termin.turnus_art, termin.datum_bis) == (1, 1, 1, "2026-06-03")


def test_new_event_outside_the_window_is_left_alone() -> None:
    sides = Sides()
    sides.put_event("g1", start={"date": "2020-01-01"}, end={"date": "2020-01-02"})
    assert run(sides) == []
    assert sides.findings == []


def test_crash_between_insert_and_pair_row_relinks() -> None:
    sides = linked()
    del sides.pairs[1]
    assert run(sides) == ["LinkPair", "SaveBase"]
    assert len(sides.living_events()) == 1
    assert run(sides) == []


def test_pairs_are_rebuilt_from_marks_and_the_hash_tells_who_moved() -> None:
    sides = linked()
    sides.pairs.clear()
    sides.put_event(next(iter(sides.events)), summary="Aus Google")
    assert run(sides) == ["LinkPair", "UpdateAdvoware"]
    assert sides.termine[1].text == "Aus Google"
    sides.pairs.clear()
    sides.put_event(next(iter(sides.events)), location="x")
    sides.put_termin(1, text="Aus Advoware")
    assert run(sides)[0] == "LinkPair"
    assert sides.event_of(1)["summary"] == sides.termine[1].text
    assert kinds(sides) == [FindingKind.CONFLICT]
    assert run(sides) == []


def test_rebuilt_pair_changed_in_advoware_only() -> None:
    sides = linked()
    sides.pairs.clear()
    sides.put_termin(1, text="Aus Advoware")
    assert run(sides) == ["LinkPair", "UpdateGoogle"]
    assert sides.event_of(1)["summary"] == "Aus Advoware"
    assert sides.findings == []


def test_rebuilt_pair_keeps_its_source() -> None:
    sides, fr_nr = from_google()
    sides.pairs.clear()
    assert run(sides) == ["LinkPair", "SaveBase"]
    assert sides.pairs[fr_nr].source is Source.GOOGLE


@pytest.mark.parametrize("arrived", [True, False])
def test_crash_during_creation_makes_no_second_termin(arrived: bool) -> None:
    sides = Sides()
    sides.put_event("g1", summary="Mittagessen")
    (create,) = sides.plan().operations
    if arrived:
        sides.post(create)
        assert run(sides) == ["LinkPair", "UpdateGoogle"]
    else:
        assert isinstance(create, CreateAdvoware)
        sides.intents["g1"] = PendingCreate("g1", create.form)
        assert run(sides) == ["CreateAdvoware"]
    assert len(sides.termine) == len(sides.living_events()) == 1
    assert run(sides) == []


def test_edit_after_a_crashed_creation_is_not_lost() -> None:
    sides = Sides()
    sides.put_event("g1", summary="Mittagessen")
    (create,) = sides.plan().operations
    sides.post(create)
    sides.put_event("g1", summary="Abendessen")
    assert run(sides) == ["LinkPair", "UpdateAdvoware", "UpdateGoogle"]
    assert [termin.text for termin in sides.termine.values()] == ["Abendessen"]
    assert sides.events["g1"]["summary"] == "Abendessen"
    assert run(sides) == []


def test_a_termin_that_was_edited_before_its_crashed_creation_is_looked_for_is_found_all_the_same() -> None:
    sides = Sides()
    sides.put_event("g1", summary="Mittagessen", description="Tisch bestellen")
    (create,) = sides.plan().operations
    sides.post(create)
    (fr_nr,) = sides.termine
    sides.put_termin(fr_nr, ort="Saal 8")
    sides.put_event("g1", summary="Abendessen")
    assert run(sides) == ["LinkPair", "UpdateAdvoware", "UpdateGoogle"]
    assert [(termin.text, termin.ort) for termin in sides.termine.values()] == [("Abendessen", "Saal 8")]
    assert (sides.events["g1"]["summary"], sides.events["g1"]["location"]) == ("Abendessen", "Saal 8")
    assert run(sides) == []


def test_crash_while_creating_again_makes_no_second_termin() -> None:
    sides, fr_nr = from_google()
    del sides.termine[fr_nr]
    (create,) = sides.plan().operations
    sides.post(create)
    sides.settle()
    assert len(sides.termine) == len(sides.living_events()) == len(sides.pairs) == 1


def test_servers_that_shorten_texts_are_not_taken_for_people() -> None:
    sides = Sides(advoware_limit=50, google_limit=30)
    sides.put_termin(1, text="x" * 1000, notiz="y" * 1000)
    assert run(sides) == ["InsertGoogle"]
    assert run(sides) == []
    sides.put_event(sides.pairs[1].event_id, location="Saal 3")
    assert run(sides) == ["UpdateAdvoware"]
    assert sides.termine[1].text == "x" * 50, "the shortened text does not come back"
    assert run(sides) == []


def test_an_unreadable_appointment_hinders_no_other_and_is_not_missing() -> None:
    sides = linked()
    sides.termine[1] = replace(sides.termine[1], datum="kaputt")
    sides.put_termin(2)
    assert run(sides) == ["InsertGoogle"]
    assert kinds(sides) == [FindingKind.UNREADABLE]
    sides.events[sides.pairs[2].event_id]["start"] = {"dateTime": "kaputt"}
    assert run(sides) == []


@pytest.mark.parametrize(("known", "stopped"), [(5, False), (6, True)])
def test_empty_advoware_list_stops_the_employee(known: int, stopped: bool) -> None:
    sides = Sides()
    for number in range(1, known + 1):
        sides.put_termin(number)
    run(sides)
    sides.termine.clear()
    plan = sides.run()
    assert (plan.stopped is not None) is stopped
    assert len(sides.living_events()) == (known if stopped else 0)
    if stopped:
        assert plan.stopped is not None
        assert "SB" in plan.stopped


def test_an_emptied_calendar_takes_nothing_away_in_advoware() -> None:
    sides = Sides()
    for number in range(6):
        sides.put_event(f"g{number}", summary=f"Termin {number}")
    run(sides)
    sides.events.clear()
    assert run(sides) == ["InsertGoogle"] * 6
    assert len(sides.termine) == 6


@pytest.mark.parametrize(("deleted", "kept", "stopped"), [(51, 200, True), (50, 10, False), (51, 300, False)])
def test_mass_change_guard(deleted: int, kept: int, stopped: bool) -> None:
    sides = Sides()
    for number in range(1, deleted + kept + 1):
        sides.put_termin(number, text="t")
    run(sides)
    for number in range(1, deleted + 1):
        del sides.termine[number]
    plan = sides.run()
    assert (plan.stopped is not None) is stopped
    assert len(sides.living_events()) == kept + (deleted if stopped else 0)


def test_mass_change_guard_counts_emptied_texts_but_not_anonymising() -> None:
    sides = Sides()
    for number in range(1, 61):
        sides.put_termin(number, text="t", notiz="n")
    run(sides)
    sides.full_content = False
    assert sides.run().stopped is None
    sides.full_content = True
    run(sides)
    for number in range(1, 61):
        sides.put_termin(number, notiz="")
    assert sides.run().stopped is not None


def test_dry_run_shows_values_only_when_asked() -> None:
    sides = linked()
    sides.put_termin(1, text="Geheim")
    plan = sides.plan()
    (row,) = plan.rows()
    assert (row["what"], row["frNr"], row["fields"]) == ("update_google", 1, ["text"])
    assert "Geheim" not in repr(plan)
    assert "Geheim" not in str(plan.rows())
    (row,) = plan.rows(show_values=True)
    assert row["values"] == {"text": ["Verhandlung", "Geheim"]}
    sides.put_termin(1, dauertermin=1, turnus=2, turnus_art=1, datum_bis="2027-06-30")
    (row,) = sides.plan().rows(show_values=True)
    series = {"frequency": "DAILY", "interval": 2, "until": "2027-06-30"}
    assert row["values"]["recurrence"] == [None, series]  # type: ignore[index]
    assert plan.counts() == {"update_google": 1, "writes_google": 1, "unchanged": 0, "appointments": 1}


def test_an_unchanged_calendar_plans_nothing() -> None:
    sides = linked(read=GoogleRead.DELTA)
    plan = sides.plan()
    assert plan.executable == ()
    assert plan.counts() == {"unchanged": 1, "appointments": 1}


def test_deleted_in_advoware_with_an_anonymised_event_comes_back_with_its_content() -> None:
    sides, fr_nr = from_google(description="Details")
    sides.full_content = False
    run(sides)
    assert sides.events["g1"]["summary"] == "Termin"
    del sides.termine[fr_nr]
    assert run(sides) == ["CreateAdvoware"]
    (termin,) = sides.termine.values()
    assert (termin.text, termin.notiz) == ("Mittagessen", "Details")


def test_a_deletion_of_long_ago_is_left_alone() -> None:
    sides = linked(read=GoogleRead.DELTA)
    base = sides.pairs[1].base
    assert base is not None
    start, end = base.google.start.replace(year=2020), base.google.end.replace(year=2020)
    long_ago = replace(base.google, start=start, end=end)
    sides.pairs[1] = replace(sides.pairs[1], base=replace(base, advoware=long_ago, google=long_ago))
    sides.termine[1] = replace(sides.termine[1], datum="2020-06-01", datum_bis="2020-06-01")
    sides.drop_event(sides.pairs[1].event_id)
    assert sides.plan().operations == ()


def test_start_and_end_go_together() -> None:
    """A server that rewrites one of two times must not leave a mixture of both sides' times."""
    sides = linked()
    pair = sides.pairs[1]
    base = pair.base
    assert base is not None
    rewritten = replace(base.google, start=base.google.start.replace(minute=35))
    sides.pairs[1] = replace(pair, base=replace(base, google=rewritten))
    zone = {"timeZone": "Europe/Berlin"}
    sides.put_event(
        pair.event_id,
        start={"dateTime": "2026-06-01T10:35:00+02:00", **zone},
        end={"dateTime": "2026-06-01T12:00:00+02:00", **zone},
    )
    assert run(sides) == ["UpdateAdvoware"]
    assert (sides.termine[1].uhrzeit_von, sides.termine[1].uhrzeit_bis) == ("10:35:00", "12:00:00")
