"""SIGKILL at every foreign call and every commit of a calendar pass: nothing lost, nothing doubled, then quiet.

One pass does everything at once: insert, update both ways, delete both ways, a Google-born appointment, one that was
typed on both sides, a conflict.
The short form kills at some of the places, ``-m proof`` at all of them, twice in a row, and with answers lost.
"""

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import delete

from vmh_sync.store.models import CalendarStateRow
from vmh_sync_tests.crash.calendar_passes import KillableCalendarPass, Trap
from vmh_sync_tests.fixtures.chancery import Chancery, marked
from vmh_sync_tests.fixtures.fork_server import fork_server
from vmh_sync_tests.fixtures.sandbox import ControlClient

pytestmark = pytest.mark.crash

MOST_PLACES = 80
LATER = timedelta(minutes=2, seconds=5)
"""After this a request without an answer is certainly dead."""

NAMES = ("ADVOWARE_", "GOOGLE_", "CALENDAR_", "VMH_", "REDIS_", "ESPOCRM_")
ANY_CALL = r"/(calendar/v3|api/v1)/(?!Token)"
SHORT = 8


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(NAMES)}


@dataclass
class Morning:
    """One employee whose appointments were changed in every way since the last pass."""

    kuerzel: str
    new: int
    renamed: int
    moved: int
    dropped_in_advoware: int
    dropped_in_google: int
    contested: int


class Crashes:
    """Arranges mornings, kills passes, lets others repair, and looks at what came out."""

    def __init__(self, chancery: Chancery) -> None:
        self.chancery = chancery
        self.server = fork_server()
        self.numbers = count(1)
        self.killed = 0

    def arrange(self) -> Morning:
        chancery, kuerzel = self.chancery, f"K{next(self.numbers)}"
        chancery.clock.shift = timedelta(0)
        chancery.employee(kuerzel)
        names = ("Umbenannt", "Verlegt", "Fällt weg", "Strittig", "Bleibt")
        renamed, moved, dropped, contested, _ = (chancery.termin(kuerzel, name) for name in names)
        chancery.sync(kuerzel)
        chancery.event(kuerzel, "Aus Google, fällt weg")
        chancery.sync(kuerzel)
        chancery.sync(kuerzel)
        mine = self.termine(kuerzel)
        from_google = next(fr_nr for fr_nr, row in mine.items() if row["text"] == "Aus Google, fällt weg")
        chancery.edit_termin(renamed, text="Umbenannt in Advoware")
        chancery.edit_event(kuerzel, chancery.event_of(moved, kuerzel)["id"], location="Saal 7")
        chancery.drop_termin(dropped)
        chancery.drop_event(kuerzel, chancery.event_of(from_google, kuerzel)["id"])
        chancery.edit_termin(contested, text="Strittig aus Advoware")
        chancery.edit_event(kuerzel, chancery.event_of(contested, kuerzel)["id"], summary="Strittig aus Google")
        chancery.event(kuerzel, "Neu in Google")
        new = chancery.termin(kuerzel, "Neu in Advoware")
        chancery.event(kuerzel, "Auf beiden Seiten", offset=30)
        hours = {"uhrzeitVon": "14:00:00", "uhrzeitBis": "15:00:00"}
        chancery.termin(kuerzel, "Auf beiden Seiten", offset=30, **hours)
        return Morning(kuerzel, new, renamed, moved, dropped, from_google, contested)

    def termine(self, kuerzel: str) -> dict[int, dict[str, object]]:
        return {fr_nr: row for fr_nr, row in self.chancery.termine().items() if row["sb"] == kuerzel}

    def a_pass(self, morning: Morning, trap: Trap | None = None, *, later: bool = False) -> KillableCalendarPass:
        shift = self.chancery.clock.shift + (LATER if later else timedelta(0))
        return KillableCalendarPass(self.server, environment(), morning.kuerzel, shift=shift, trap=trap)

    def at_call(
        self, system: ControlClient, morning: Morning, action: str, number: int, *, later: bool = False
    ) -> bool:
        """Run a pass with a fault at one call; returns whether the fault was met."""
        one = self.a_pass(morning, later=later)
        pid = {"pid": one.pid} if action.startswith("kill") else {}
        system.clear_calls()
        system.fault(ANY_CALL, action, skip=number, times=1, **pid)
        one.go()
        system.clear_faults()
        calls = [call for call in system.calls(1000)["log"] if re.search(ANY_CALL, call["path"])]
        struck = len(calls) > number
        self.killed += struck
        return struck

    def at_commit(self, morning: Morning, number: int, *, after: bool) -> bool:
        ended = self.a_pass(morning, Trap(number, after)).go()
        self.killed += not ended
        return not ended

    def repaired(self, morning: Morning) -> None:
        """A few passes must bring everything right, and the last two of them must find nothing to do."""
        chancery, kuerzel = self.chancery, morning.kuerzel
        chancery.clock.shift = 2 * LATER  # not further: Advoware takes no login from another time
        quiet = 0
        for _ in range(4):
            summary = chancery.sync(kuerzel)
            quiet = 0 if summary.failures or any(summary.writes.values()) else quiet + 1
            if quiet == 2:
                break
        assert quiet == 2, summary.to_json()
        termine, events = self.termine(kuerzel), chancery.events(kuerzel)
        texts = sorted(str(row["text"]) for row in termine.values())
        assert texts == [
            "Auf beiden Seiten",
            "Bleibt",
            "Neu in Advoware",
            "Neu in Google",
            "Strittig aus Advoware",
            "Umbenannt in Advoware",
            "Verlegt",
        ]
        assert sorted(event["summary"] for event in events.values()) == texts, "nothing doubled, nothing lost"
        assert sorted(marked(event) or "" for event in events.values()) == sorted(map(str, termine))
        assert termine[morning.moved]["ort"] == "Saal 7"
        assert chancery.event_of(morning.moved, kuerzel)["location"] == "Saal 7"
        with chancery.store.reading() as tx:
            rows = tx.audit.for_record(f"{kuerzel}/{morning.contested}")
        assert [row.losing_value for row in rows if row.kind == "conflict"] == ["Strittig aus Google"]

    def leaves(self, morning: Morning) -> None:
        """Forget the employee: what is deleted in Google is looked for in each calendar that is known, so that every
        morning would give the next one's pass another call.
        """
        with self.chancery.store.transaction() as tx:
            tx.connection.execute(delete(CalendarStateRow).where(CalendarStateRow.kuerzel == morning.kuerzel))


@pytest.fixture
def crashes(chancery: Chancery, firm_environment: pytest.MonkeyPatch) -> Crashes:
    """A chancery whose passes are killed; every morning has a calendar of its own."""
    firm_environment.setenv("GOOGLE_CALENDAR_NEW_CALENDARS_PER_HOUR", "1000")
    return Crashes(chancery)


def everywhere(crashes: Crashes, strike: Callable[[Morning, int], bool], places: Iterable[int]) -> None:
    """Strike at one place after the other until a pass has no such place any more."""
    for number in places:
        morning = crashes.arrange()
        struck = strike(morning, number)
        crashes.repaired(morning)
        crashes.leaves(morning)
        if not struck:
            return
    raise AssertionError("a pass has more places than are tried")


def systems(crashes: Crashes) -> dict[str, ControlClient]:
    return {"advoware": crashes.chancery.office, "google": crashes.chancery.google}


@pytest.mark.parametrize("system", ["advoware", "google"])
@pytest.mark.parametrize("action", ["kill_before", "kill_after"])
def test_killed_at_some_calls(crashes: Crashes, system: str, action: str) -> None:
    one = systems(crashes)[system]
    start = 2 + (action == "kill_after")
    everywhere(
        crashes, lambda morning, number: crashes.at_call(one, morning, action, number), range(start, MOST_PLACES, SHORT)
    )
    assert crashes.killed >= 1


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_some_commits(crashes: Crashes, after: bool) -> None:
    everywhere(
        crashes,
        lambda morning, number: crashes.at_commit(morning, number, after=after),
        range(int(after), MOST_PLACES, SHORT),
    )
    assert crashes.killed >= 2


@pytest.mark.proof
@pytest.mark.parametrize("system", ["advoware", "google"])
@pytest.mark.parametrize("action", ["kill_before", "kill_after", "drop_after"])
def test_killed_or_unanswered_at_every_call(crashes: Crashes, system: str, action: str) -> None:
    one = systems(crashes)[system]
    everywhere(crashes, lambda morning, number: crashes.at_call(one, morning, action, number), range(MOST_PLACES))
    assert crashes.killed >= 6


@pytest.mark.proof
@pytest.mark.parametrize("after", [False, True])
def test_killed_at_every_commit(crashes: Crashes, after: bool) -> None:
    everywhere(crashes, lambda morning, number: crashes.at_commit(morning, number, after=after), range(MOST_PLACES))
    assert crashes.killed >= 6


@pytest.mark.proof
@pytest.mark.parametrize("again", [3, 5, 8])
@pytest.mark.parametrize("action", ["kill_before", "kill_after"])
def test_killed_twice_in_a_row(crashes: Crashes, action: str, again: int) -> None:
    google = crashes.chancery.google

    def twice(morning: Morning, number: int) -> bool:
        struck = crashes.at_call(google, morning, action, number)
        crashes.at_call(google, morning, action, again, later=True)
        return struck

    everywhere(crashes, twice, range(MOST_PLACES))
