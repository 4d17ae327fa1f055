"""Every kind of appointment through both systems in one go: there, quiet, and back (specification, kalender.md 7)."""

from datetime import date, timedelta
from typing import Any

import pytest

from vmh_sync_tests.fixtures.chancery import ZONE, Chancery, marked

Json = dict[str, Any]
LONG = "Langer Text. " * 77  # a little more than 1000 characters
TIMES = {"uhrzeitVon": "10:30:00", "uhrzeitBis": "11:30:00"}


def monday(today: date) -> date:
    """The first Monday of next March: what begins here runs over the change to summer time."""
    first = date(today.year + 1, 3, 1)
    return first + timedelta(days=-first.weekday() % 7)


def day(one: date) -> str:
    return f"{one.isoformat()}T00:00:00"


def wall(event: Json) -> tuple[str, str]:
    """Start and end as the clock on the wall shows them."""
    return tuple(str(event[end].get("date") or event[end]["dateTime"])[:16] for end in ("start", "end"))  # type: ignore[return-value]


def parts(rule: str) -> set[str]:
    """The parts of a rule; Google orders them as it likes."""
    return set(rule.removeprefix("RRULE:").split(";")) - {"INTERVAL=1"}


def kinds(first: date) -> dict[str, tuple[Json, Json]]:
    """Name → the Termin, and what Google has to show of it (``wall``, ``rule``, texts)."""
    last, far = first + timedelta(days=2), date(first.year, 6, 29)
    d, e = first.isoformat(), last.isoformat()
    series = {"dauertermin": 1, "datumBis": day(far), "uhrzeitVon": "09:00:00", "uhrzeitBis": "09:30:00"}
    until = f"UNTIL={far:%Y%m%d}T215959Z"  # 23:59:59 in summer time, although the series begins in winter time
    week = "MO"
    return {
        "timed": (TIMES, {"wall": (f"{d}T10:30", f"{d}T11:30")}),
        "several days, timed": ({**TIMES, "datumBis": day(last)}, {"wall": (f"{d}T10:30", f"{e}T11:30")}),
        "whole day": (
            {"uhrzeitVon": "00:00:00", "uhrzeitBis": "23:59:00"},
            {"wall": (d, (first + timedelta(days=1)).isoformat())},
        ),
        "several whole days": (
            {"uhrzeitVon": "00:00:00", "uhrzeitBis": "23:59:00", "datumBis": day(last)},
            {"wall": (d, (last + timedelta(days=1)).isoformat())},
        ),
        "leave": (
            {"frNr": -4, "abwesenheit": 1, "datumBis": day(last)},
            {"wall": (d, (last + timedelta(days=1)).isoformat())},
        ),
        "daily": ({**series, "turnus": 3, "turnusArt": 1}, {"rule": f"FREQ=DAILY;INTERVAL=3;{until}"}),
        "weekly": (
            {**series, "turnus": 2, "turnusArt": 2},
            {"rule": f"FREQ=WEEKLY;INTERVAL=2;BYDAY={week};{until}", "wall": (f"{d}T09:00", f"{d}T09:30")},
        ),
        "monthly": (
            {**series, "turnus": 1, "turnusArt": 3},
            {"rule": f"FREQ=MONTHLY;BYMONTHDAY={first.day};{until}"},
        ),
        "yearly": ({**series, "turnus": 1, "turnusArt": 4}, {"rule": f"FREQ=YEARLY;{until}"}),
        "open series": (
            {**series, "turnus": 1, "turnusArt": 2, "datumBis": "2037-12-31T00:00:00"},
            {"rule": f"FREQ=WEEKLY;BYDAY={week}"},
        ),
        "no times": ({}, {"wall": (f"{d}T09:00", f"{d}T09:30")}),
        "end before start": (
            {"uhrzeitVon": "15:00:00", "uhrzeitBis": "14:00:00"},
            {"wall": (f"{d}T15:00", f"{d}T15:30")},
        ),
        "no text": ({**TIMES, "text": ""}, {"summary": None}),
        "1000 characters": ({**TIMES, "text": LONG}, {"summary": LONG.strip()}),
        "umlauts and CRLF": (
            {**TIMES, "text": "Grüße – Übergabe", "notiz": "Zeile 1\r\nZeile ß", "ort": "Köln"},
            {"summary": "Grüße – Übergabe", "description": "Zeile 1\nZeile ß", "location": "Köln"},
        ),
    }


@pytest.fixture
def filled(chancery: Chancery) -> tuple[Chancery, dict[str, int]]:
    """One employee with one appointment of each kind, synced once; name → frNr."""
    chancery.employee()
    first = monday(chancery.today)
    common = {"datum": day(first), "datumBis": day(first), "sb": "SB"}
    rows = {
        name: {**common, "frNr": number, "text": name, **values}
        for number, (name, (values, _)) in enumerate(kinds(first).items(), start=8001)
    }
    chancery.office.seed(termine=list(rows.values()))
    assert not chancery.sync().failures
    return chancery, {name: int(str(row["frNr"])) for name, row in rows.items()}


def test_each_kind_looks_in_google_as_specified_and_stays_so(filled: tuple[Chancery, dict[str, int]]) -> None:
    chancery, numbers = filled
    wrong = []
    for name, (_, expected) in kinds(monday(chancery.today)).items():
        event = chancery.event_of(numbers[name])
        shown: Json = {key: event.get(key) for key in ("summary", "description", "location")} | {"wall": wall(event)}
        shown["rule"] = parts((event.get("recurrence") or [""])[0])
        expected = {**expected, **({"rule": parts(expected["rule"])} if "rule" in expected else {})}
        wrong += [(name, key, shown[key], value) for key, value in expected.items() if shown[key] != value]
    assert not wrong
    assert chancery.until_quiet() == 1, "what a server makes of it is no edit"


def test_each_kind_takes_an_edit_in_google_and_keeps_everything_else(filled: tuple[Chancery, dict[str, int]]) -> None:
    chancery, numbers = filled
    before = chancery.termine()
    for fr_nr in numbers.values():
        chancery.edit_event("SB", chancery.event_of(fr_nr)["id"], location="Saal 3")
    summary = chancery.sync()
    assert not summary.failures and summary.writes["advoware"] == len(numbers) - 1
    after = chancery.termine()
    for name, fr_nr in numbers.items():
        if name == "leave":
            assert after[fr_nr] == before[fr_nr], "made-up entries are read-only"
            assert "location" not in chancery.event_of(fr_nr), "and Google is put back"
            continue
        changed = {key for key, value in after[fr_nr].items() if value != before[fr_nr].get(key)}
        assert after[fr_nr]["ort"] == "Saal 3" and changed <= {"ort", "zuletztGeaendertAm", "rowId"}, (name, changed)
    assert chancery.until_quiet() == 1


def test_series_typed_in_google_become_series_in_advoware(chancery: Chancery) -> None:
    """COUNT is expanded to its last date; one that runs over the change of clocks keeps its time on the wall."""
    chancery.employee()
    chancery.sync()
    first = monday(chancery.today)
    times: dict[str, Any] = {
        end: {"dateTime": f"{first.isoformat()}T{at}:00", "timeZone": ZONE}
        for end, at in (("start", "09:00"), ("end", "09:45"))
    }
    rules = {
        "RRULE:FREQ=WEEKLY;COUNT=8": (2, 1, first + timedelta(weeks=7)),
        "RRULE:FREQ=DAILY;INTERVAL=2;COUNT=3": (1, 2, first + timedelta(days=4)),
        f"RRULE:FREQ=MONTHLY;UNTIL={first.year}0630T215959Z": (3, 1, date(first.year, 6, 30)),
        "RRULE:FREQ=YEARLY": (4, 1, None),
    }
    events = {chancery.event(summary=rule, recurrence=[rule], **times): wanted for rule, wanted in rules.items()}
    chancery.sync()
    by_number = chancery.termine()
    for event_id, (art, turnus, last) in events.items():
        termin = by_number[int(marked(chancery.events()[event_id]) or 0)]
        assert (termin["dauertermin"], termin["turnusArt"], termin["turnus"]) == (1, art, turnus)
        assert (termin["uhrzeitVon"], termin["uhrzeitBis"]) == ("09:00:00", "09:45:00")
        until = date.fromisoformat(termin["datumBis"][:10])
        assert until == last if last is not None else until.year >= 2037
    assert chancery.until_quiet() == 1


def test_a_colleagues_private_entry_for_all_shows_no_content_and_ones_own_does(chancery: Chancery) -> None:
    for kuerzel in ("AH", "SB"):
        chancery.employee(kuerzel)
    own = chancery.termin("SB", "Arzttermin", privat=1, ort="Praxis")
    for_all = chancery.termin("ALLE", "Überraschung", privat=1, ort="Küche")
    chancery.sync()
    shown = chancery.event_of(own, "SB")
    assert (shown["summary"], shown["location"], shown["visibility"]) == ("Arzttermin", "Praxis", "private")
    for kuerzel in ("AH", "SB"):
        event = chancery.event_of(for_all, kuerzel)
        assert event["summary"] == "Termin" and "location" not in event
    assert chancery.until_quiet() == 1
