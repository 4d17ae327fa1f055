"""The situations of the specification (kalender.md 7) that need no servers: edits and deletions."""

from dataclasses import replace

import pytest

from vmh_sync.kalender.decision.operations import FindingKind
from vmh_sync.kalender.decision.reads import GoogleRead
from vmh_sync.kalender.model import Source, Strategy
from vmh_sync_tests.property.kalender.simulated_sides import Sides
from vmh_sync_tests.unit.kalender.situations import BOTH_READS, PROTECTED, from_google, kinds, linked, names, run


@BOTH_READS
def test_changed_only_in_advoware_goes_to_google(read: GoogleRead) -> None:
    sides = linked(read=read)
    sides.put_termin(1, text="Verhandlung verlegt", uhrzeit_von="11:00:00")
    assert run(sides) == ["UpdateGoogle"]
    assert sides.event_of(1)["summary"] == "Verhandlung verlegt"
    assert run(sides) == []
    assert sides.findings == []


@BOTH_READS
def test_changed_only_in_google_goes_to_advoware(read: GoogleRead) -> None:
    sides = linked(read=read, privat=1, erinnerung=1, nr="12")
    sides.put_event(sides.pairs[1].event_id, location="Saal 5")
    assert run(sides) == ["UpdateAdvoware"]
    assert sides.termine[1].ort == "Saal 5"
    assert (sides.termine[1].privat, sides.termine[1].erinnerung, sides.termine[1].nr) == (1, 1, "12")
    assert run(sides) == []


@BOTH_READS
def test_write_protection_puts_google_back_and_says_what_was_lost(read: GoogleRead) -> None:
    sides = linked(PROTECTED, read=read)
    sides.put_event(sides.pairs[1].event_id, summary="Geändert")
    assert run(sides) == ["UpdateGoogle"]
    assert sides.event_of(1)["summary"] == "Verhandlung"
    assert sides.termine[1].text == "Verhandlung"
    (finding,) = sides.findings
    assert finding.kind is FindingKind.WRITE_PROTECTED
    assert [(change.name, change.old, change.new) for change in finding.changes] == [
        ("text", "Geändert", "Verhandlung")
    ]
    assert run(sides) == []


def test_one_pair_may_be_locked() -> None:
    sides = linked()
    sides.pairs[1] = replace(sides.pairs[1], write_allowed=False)
    sides.put_event(sides.pairs[1].event_id, summary="Geändert")
    assert run(sides) == ["UpdateGoogle"]
    assert sides.termine[1].text == "Verhandlung"


def test_write_protection_leaves_new_events_alone() -> None:
    sides = Sides(PROTECTED)
    sides.put_event("g1", summary="Neu")
    assert run(sides) == []
    assert kinds(sides) == [FindingKind.WRITE_PROTECTED]
    assert sides.termine == {}
    assert sides.events["g1"]["summary"] == "Neu"


def test_change_on_both_sides_source_wins() -> None:
    sides = linked()
    sides.put_event(sides.pairs[1].event_id, summary="Aus Google")
    sides.put_termin(1, text="Aus Advoware", ort="Saal 9")
    assert run(sides) == ["UpdateGoogle"]
    assert (sides.termine[1].text, sides.event_of(1)["location"]) == ("Aus Advoware", "Saal 9")
    (finding,) = sides.findings
    assert finding.kind is FindingKind.CONFLICT
    assert [(change.name, change.old) for change in finding.changes] == [("text", "Aus Google")]
    assert run(sides) == []


def test_different_fields_changed_on_both_sides_are_no_conflict() -> None:
    sides = linked()
    sides.put_event(sides.pairs[1].event_id, summary="Aus Google")
    sides.put_termin(1, ort="Saal 9")
    assert run(sides) == ["UpdateAdvoware", "UpdateGoogle"]
    assert (sides.termine[1].text, sides.termine[1].ort) == ("Aus Google", "Saal 9")
    assert (sides.event_of(1)["summary"], sides.event_of(1)["location"]) == ("Aus Google", "Saal 9")
    assert sides.findings == []
    assert run(sides) == []


def test_change_on_both_sides_source_google_wins() -> None:
    sides, fr_nr = from_google()
    sides.put_event("g1", summary="Aus Google")
    sides.put_termin(fr_nr, text="Aus Advoware")
    assert run(sides) == ["UpdateAdvoware"]
    assert sides.termine[fr_nr].text == "Aus Google"
    (finding,) = sides.findings
    assert [(change.name, change.old) for change in finding.changes] == [("text", "Aus Advoware")]
    assert run(sides) == []


@pytest.mark.parametrize("google_last", [True, False])
def test_change_on_both_sides_last_change_wins(google_last: bool) -> None:
    sides = linked()
    sides.pairs[1] = replace(sides.pairs[1], strategy=Strategy.LAST_CHANGE_WINS)
    edits = [
        lambda: sides.put_event(sides.pairs[1].event_id, summary="Aus Google"),
        lambda: sides.put_termin(1, text="Aus Advoware"),
    ]
    for edit in reversed(edits) if google_last else edits:
        edit()
    assert run(sides) == (["UpdateAdvoware"] if google_last else ["UpdateGoogle"])
    assert sides.termine[1].text == sides.event_of(1)["summary"] == ("Aus Google" if google_last else "Aus Advoware")
    assert kinds(sides) == [FindingKind.CONFLICT]


def test_last_change_without_a_time_falls_back_to_the_source() -> None:
    sides = linked()
    sides.pairs[1] = replace(sides.pairs[1], strategy=Strategy.LAST_CHANGE_WINS)
    sides.put_termin(1, text="Aus Advoware")
    sides.termine[1] = replace(sides.termine[1], zuletzt_geaendert_am=None)
    sides.put_event(sides.pairs[1].event_id, summary="Aus Google")
    run(sides)
    assert sides.event_of(1)["summary"] == "Aus Advoware"


def test_the_same_change_on_both_sides_only_moves_the_base() -> None:
    sides = linked()
    sides.put_event(sides.pairs[1].event_id, summary="Gleich")
    sides.put_termin(1, text="Gleich")
    assert run(sides) == ["SaveBase"]
    assert run(sides) == []
    assert sides.findings == []


@BOTH_READS
def test_deleted_in_advoware_deletes_in_google(read: GoogleRead) -> None:
    sides = linked(read=read)
    del sides.termine[1]
    assert run(sides) == ["DeleteGoogle"]
    assert sides.living_events() == {}
    assert run(sides) == []


@BOTH_READS
def test_deleted_in_google_comes_back_under_a_new_id(read: GoogleRead) -> None:
    sides = linked(read=read)
    old = sides.pairs[1].event_id
    sides.drop_event(old)
    assert run(sides) == ["InsertGoogle"]
    assert sides.pairs[1].event_id != old
    assert sides.pairs[1].generation == 1
    assert 1 in sides.termine
    assert run(sides) == []


def test_deleted_in_google_where_it_came_from() -> None:
    sides, fr_nr = from_google()
    sides.drop_event("g1")
    assert run(sides) == ["DeleteAdvoware"]
    assert fr_nr not in sides.termine


def test_deleted_in_google_where_it_came_from_but_protected() -> None:
    sides, fr_nr = from_google()
    sides.rules = replace(sides.rules, write_protection=True)
    sides.drop_event("g1")
    assert run(sides) == ["InsertGoogle"]
    assert fr_nr in sides.termine
    assert sides.pairs[fr_nr].source is Source.GOOGLE


def test_deleted_in_advoware_but_google_is_the_source() -> None:
    sides, fr_nr = from_google()
    del sides.termine[fr_nr]
    assert run(sides) == ["CreateAdvoware"]
    assert len(sides.termine) == len(sides.living_events()) == len(sides.pairs) == 1
    assert run(sides) == []


def test_deleted_in_advoware_google_is_the_source_and_protected_stays_as_it_is() -> None:
    sides, fr_nr = from_google()
    sides.rules = replace(sides.rules, write_protection=True)
    del sides.termine[fr_nr]
    assert run(sides) == []
    assert list(sides.living_events()) == ["g1"]
    assert kinds(sides) == [FindingKind.MISSING_IN_ADVOWARE]


@BOTH_READS
def test_deleted_on_both_sides(read: GoogleRead) -> None:
    sides = linked(read=read)
    del sides.termine[1]
    sides.drop_event(sides.pairs[1].event_id)
    assert run(sides) == ["ClosePair"]
    assert sides.pairs == {}


def test_a_number_that_comes_back_gets_a_new_generation() -> None:
    sides = linked()
    termin = sides.termine.pop(1)
    run(sides)
    sides.termine[1] = termin
    assert run(sides) == ["InsertGoogle"]
    assert sides.pairs[1].generation == 1


def test_delete_against_change_source_wins_and_the_edit_is_reported() -> None:
    sides = linked()
    del sides.termine[1]
    sides.put_event(sides.pairs[1].event_id, summary="Noch geändert")
    assert run(sides) == ["DeleteGoogle"]
    (finding,) = sides.findings
    assert finding.kind is FindingKind.DELETED_AGAINST_CHANGE
    assert [(change.name, change.old) for change in finding.changes] == [("text", "Noch geändert")]


def test_delete_against_change_last_change_wins_keeps_the_edit() -> None:
    sides = linked()
    sides.pairs[1] = replace(sides.pairs[1], strategy=Strategy.LAST_CHANGE_WINS)
    del sides.termine[1]
    sides.put_event(sides.pairs[1].event_id, summary="Noch geändert")
    assert run(sides) == ["CreateAdvoware"]
    assert [termin.text for termin in sides.termine.values()] == ["Noch geändert"]
    assert run(sides) == []


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [(Strategy.SOURCE_SYSTEM_WINS, "DeleteAdvoware"), (Strategy.LAST_CHANGE_WINS, "InsertGoogle")],
)
def test_change_in_advoware_against_delete_in_google(strategy: Strategy, expected: str) -> None:
    sides, fr_nr = from_google(strategy)
    sides.put_termin(fr_nr, text="Noch geändert")
    sides.drop_event("g1")
    assert run(sides) == [expected]
    assert len(sides.findings) == 1


def test_missing_outside_the_window_is_no_deletion() -> None:
    sides = linked()
    base = sides.pairs[1].base
    assert base is not None
    start, end = base.google.start, base.google.end
    long_ago = replace(base.google, start=start.replace(year=2020), end=end.replace(year=2020))
    sides.pairs[1] = replace(sides.pairs[1], base=replace(base, advoware=long_ago))
    termin = sides.termine.pop(1)
    assert sides.plan().operations == ()
    sides.termine[1] = termin
    sides.pairs[1] = replace(sides.pairs[1], base=replace(base, google=long_ago))
    del sides.events[sides.pairs[1].event_id]
    assert sides.plan().operations == ()
    sides.pairs[1] = replace(sides.pairs[1], base=base)
    assert names(sides.plan().operations) == ["InsertGoogle"], "inside the window it is one"


def test_missing_in_an_incomplete_read_is_no_deletion() -> None:
    sides = linked(read=GoogleRead.PARTIAL)
    sides.events.clear()
    assert run(sides) == []
    sides = linked()
    plan = sides.plan()
    assert plan.operations == ()


def test_leave_is_read_only() -> None:
    sides = Sides()
    sides.put_termin(-5, text="Urlaub", datum="2026-07-06", datum_bis="2026-07-10", abwesenheit=1)
    assert run(sides) == ["InsertGoogle"]
    assert sides.event_of(-5)["end"] == {"date": "2026-07-11"}
    sides.put_event(sides.pairs[-5].event_id, summary="Kein Urlaub")
    assert run(sides) == ["UpdateGoogle"]
    assert sides.termine[-5].text == "Urlaub"
    assert kinds(sides) == [FindingKind.READ_ONLY]
    sides.drop_event(sides.pairs[-5].event_id)
    assert run(sides) == ["InsertGoogle"]
    del sides.termine[-5]
    assert run(sides) == ["DeleteGoogle"]


@BOTH_READS
def test_privacy_that_a_person_sets_in_google_stays_until_advoware_changes_it(read: GoogleRead) -> None:
    sides = linked(read=read)
    sides.put_event(sides.pairs[1].event_id, visibility="private")
    assert run(sides) == ["SaveBase"]
    assert (sides.termine[1].privat, kinds(sides)) == (0, [])
    assert run(sides) == []
    sides.put_termin(1, text="Anderer Titel", privat=0)
    assert run(sides) == ["UpdateGoogle"]
    assert (sides.event_of(1)["summary"], sides.event_of(1)["visibility"]) == ("Anderer Titel", "private")
    sides.put_event(sides.pairs[1].event_id, visibility="default")
    assert run(sides) == ["SaveBase"]
    sides.put_termin(1, privat=1)
    assert run(sides) == ["UpdateGoogle"]
    assert sides.event_of(1)["visibility"] == "private"
    assert run(sides) == []


def test_what_advoware_marks_private_is_not_shown_to_others_by_an_edit_in_google() -> None:
    sides = linked(privat=1)
    sides.put_event(sides.pairs[1].event_id, visibility="default")
    assert run(sides) == ["UpdateGoogle"]
    assert (sides.event_of(1)["visibility"], kinds(sides)) == ("private", [FindingKind.ONE_WAY])


def test_the_visibility_of_an_event_made_in_google_is_its_makers() -> None:
    sides, fr_nr = from_google(visibility="private")
    event_id = sides.pairs[fr_nr].event_id
    sides.put_event(event_id, visibility="default")
    assert run(sides) == ["SaveBase"]
    assert sides.events[event_id].get("visibility") != "private" and not kinds(sides)
    sides.put_event(event_id, visibility="private")
    assert run(sides) == ["SaveBase"]
    assert run(sides) == []


def test_alle_stands_in_two_calendars_and_an_edit_reaches_the_other() -> None:
    one = Sides(kuerzel="SB")
    two = Sides(kuerzel="XY", termine=one.termine)
    one.put_termin(1, text="Betriebsausflug", anwalt="ALLE")
    assert run(one) == run(two) == ["InsertGoogle"]
    assert one.pairs[1].event_id != two.pairs[1].event_id
    one.put_event(one.pairs[1].event_id, summary="Ausflug")
    assert run(one) == ["UpdateAdvoware"]
    assert run(two) == ["UpdateGoogle"]
    assert two.event_of(1)["summary"] == "Ausflug"
    one.drop_event(one.pairs[1].event_id)
    assert run(one) == ["InsertGoogle"], "one person's deletion does not take it from everybody"
    assert run(one) == run(two) == []


def test_everybodys_appointment_made_in_google_is_not_deleted_for_all() -> None:
    sides, fr_nr = from_google()
    sides.put_termin(fr_nr, anwalt="ALLE", sb="")
    run(sides)
    sides.drop_event("g1")
    assert run(sides) == ["InsertGoogle"]
    assert fr_nr in sides.termine


def test_a_colleagues_private_entry_shows_no_content() -> None:
    sides = Sides()
    sides.put_termin(1, text="Arzt", notiz="geheim", ort="Praxis", anwalt="XY", privat=1)
    assert run(sides) == ["InsertGoogle"]
    event = sides.event_of(1)
    assert event["summary"] == "Termin"
    assert "description" not in event
    assert "location" not in event
