"""The same for appointments: Advoware's list and Google's events say every hostile thing, one appointment suffers."""

import random
from typing import Any, NamedTuple

import psutil
import pytest

from vmh_sync.sync.reporting.outcome import Result
from vmh_sync_tests.fixtures.chancery import Chancery
from vmh_sync_tests.fixtures.hostile import VALUES

SEED = 20261127
SHARE = 40
MOST_GROWTH = 300 * 1024 * 1024
TERMIN = [
    "frNr",
    "text",
    "notiz",
    "ort",
    "datum",
    "uhrzeitVon",
    "uhrzeitBis",
    "datumBis",
    "dauertermin",
    "turnus",
    "turnusArt",
    "abwesenheit",
    "privat",
    "anwalt",
    "sb",
    "azRubrum",
    "zuletztGeaendertAm",
]
EVENT = [
    "id",
    "etag",
    "status",
    "summary",
    "description",
    "location",
    "start",
    "end",
    "recurrence",
    "visibility",
    "updated",
    "extendedProperties",
    "eventType",
    "recurringEventId",
]
CALENDAR = ["accessRole", "summary"]
PLAUSIBLE = {
    ("extendedProperties", "object"),
    ("dauertermin", "number"),
    ("turnus", "number"),
    ("turnusArt", "number"),
    ("abwesenheit", "number"),
    ("frNr", "number"),
    ("privat", "true"),
    ("dauertermin", "true"),
    ("abwesenheit", "true"),
    ("turnus", "true"),
    ("turnusArt", "true"),
}


class Case(NamedTuple):
    """Where which hostile value stands."""

    system: str
    field: str
    value: str


def every_case() -> list[Case]:
    """All combinations that can never be an edit."""
    return [
        Case(system, field, value)
        for system, fields in (("office", TERMIN), ("google", EVENT), ("calendar", CALENDAR))
        for field in fields
        for value in VALUES
        if (field, value) not in PLAUSIBLE
    ]


class World:
    """A victim and two others in one calendar, and a colleague."""

    def __init__(self, chancery: Chancery) -> None:
        self.chancery = chancery
        for kuerzel in ("SB", "RO"):
            chancery.employee(kuerzel)
        self.victim = chancery.termin(text="Opfer", ort="Saal 1", notiz="Notiz")
        self.here = chancery.termin(text="Heil", offset=8)
        self.there = chancery.termin(text="Auch heil", offset=9)
        self.colleague = chancery.termin("RO", text="Kollegin", offset=8)
        chancery.until_quiet()
        self.round = 0

    def where(self, case: Case) -> dict[str, Any]:
        """What tells the victim apart in an answer."""
        if case.system == "office":
            return {"frNr": self.victim}
        if case.system == "google":
            return {"id": self.chancery.event_of(self.victim)["id"]}
        calendar = self.chancery.calendar()
        assert calendar is not None
        return {"id": calendar["id"]}

    def stands_there(self, case: Case) -> bool:
        """Whether a pass meets the value; the list of calendars is not read once the calendar is known."""
        chancery = self.chancery
        record = chancery.termine()[self.victim] if case.system == "office" else chancery.event_of(self.victim)
        return case.system != "calendar" and case.field in record

    def content(self) -> tuple[Any, ...]:
        """The victim on both sides."""
        chancery = self.chancery
        event = chancery.event_of(self.victim)
        names = ("summary", "description", "location", "start", "end", "recurrence", "visibility", "status")
        return (
            chancery.termine()[self.victim],
            {name: event.get(name) for name in names},
            len(chancery.termine()),
            len(chancery.events()),
        )

    def survives(self, case: Case) -> str | None:
        """Run a pass with the case; returns what is wrong."""
        chancery = self.chancery
        self.round += 1
        before, stood_there = self.content(), self.stands_there(case)
        # So that a delta names the victim, and the pass has to look at it.
        chancery.google.edit(
            "-",
            "update",
            calendar="AW-SB",
            id=chancery.event_of(self.victim)["id"],
            values={"description": chancery.event_of(self.victim).get("description", "")},
        )
        side = chancery.office if case.system == "office" else chancery.google
        side.fault(".", "tamper", where=self.where(case), field=case.field, body=VALUES[case.value])
        text = f"Heil {self.round}"
        chancery.edit_termin(self.here, text=text)
        chancery.edit_termin(self.colleague, text=text)
        chancery.edit_event("SB", chancery.event_of(self.there)["id"], summary=f"Auch {text}")
        outcomes = chancery.outcomes()
        side.clear_faults()
        if chancery.event_of(self.colleague, "RO")["summary"] != text:
            return "the colleague was not synced"
        employee_failed = [one for one in outcomes if one.id == "SB" and one.result is Result.FAILED]
        whole = case.field in ("id", "frNr", "recurringEventId") and bool(employee_failed)
        if not whole and chancery.event_of(self.here)["summary"] != text:
            return f"the other appointment was not synced: {[(o.id, o.error_class) for o in outcomes]}"
        if not whole and chancery.termine()[self.there]["text"] != f"Auch {text}":
            return "the other event was not synced"
        if self.content() != before:
            return "garbage was believed"
        told = [one for one in outcomes if one.result is Result.FAILED and one.error and one.error_class]
        if stood_there and not told:
            return "nobody was told"
        return None


def _go_through(chancery: Chancery, cases: list[Case]) -> None:
    world = World(chancery)
    rss = psutil.Process().memory_info().rss
    wrong = [f"{case}: {problem}" for case in cases if (problem := world.survives(case)) is not None]
    assert not wrong, f"{len(wrong)} of {len(cases)}: " + "\n".join(wrong)
    assert psutil.Process().memory_info().rss - rss < MOST_GROWTH
    chancery.until_quiet()


def test_hostile_values_in_a_share_of_all_fields_harm_no_other_appointment(chancery: Chancery) -> None:
    _go_through(chancery, random.Random(SEED).sample(every_case(), SHARE))


@pytest.mark.proof
def test_hostile_values_in_all_fields_harm_no_other_appointment(chancery: Chancery) -> None:
    _go_through(chancery, every_case())
