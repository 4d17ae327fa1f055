"""Every kind of entry that Google knows has an outcome of its own (docs/kalender-ereignisarten.md)."""

from datetime import date, timedelta
from typing import Any

import pytest

from vmh_sync.sync.reporting.outcome import Result
from vmh_sync_tests.fixtures.chancery import ZONE, Chancery, marked, tasks
from vmh_sync_tests.fixtures.google_writes import google_writes, without_mark

Json = dict[str, Any]
ELSEWHERE = {"email": "gericht@example.org", "displayName": "Gericht"}


def days(first: date) -> Json:
    return {"start": {"date": first.isoformat()}, "end": {"date": (first + timedelta(days=1)).isoformat()}}


def googles_own(day: date) -> dict[str, Json]:
    """Google's own kinds, in the shape of its reference."""
    declining = {"autoDeclineMode": "declineOnlyNewConflictingInvitations", "declineMessage": "nicht da"}
    return {
        "birthday": {
            **days(day),
            "summary": "Geburtstag",
            "visibility": "private",
            "transparency": "transparent",
            "recurrence": ["RRULE:FREQ=YEARLY"],
            "birthdayProperties": {"type": "birthday"},
        },
        "focusTime": {"focusTimeProperties": {**declining, "chatStatus": "doNotDisturb"}},
        "outOfOffice": {"outOfOfficeProperties": declining},
        "workingLocation": {
            **days(day),
            "visibility": "public",
            "transparency": "transparent",
            "workingLocationProperties": {"type": "homeOffice", "homeOffice": {}},
        },
        "somethingGoogleAddsLater": {},
    }


def test_googles_own_kinds_are_left_alone_on_both_sides(chancery: Chancery) -> None:
    chancery.employee()
    chancery.sync()
    ids = [chancery.event(eventType=kind, **more) for kind, more in googles_own(chancery.day(9)).items()]
    before = chancery.events()
    assert chancery.until_quiet() == 1
    assert chancery.events() == before and set(before) == set(ids) and not chancery.termine()


def test_googles_own_kinds_are_never_taken_for_a_termin_of_the_same_time(chancery: Chancery) -> None:
    chancery.employee()
    chancery.google.seed(calendars=[{"summary": "AW-SB"}])
    kept = chancery.event(summary="Akten lesen", eventType="focusTime")
    fr_nr = chancery.termin(text="Akten lesen", offset=9, uhrzeitVon="14:00:00", uhrzeitBis="15:00:00")
    chancery.until_quiet()
    assert marked(chancery.events()[kept]) is None and chancery.event_of(fr_nr)["id"] != kept


ORGANISED: dict[str, Json] = {
    "organised by somebody else": {
        "organizer": ELSEWHERE,
        "iCalUID": "abc@gericht.example",
        "attendees": [{"email": "sb@kanzlei.example", "self": True, "responseStatus": "accepted"}],
    },
    "locked copy": {"locked": True},
    "from Gmail": {"eventType": "fromGmail", "source": {"title": "Buchung", "url": "https://mail.google.com/x"}},
}


@pytest.mark.parametrize("kind", list(ORGANISED))
def test_what_only_its_organiser_may_change_is_taken_over_and_stays_as_the_organiser_says(
    chancery: Chancery, kind: str
) -> None:
    chancery.employee()
    chancery.sync()
    event_id = chancery.event(summary="Verhandlung", **ORGANISED[kind])
    before = without_mark(chancery.events()[event_id])
    chancery.google.clear_calls()
    assert chancery.sync().writes == {"advoware": 1, "espocrm": 0, "google": 1}
    (fr_nr,) = chancery.termine()
    assert marked(chancery.events()[event_id]) == str(fr_nr)
    assert without_mark(chancery.events()[event_id]) == before and len(google_writes(chancery)) == 1
    chancery.edit_event("SB", event_id, location="Saal 3")
    chancery.until_quiet()
    assert chancery.termine()[fr_nr]["ort"] == "Saal 3", "the organiser's change comes over"
    chancery.edit_termin(fr_nr, text="Umbenannt", ort="Saal 4")
    chancery.until_quiet()
    row, event = chancery.termine()[fr_nr], chancery.events()[event_id]
    assert (row["text"], row["ort"]) == ("Verhandlung", "Saal 3"), "Google's holds: nobody here may change it"
    assert (event["summary"], event["location"]) == ("Verhandlung", "Saal 3")
    with chancery.store.reading() as tx:
        lost = {one.field: one.losing_value for one in tx.audit.for_record(f"SB/{fr_nr}") if one.kind == "conflict"}
    assert lost == {"text": "Umbenannt", "ort": "Saal 4"}, "and what was typed is kept"
    assert ["den Organisator bitten" in task["description"] for task in tasks(chancery)] == [True]


def test_what_only_its_organiser_may_change_is_told_once_under_write_protection(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    chancery.employee()
    chancery.sync()
    event_id = chancery.event(summary="Verhandlung", organizer=ELSEWHERE)
    chancery.until_quiet()
    (fr_nr,) = chancery.termine()
    monkeypatch.setenv("ADVOWARE_WRITE_PROTECTION", "true")
    chancery.edit_termin(fr_nr, text="Umbenannt")
    assert chancery.until_quiet() == 1
    chancery.sync()
    assert chancery.termine()[fr_nr]["text"] == "Umbenannt"
    assert chancery.events()[event_id]["summary"] == "Verhandlung"
    with chancery.store.reading() as tx:
        lost = [one.losing_value for one in tx.audit.for_record(f"SB/{fr_nr}") if one.kind == "conflict"]
    assert lost == ["Umbenannt"]


def test_what_an_organiser_changes_under_write_protection_waits_and_goes_when_it_is_lifted(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    chancery.employee()
    chancery.sync()
    event_id = chancery.event(summary="Verhandlung", organizer=ELSEWHERE)
    chancery.until_quiet()
    (fr_nr,) = chancery.termine()
    monkeypatch.setenv("ADVOWARE_WRITE_PROTECTION", "true")
    chancery.edit_event("SB", event_id, location="Saal 3")
    for _ in range(2):
        (outcome,) = chancery.outcomes()
        assert outcome.result is Result.SKIPPED and "wartet" in str(outcome.error)
    monkeypatch.setenv("ADVOWARE_WRITE_PROTECTION", "false")
    chancery.until_quiet()
    assert chancery.termine()[fr_nr]["ort"] == "Saal 3"


def test_where_guests_may_change_it_an_invitation_is_like_any_event(chancery: Chancery) -> None:
    chancery.employee()
    chancery.sync()
    event_id = chancery.event(summary="Besprechung", organizer=ELSEWHERE, guestsCanModify=True)
    chancery.sync()
    (fr_nr,) = chancery.termine()
    chancery.edit_termin(fr_nr, text="Umbenannt")
    chancery.until_quiet()
    assert chancery.events()[event_id]["summary"] == "Umbenannt"


def test_an_imported_event_keeps_its_icaluid_and_is_marked_again_after_it_was_imported_again(
    chancery: Chancery,
) -> None:
    chancery.employee()
    chancery.sync()
    event_id = chancery.event(summary="Importiert", iCalUID="abc@anderes-programm.example")
    chancery.until_quiet()
    (fr_nr,) = chancery.termine()
    chancery.edit_termin(fr_nr, ort="Saal 3")
    chancery.until_quiet()
    event = chancery.events()[event_id]
    assert (event["location"], event["iCalUID"]) == ("Saal 3", "abc@anderes-programm.example")
    chancery.edit_event("SB", event_id, summary="Erneut importiert", extendedProperties=None)
    chancery.until_quiet()
    assert chancery.termine()[fr_nr]["text"] == "Erneut importiert" and set(chancery.termine()) == {fr_nr}
    assert chancery.event_of(fr_nr)["id"] == event_id


@pytest.mark.parametrize("whose", ["SB", "AH"])
def test_an_invitation_in_two_calendars_is_each_ones_own_and_one_may_take_it_out(
    chancery: Chancery, whose: str
) -> None:
    """The copies have one id; whoever deletes the own copy has not moved it to the colleague."""
    for kuerzel in ("SB", "AH"):
        chancery.employee(kuerzel)
    chancery.sync()
    event_id = chancery.event("SB", "Besprechung")
    copy = {key: chancery.events("SB")[event_id][key] for key in ("start", "end", "summary", "iCalUID")}
    guests = [{"email": "ah@kanzlei.example", "self": True, "responseStatus": "accepted"}]
    chancery._person("AH", "create", values={"id": event_id, "attendees": guests, **copy})
    chancery.until_quiet()
    assert sorted(row["sb"] for row in chancery.termine().values()) == ["AH", "SB"]
    chancery.drop_event(whose, event_id)
    chancery.until_quiet()
    other = "AH" if whose == "SB" else "SB"
    assert [row["sb"] for row in chancery.termine().values()] == [other]
    assert set(chancery.events(other)) == {event_id} and not chancery.events(whose)


def test_a_whole_series_that_somebody_else_organises_is_a_series_in_advoware(chancery: Chancery) -> None:
    chancery.employee()
    chancery.sync()
    begin = f"{chancery.day(9).isoformat()}T09:00:00"
    end = f"{chancery.day(9).isoformat()}T10:00:00"
    times: dict[str, Any] = {"start": {"dateTime": begin, "timeZone": ZONE}, "end": {"dateTime": end, "timeZone": ZONE}}
    chancery.event(summary="Jour fixe", organizer=ELSEWHERE, recurrence=["RRULE:FREQ=WEEKLY;COUNT=5"], **times)
    chancery.until_quiet()
    ((fr_nr, row),) = chancery.termine().items()
    assert (row["dauertermin"], row["turnusArt"], row["text"]) == (1, 2, "Jour fixe")
    chancery.edit_termin(fr_nr, uhrzeitVon="11:00:00", uhrzeitBis="12:00:00")
    chancery.until_quiet()
    assert chancery.termine()[fr_nr]["uhrzeitVon"] == "09:00:00"
