"""What a person does in Google to a Termin that the firm calls a deadline is undone and told within one pass."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vmh_sync_tests.fixtures.chancery import ZONE, Chancery, Json, marked, tasks

RULES = json.dumps(
    [
        {"name": "Gerichtstermine", "text": ["Verhandlung", "Gütetermin"], "ort": "gericht"},
        {"name": "Fristen", "text": "frist", "ganztags": True},
        {"name": "Akte Muster", "akte": "4711/26"},
    ]
)
VOLATILE = ("etag", "updated", "sequence")


@pytest.fixture(autouse=True)
def rules(chancery: Chancery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALENDAR_SYNC_DEADLINE_RULES", RULES)
    chancery.employee("SB")


def court_date(chancery: Chancery, text: str = "Verhandlung", **more: Any) -> int:
    return chancery.termin("SB", text, ort="Amtsgericht, Saal 1", **more)


def content(event: Json) -> Json:
    return {name: value for name, value in event.items() if name not in VOLATILE}


def at(chancery: Chancery, hour: int, offset: int = 7) -> Json:
    begin = datetime.combine(chancery.day(offset), datetime.min.time()).replace(hour=hour)
    return {"dateTime": begin.isoformat(), "timeZone": ZONE}


def mutations(chancery: Chancery) -> dict[str, Json]:
    """Every field of an event that a person can change or take away."""
    each: dict[str, Json] = {
        "summary": {"summary": "Nicht mehr wichtig"},
        "summary gone": {"summary": ""},
        "description": {"description": "<b>Verlegt!</b>"},
        "location": {"location": "Kantine"},
        "location gone": {"location": ""},
        "start": {"start": at(chancery, 9)},
        "end": {"end": at(chancery, 18)},
        "moved to another day": {"start": at(chancery, 10, 12), "end": at(chancery, 11, 12)},
        "whole day": {
            "start": {"date": chancery.day(7).isoformat(), "dateTime": None, "timeZone": None},
            "end": {"date": chancery.day(8).isoformat(), "dateTime": None, "timeZone": None},
        },
        "recurrence": {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=3"]},
        "recurrence that Advoware cannot hold": {"recurrence": ["RRULE:FREQ=WEEKLY;BYDAY=MO,TU;COUNT=9"]},
        "status": {"status": "tentative"},
        "transparency": {"transparency": "transparent"},
        "visibility": {"visibility": "public"},
        "colorId": {"colorId": "5"},
        "reminders": {"reminders": {"useDefault": False, "overrides": [{"method": "popup", "minutes": 5}]}},
        "our mark": {"extendedProperties": {"private": {"frNr": "4242"}}},
        "source": {"source": {"url": "https://mandant.example", "title": "Anfrage"}},
        "guests": {"attendees": [{"email": "gast@mandant.example"}], "guestsCanInviteOthers": False},
        "guests may change it": {"guestsCanModify": True},
        "attachments": {"attachments": [{"fileUrl": "https://drive.example/1", "title": "Akte"}]},
        "conference": {"conferenceData": {"conferenceId": "abc-defg", "notes": "PIN 1"}},
    }
    return each | {"everything": {key: value for values in each.values() for key, value in values.items()}}


def forget_token(chancery: Chancery) -> None:
    """The next pass reads the calendar as a whole."""
    with chancery.store.transaction() as tx:
        tx.calendar_states.upsert(replace(chancery.state(), sync_token=None))


def test_every_field_of_a_deadline_that_is_changed_in_google_is_put_back_and_told_in_one_pass(
    chancery: Chancery,
) -> None:
    wanted = mutations(chancery)
    numbers = {name: court_date(chancery, f"Verhandlung {place}") for place, name in enumerate(wanted)}
    chancery.sync()
    before = {name: chancery.event_of(fr_nr) for name, fr_nr in numbers.items()}
    termine = chancery.termine()
    for name, values in wanted.items():
        chancery.edit_event("SB", before[name]["id"], **values)
    changed = chancery.events()
    same = [name for name, event in before.items() if content(changed[event["id"]]) == content(event)]
    assert same == [], "the test mutates"
    assert not chancery.sync().failures
    after = chancery.events()
    wrong = [name for name, event in before.items() if content(after[event["id"]]) != content(event)]
    assert wrong == []
    assert chancery.termine() == termine, "nothing of it went to Advoware"
    told = " ".join(task["description"] for task in tasks(chancery))
    assert [name for name, fr_nr in numbers.items() if f"(frNr {fr_nr}," not in told] == []
    assert len(tasks(chancery)) == len(wanted)
    assert chancery.until_quiet() == 1


def test_a_deleted_deadline_is_entered_again_and_told_in_one_pass(chancery: Chancery) -> None:
    """Whether the deletion is named by a delta, or only missing from a full list."""
    fr_nr = court_date(chancery)
    chancery.sync()
    before = chancery.event_of(fr_nr)
    for full_read in (False, True):
        chancery.drop_event("SB", chancery.event_of(fr_nr)["id"])
        if full_read:
            forget_token(chancery)
        assert not chancery.sync().failures
        after = chancery.event_of(fr_nr)
        assert {name: after[name] for name in ("summary", "start", "end", "location")} == {
            name: before[name] for name in ("summary", "start", "end", "location")
        }
        (task,) = tasks(chancery)
        assert task["description"].count(f"(frNr {fr_nr}, Kalender SB): In Google gelöscht") == 1 + full_read
    assert fr_nr in chancery.termine() and chancery.until_quiet() == 1


def test_a_deadline_that_came_from_google_is_no_less_sacred(chancery: Chancery) -> None:
    chancery.sync()
    event_id = chancery.event("SB", "Gütetermin", location="Landgericht")
    for _ in range(2):
        chancery.sync()
    (fr_nr,) = chancery.termine()
    chancery.edit_event("SB", event_id, summary="Abgesagt")
    chancery.sync()
    assert chancery.event_of(fr_nr)["summary"] == "Gütetermin" == chancery.termine()[fr_nr]["text"]
    chancery.drop_event("SB", event_id)
    chancery.sync()
    assert fr_nr in chancery.termine() and chancery.event_of(fr_nr)["summary"] == "Gütetermin"
    assert len(tasks(chancery)) == 2


def test_a_changed_occurrence_of_a_series_of_deadlines_is_undone(chancery: Chancery) -> None:
    until = f"{chancery.day(28).isoformat()}T00:00:00"
    fr_nr = court_date(chancery, dauertermin=1, turnus=1, turnusArt=2, datumBis=until)
    chancery.sync()
    master = chancery.event_of(fr_nr)
    begin = datetime.fromisoformat(master["start"]["dateTime"]) + timedelta(days=7)
    occurrence = f"{master['id']}_{begin.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    chancery.edit_event("SB", occurrence, start=at(chancery, 15, 14), end=at(chancery, 16, 14))
    chancery.sync()
    assert len(tasks(chancery)) == 1
    living = list(chancery.events().values())
    assert [event.get("recurringEventId") for event in living] == [None], "the exception is gone with the old series"
    assert chancery.event_of(fr_nr)["recurrence"] == master["recurrence"]
    assert chancery.until_quiet() == 1


@pytest.mark.parametrize(("first", "field"), [("SB", "location"), ("AH", "location"), ("AH", "description")])
def test_a_deadline_moved_to_a_colleague_comes_back_and_what_was_typed_into_it_is_told(
    chancery: Chancery, first: str, field: str
) -> None:
    """Without the court's name it is not known for a deadline by its event, only by its Termin."""
    chancery.employee("AH")
    fr_nr = court_date(chancery)
    chancery.termin("AH", "Besprechung")
    chancery.sync()
    event_id = chancery.event_of(fr_nr)["id"]
    chancery.move_event("SB", event_id, "AH")
    chancery.edit_event("AH", event_id, **{field: "Kantine"})
    for kuerzel in (first, "AH" if first == "SB" else "SB", first):
        chancery.sync(kuerzel)
    assert chancery.event_of(fr_nr)["summary"] == "Verhandlung"
    assert [event["summary"] for event in chancery.events("AH").values()] == ["Besprechung"]
    assert chancery.termine()[fr_nr]["sb"] == "SB" and len(chancery.termine()) == 2
    assert any("Kantine" in task["description"] for task in tasks(chancery)) and chancery.until_quiet() <= 2


def test_what_advoware_changes_in_a_deadline_goes_to_google_also_against_an_edit_there(chancery: Chancery) -> None:
    fr_nr = court_date(chancery)
    chancery.sync()
    chancery.edit_event("SB", chancery.event_of(fr_nr)["id"], location="Kantine", summary="Quatsch")
    chancery.edit_termin(fr_nr, text="Verhandlung verlegt", uhrzeitVon="13:00:00", uhrzeitBis="14:00:00")
    chancery.sync()
    event = chancery.event_of(fr_nr)
    assert (event["summary"], event["location"]) == ("Verhandlung verlegt", "Amtsgericht, Saal 1")
    assert event["start"]["dateTime"].startswith(f"{chancery.day(7)}T13:00:00")
    assert "Kantine" in tasks(chancery)[0]["description"]
    chancery.drop_termin(fr_nr)
    chancery.termin(text="Bleibt")
    chancery.sync()
    assert [event["summary"] for event in chancery.events().values()] == ["Bleibt"]


def test_rules_that_are_set_later_hold_for_what_was_synced_before(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALENDAR_SYNC_DEADLINE_RULES", "")
    fr_nr = court_date(chancery)
    chancery.sync()
    monkeypatch.setenv("CALENDAR_SYNC_DEADLINE_RULES", RULES)
    chancery.sync()
    chancery.edit_event("SB", chancery.event_of(fr_nr)["id"], colorId="5", summary="Weg damit")
    chancery.sync()
    event = chancery.event_of(fr_nr)
    assert event["summary"] == "Verhandlung" and "colorId" not in event
    assert chancery.until_quiet() == 1


def test_what_no_rule_catches_stays_a_persons_and_a_setting_lets_deadlines_go(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    free, lunch = chancery.termin("SB", "Verhandlung am Telefon"), court_date(chancery, "Mittagessen")
    held = court_date(chancery)
    by_file = chancery.termin("SB", "Irgendwas", azRubrum="4711/26 Muster ./. Muster")
    chancery.sync()
    for fr_nr in (free, lunch, by_file, held):
        chancery.edit_event("SB", chancery.event_of(fr_nr)["id"], summary="Neu")
    chancery.sync()
    texts = {fr_nr: row["text"] for fr_nr, row in chancery.termine().items()}
    assert texts == {free: "Neu", lunch: "Neu", held: "Verhandlung", by_file: "Irgendwas"}
    monkeypatch.setenv("CALENDAR_SYNC_DEADLINES_FROM_GOOGLE", "true")
    chancery.edit_event("SB", chancery.event_of(held)["id"], summary="Neu")
    chancery.sync()
    assert chancery.termine()[held]["text"] == "Neu"


def test_an_interrupted_write_of_ours_is_not_taken_for_a_persons_change(chancery: Chancery) -> None:
    fr_nr = court_date(chancery)
    chancery.sync()
    chancery.edit_termin(fr_nr, text="Verhandlung zwei")
    chancery.google.fault("/events/", "drop_after", method="PUT", times=3)
    chancery.sync()
    chancery.google.clear_faults()
    for _ in range(3):
        chancery.sync()
    assert chancery.event_of(fr_nr)["summary"] == "Verhandlung zwei" and not tasks(chancery)
    assert marked(chancery.event_of(fr_nr)) == str(fr_nr)


def test_guests_that_were_taken_out_are_told_once_and_all_else_is_put_back(chancery: Chancery) -> None:
    """Without delegation a service account invites nobody."""
    chancery.sync()
    event_id = chancery.event("SB", "Gütetermin", location="Landgericht", attendees=[{"email": "x@example.org"}])
    chancery.until_quiet()
    chancery.edit_event("SB", event_id, attendees=None, colorId="4")
    assert not chancery.sync().failures
    assert "colorId" not in chancery.events("SB")[event_id]
    (told,) = tasks(chancery)
    assert "Nur die Gäste sind nicht wieder eingetragen" in told["description"]
    assert "Gäste: jetzt gilt (leer), verworfen wurde email „x@example.org“" in told["description"]
    assert chancery.until_quiet() == 1 and len(tasks(chancery)) == 1
