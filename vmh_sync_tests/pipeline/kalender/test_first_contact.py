"""First contact with a calendar that is full already: what stands on both sides is linked, never doubled."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from vmh_sync.cli import app
from vmh_sync.sync.reporting.outcome import Result
from vmh_sync_tests.fixtures.chancery import ZONE, Chancery, marked, tasks
from vmh_sync_tests.fixtures.google_writes import google_writes, without_mark

Json = dict[str, Any]


def moment(day: date, at: str) -> Json:
    return {"dateTime": f"{day.isoformat()}T{at}:00", "timeZone": ZONE}


def timed(day: date, begin: str, end: str, last: date | None = None) -> Json:
    return {"start": moment(day, begin), "end": moment(last or day, end)}


def whole(first: date, last: date) -> Json:
    return {"start": {"date": first.isoformat()}, "end": {"date": (last + timedelta(days=1)).isoformat()}}


def on(day: date) -> str:
    return f"{day.isoformat()}T00:00:00"


class Before:
    """A calendar and an office that an earlier system has kept equal, without any mark of ours."""

    def __init__(self, chancery: Chancery, kuerzel: str = "SB") -> None:
        self.chancery = chancery
        self.kuerzel = kuerzel
        chancery.employee(kuerzel)
        chancery.google.seed(calendars=[{"summary": f"AW-{kuerzel}"}])

    def both(self, text: str, times: Json | None = None, termin: Json | None = None, **event: Any) -> tuple[int, str]:
        """The same appointment on both sides; by default in the morning of a day in a week."""
        fr_nr = self.chancery.termin(self.kuerzel, text, **(termin or {}))
        times = times or timed(self.chancery.day(), "10:30", "11:30")
        return fr_nr, self.chancery.event(self.kuerzel, text, **{**times, **event})


def kinds(day: date) -> dict[str, tuple[Json, Json, Json]]:
    """Title → times in Google, values in Advoware, further fields in Google, of one appointment that is the same."""
    last, far = day + timedelta(days=4), day + timedelta(days=70)
    morning = timed(day, "10:30", "11:30")
    series = {"dauertermin": 1, "turnus": 1, "turnusArt": 2, "datumBis": on(far + timedelta(days=3))}
    return {
        "timed": (morning, {}, {}),
        "several days": (timed(day, "10:30", "11:30", last), {"datumBis": on(last)}, {}),
        "whole day": (whole(day, day), {"uhrzeitVon": "00:00:00", "uhrzeitBis": "23:59:00"}, {}),
        "leave": (whole(day, last), {"abwesenheit": 1, "datumBis": on(last)}, {}),
        "no end": (timed(day, "10:30", "11:00"), {"uhrzeitBis": None}, {}),
        "counted series": (morning, series, {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=11"]}),
        "open series": (
            morning,
            {**series, "datumBis": "2037-12-31T00:00:00"},
            {"recurrence": ["RRULE:FREQ=WEEKLY"]},
        ),
        "everybody's": (morning, {"sb": "ALLE"}, {}),
        "clerk and lawyer": (morning, {"anwalt": "AH"}, {}),
        "formatted": (
            morning,
            {"notiz": "Wichtig\r\nAkte lesen"},
            {"description": "<b>Wichtig</b><br>Akte lesen", "status": "tentative", "colorId": "11"},
        ),
        "with guests": (
            morning,
            {},
            {"attendees": [{"email": "gast@example.org", "responseStatus": "accepted"}], "visibility": "public"},
        ),
        "another tool's": (
            morning,
            {},
            {"extendedProperties": {"private": {"altesSystem": "4711"}, "shared": {"raum": "3"}}},
        ),
    }


def agree(chancery: Chancery, pairs: dict[int, str], kuerzel: str = "SB") -> None:
    """Exactly these Termine and events stand there, and belong together."""
    assert set(chancery.termine()) == set(pairs)
    events = chancery.events(kuerzel)
    assert set(events) == set(pairs.values())
    assert {fr_nr: row.event_id for fr_nr, row in chancery.pairs(kuerzel).items()} == pairs
    assert {marked(events[event_id]) for event_id in pairs.values()} == set(map(str, pairs))


def test_every_kind_that_stands_on_both_sides_is_linked_and_only_marked(chancery: Chancery) -> None:
    before = Before(chancery)
    pairs = dict(
        before.both(title, times, termin, **event) for title, (times, termin, event) in kinds(chancery.day()).items()
    )
    said = {event_id: without_mark(event) for event_id, event in chancery.events().items()}
    office = chancery.termine()
    chancery.google.clear_calls()
    summary = chancery.sync()
    assert not summary.failures and summary.writes == {"advoware": 0, "espocrm": 0, "google": len(pairs)}
    agree(chancery, pairs)
    assert {event_id: without_mark(event) for event_id, event in chancery.events().items()} == said
    assert chancery.termine() == office
    calls = google_writes(chancery)
    assert [call["method"] for call in calls] == ["PATCH"] * len(pairs)
    assert chancery.until_quiet() == 1


def test_an_edit_after_the_first_contact_goes_over_to_the_other_side(chancery: Chancery) -> None:
    before = Before(chancery)
    fr_nr, event_id = before.both("Verhandlung")
    chancery.sync()
    chancery.edit_event("SB", event_id, location="Saal 3")
    chancery.edit_termin(fr_nr, text="Verhandlung verlegt")
    chancery.until_quiet()
    assert chancery.termine()[fr_nr]["ort"] == "Saal 3"
    assert chancery.events()[event_id]["summary"] == "Verhandlung verlegt"
    agree(chancery, {fr_nr: event_id})


def test_what_stands_on_one_side_only_is_still_created_on_the_other(chancery: Chancery) -> None:
    before = Before(chancery)
    fr_nr, event_id = before.both("Verhandlung")
    only_office = chancery.termin(text="Nur in Advoware", offset=30)
    only_google = chancery.event(summary="Nur in Google", offset=60)
    chancery.until_quiet()
    assert len(chancery.termine()) == 3 and len(chancery.events()) == 3
    pairs = {number: row.event_id for number, row in chancery.pairs().items()}
    assert pairs[fr_nr] == event_id and only_office in pairs and only_google in pairs.values()


def test_a_note_that_stands_on_one_side_only_is_carried_over_and_two_different_ones_stay(chancery: Chancery) -> None:
    before = Before(chancery)
    office, empty = before.both("Eins", termin={"notiz": "Aus Advoware"})
    google, full = before.both("Zwei", description="Aus Google")
    both, other = before.both("Drei", termin={"notiz": "Fassung A"}, description="Fassung B")
    chancery.until_quiet()
    assert chancery.events()[empty]["description"] == "Aus Advoware"
    assert chancery.termine()[google]["notiz"] == "Aus Google"
    assert chancery.termine()[both]["notiz"] == "Fassung A" and chancery.events()[other]["description"] == "Fassung B"
    with chancery.store.reading() as tx:
        (row,) = [one for one in tx.audit.for_record(f"SB/{both}") if one.losing_value is not None]
    assert (row.field, row.losing_value, row.new) == ("notiz", "Fassung B", "Fassung A")
    chancery.edit_termin(both, notiz="Fassung C")
    chancery.until_quiet()
    assert chancery.events()[other]["description"] == "Fassung C"
    agree(chancery, {office: empty, google: full, both: other})


def test_a_calendar_full_of_equal_appointments_is_linked_one_by_one(chancery: Chancery) -> None:
    """Two that are equal in everything are no riddle: it makes no difference which is which."""
    before = Before(chancery)
    for number in range(3):
        before.both("Besprechung", termin={"ort": f"Raum {number}"}, location=f"Raum {number}")
    for _ in range(2):
        before.both("Besprechung", termin={"ort": "Flur"}, location="Flur")
    assert chancery.sync().writes == {"advoware": 0, "espocrm": 0, "google": 5}
    assert len(chancery.termine()) == len(chancery.events()) == len(chancery.pairs()) == 5
    for fr_nr, row in chancery.termine().items():
        assert chancery.event_of(fr_nr)["location"] == row["ort"]
    assert chancery.until_quiet() == 1


@pytest.mark.parametrize("count", [40, pytest.param(500, marks=pytest.mark.proof)])
def test_a_full_calendar_stays_as_full_as_it_was(chancery: Chancery, count: int) -> None:
    Before(chancery)
    termine, events = [], []
    for number in range(count):
        day, hour = chancery.day(5 + number // 8), 8 + number % 8
        at = {
            "datum": on(day),
            "datumBis": on(day),
            "uhrzeitVon": f"{hour:02d}:00:00",
            "uhrzeitBis": f"{hour:02d}:45:00",
        }
        termine.append({"sb": "SB", "text": f"Termin {number}", **at})
        begin, end = f"{hour:02d}:00", f"{hour:02d}:45"
        events.append({"calendar": "AW-SB", "summary": f"Termin {number}", **timed(day, begin, end)})
    chancery.office.seed(termine=termine)
    chancery.google.seed(events=events)
    first = chancery.sync()
    assert first.writes == {"advoware": 0, "espocrm": 0, "google": count} and not first.failures
    assert len(chancery.termine()) == len(chancery.events()) == len(chancery.pairs()) == count
    assert chancery.until_quiet() == 1


DOUBTS: dict[str, Json] = {
    "Anhörung Meier": {"summary": "Anhörung Maier"},
    "Beratung Schulz": {"summary": "Beratung Schulz, LG Köln"},
    "Notar": {"start": "11:30", "end": "12:30"},
    "Übergabe": {"end": "12:30"},
    "Jour fixe": {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=4"]},
    "Fortbildung": {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=4", "EXDATE;TZID=Europe/Berlin:{later}"]},
    "Klausur": {"summary": ""},
}
"""What stands in Advoware → how the event in Google misses it."""


def doubtful(before: Before, title: str, offset: int = 7) -> tuple[int, str]:
    day = before.chancery.day(offset)
    values = {"summary": title, "start": "10:30", "end": "11:30", **DOUBTS[title]}
    times = timed(day, values.pop("start"), values.pop("end"))
    if "recurrence" in values:
        later = f"{day + timedelta(days=7):%Y%m%d}T103000"
        values["recurrence"] = [line.format(later=later) for line in values["recurrence"]]
    return before.chancery.termin(text=title, offset=offset), before.chancery.event(**{**times, **values})


def test_what_may_be_the_same_is_listed_and_created_on_no_side(chancery: Chancery) -> None:
    before = Before(chancery)
    doubts = dict(doubtful(before, title, 3 * place) for place, title in enumerate(DOUBTS, start=1))
    for how in ({"dry_run": True}, {}, {}):
        outcomes = {one.id: one for one in chancery.outcomes(**how)}
        assert set(outcomes) == {f"SB/{fr_nr}" for fr_nr in doubts}
        for fr_nr, event_id in doubts.items():
            outcome = outcomes[f"SB/{fr_nr}"]
            assert outcome.result is Result.SKIPPED and event_id in str(outcome.error)
            assert not any(title in str(outcome.error) for title in DOUBTS), "no content in messages"
        assert set(chancery.termine()) == set(doubts) and set(chancery.events()) == set(doubts.values())
        assert not chancery.pairs()


def test_one_termin_and_two_equal_events_are_for_a_person_and_so_are_two_and_one(chancery: Chancery) -> None:
    before = Before(chancery)
    fr_nr, first = before.both("Eins")
    second = chancery.event(summary="Eins", **timed(chancery.day(), "10:30", "11:30"))
    _, only = before.both("Zwei")
    chancery.termin(text="Zwei")
    skipped = [one for one in chancery.outcomes() if one.result is Result.SKIPPED]
    assert len(skipped) == 3 and first in str(skipped[0].error) and second in str(skipped[0].error)
    assert set(chancery.events()) == {first, second, only} and len(chancery.termine()) == 3
    chancery.drop_event("SB", second)
    chancery.sync()
    assert {fr_nr: first}.items() <= {number: row.event_id for number, row in chancery.pairs().items()}.items()


def test_an_unlike_appointment_at_the_same_time_is_no_riddle(chancery: Chancery) -> None:
    Before(chancery)
    chancery.termin(text="Verhandlung")
    chancery.event(summary="Zahnarzt", **timed(chancery.day(), "10:30", "11:30"))
    chancery.until_quiet()
    assert len(chancery.termine()) == len(chancery.events()) == len(chancery.pairs()) == 2


def test_a_riddle_is_solved_when_somebody_makes_both_sides_equal(chancery: Chancery) -> None:
    fr_nr, event_id = doubtful(Before(chancery), "Anhörung Meier")
    chancery.sync()
    chancery.edit_event("SB", event_id, summary="Anhörung Meier")
    chancery.until_quiet()
    agree(chancery, {fr_nr: event_id})


def test_an_employee_whose_pairs_are_lost_is_linked_again(chancery: Chancery) -> None:
    """Marked events by their mark, unmarked ones by what they say, also those that came from Google."""
    before = Before(chancery)
    before.both("Verhandlung")
    chancery.termin(text="Aus Advoware", offset=20)
    chancery.event(summary="Aus Google", offset=21)
    chancery.until_quiet()
    known = {fr_nr: row.event_id for fr_nr, row in chancery.pairs().items()}
    assert len(known) == 3
    for kept in ((), ("calendar_states", "cursors")):
        chancery.edit_event("SB", str(next(iter(known.values()))), extendedProperties={"private": {"frNr": None}})
        with chancery.store.transaction() as tx:
            for table in {"calendar_pairs", "calendar_states", "cursors"} - set(kept):
                tx.calendar_pairs._connection.exec_driver_sql(f"DELETE FROM {table}")
        assert chancery.sync().writes["advoware"] == 0
        assert chancery.until_quiet() == 1
        agree(chancery, {fr_nr: str(event_id) for fr_nr, event_id in known.items()})


def test_under_write_protection_the_same_is_linked_and_what_google_alone_says_stays(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADVOWARE_WRITE_PROTECTION", "true")
    before = Before(chancery)
    fr_nr, event_id = before.both("Verhandlung", description="Nur in Google")
    waiting = chancery.event(summary="Neu in Google", offset=40)
    assert chancery.sync().writes == {"advoware": 0, "espocrm": 0, "google": 1}
    assert chancery.events()[event_id]["description"] == "Nur in Google"
    # What waits is typed into Advoware by hand: the same appointment, not a second one.
    typed = chancery.termin(text="Neu in Google", offset=40, uhrzeitVon="14:00:00", uhrzeitBis="15:00:00")
    chancery.until_quiet()
    agree(chancery, {fr_nr: event_id, typed: waiting})


def test_typed_on_both_sides_between_two_passes_it_is_one_appointment(chancery: Chancery) -> None:
    Before(chancery)
    chancery.termin(text="Älteres", offset=3)
    chancery.until_quiet()
    fr_nr = chancery.termin(text="Besprechung")
    event_id = chancery.event(summary="Besprechung", **timed(chancery.day(), "10:30", "11:30"))
    chancery.until_quiet()
    assert chancery.event_of(fr_nr)["id"] == event_id and len(chancery.termine()) == len(chancery.events()) == 2


def test_the_anonymised_events_of_an_earlier_system_are_the_same_ones(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALENDAR_SYNC_FULL_CONTENT", "false")
    Before(chancery)
    fr_nr = chancery.termin(text="Geheim", notiz="Geheim")
    event_id = chancery.event(summary="Termin", **timed(chancery.day(), "10:30", "11:30"))
    chancery.until_quiet()
    agree(chancery, {fr_nr: event_id})
    assert chancery.termine()[fr_nr]["text"] == "Geheim" and chancery.events()[event_id]["summary"] == "Termin"


def test_everybodys_appointment_is_linked_in_every_calendar(chancery: Chancery) -> None:
    calendars = [Before(chancery, kuerzel) for kuerzel in ("SB", "AH")]
    fr_nr = chancery.termin(None, "Kanzleifeier", sb="ALLE")
    at = timed(chancery.day(), "10:30", "11:30")
    ids = [chancery.event(one.kuerzel, "Kanzleifeier", **at) for one in calendars]
    chancery.until_quiet()
    for one, event_id in zip(calendars, ids, strict=True):
        agree(chancery, {fr_nr: event_id}, one.kuerzel)


def test_a_meeting_that_stands_in_the_calendars_of_organiser_and_guest_is_linked_in_both(chancery: Chancery) -> None:
    """An invitation has the same id in both calendars."""
    for kuerzel in ("SB", "AH"):
        Before(chancery, kuerzel)
    fr_nr = chancery.termin("SB", "Besprechung", anwalt="AH")
    at = timed(chancery.day(), "10:30", "11:30")
    event_id = chancery.event("SB", "Besprechung", **at)
    guests = [{"email": "ah@kanzlei.example", "self": True}, {"email": "sb@kanzlei.example", "organizer": True}]
    chancery._person("AH", "create", values={"id": event_id, "summary": "Besprechung", "attendees": guests, **at})
    chancery.until_quiet()
    for kuerzel in ("SB", "AH"):
        agree(chancery, {fr_nr: event_id}, kuerzel)


def test_the_first_pass_is_what_the_dry_run_showed(chancery: Chancery) -> None:
    before = Before(chancery)
    before.both("Verhandlung")
    doubtful(before, "Notar")
    chancery.termin(text="Nur in Advoware", offset=30)
    planned = [(one.id, one.result) for one in chancery.outcomes(dry_run=True)]
    done = [(one.id, one.result) for one in chancery.outcomes()]
    assert sorted(planned) == sorted(done) and len(done) == 3


def test_what_is_edited_at_the_very_moment_of_linking_is_merged(chancery: Chancery) -> None:
    before = Before(chancery)
    fr_nr, event_id = before.both("Verhandlung")
    edit = {"entity": "-", "calendar": "AW-SB", "action": "update", "id": event_id, "values": {"location": "Saal 3"}}
    chancery.google.fault(f"/events/{event_id}$", "edit", method="PATCH|PUT", times=1, edit=edit)
    chancery.until_quiet()
    agree(chancery, {fr_nr: event_id})
    assert chancery.termine()[fr_nr]["ort"] == "Saal 3" and chancery.events()[event_id]["location"] == "Saal 3"


def told(*command: str, code: int = 0) -> Json:
    done = CliRunner().invoke(app, [*command, "--json"])
    assert done.exit_code == code, done.output
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("same", [True, False])
def test_a_person_sees_the_doubts_and_decides_them_on_the_command_line(chancery: Chancery, same: bool) -> None:
    before = Before(chancery)
    fr_nr, event_id = doubtful(before, "Anhörung Meier")
    open_pair = {"kuerzel": "SB", "frNr": fr_nr, "event": event_id}
    for more in (["--dry-run"], []):
        (row,) = told("sync", "kalender", "--all", *more)["doubtful"]
        assert open_pair.items() <= row.items() and "Titel ähnlich" in row["reason"] and "values" not in row
    (row,) = told("audit", "kalender", "doubtful", "--values", code=3)["doubtful"]
    assert "Anhörung Meier" in row["values"]["advoware"] and "Anhörung Maier" in row["values"]["google"]
    (task,) = tasks(chancery)
    assert "Anhörung Meier" in task["description"] and "Anhörung Maier" in task["description"]
    where = ["--kuerzel", "sb", "--frnr", str(fr_nr), "--event", event_id]
    told("audit", "kalender", "decide", *where, "--same" if same else "--different")
    assert "doubtful" not in told("sync", "kalender", "--all")
    chancery.until_quiet()
    assert told("audit", "kalender", "doubtful") == {"doubtful": []}
    assert {one["id"]: one["status"] for one in tasks(chancery)}[task["id"]] == "Completed"
    if not same:
        assert len(chancery.termine()) == len(chancery.events()) == len(chancery.pairs()) == 2
        return
    agree(chancery, {fr_nr: event_id})
    assert chancery.events()[event_id]["summary"] == "Anhörung Meier"
    with chancery.store.reading() as tx:
        lost = [row.losing_value for row in tx.audit.for_record(f"SB/{fr_nr}") if row.kind == "conflict"]
    assert lost == ["Anhörung Maier"]


def test_a_word_on_what_is_not_open_is_refused(chancery: Chancery) -> None:
    Before(chancery)
    command = ["audit", "kalender", "decide", "--kuerzel", "SB", "--frnr", "1", "--event", "abc", "--same"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 1 and "nichts offen" in done.output
