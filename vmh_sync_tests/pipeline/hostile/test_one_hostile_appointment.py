"""One appointment or employee of which a system says something hostile: it alone fails and is told, the others go on.

sync-semantics.md 2 and 4, kalender.md 5.
"""

from typing import Any

import pytest

from vmh_sync.kalender.batch import diff as plan_batch
from vmh_sync.kalender.batch import fetch, write
from vmh_sync.kalender.batch import map_fields as map_batch
from vmh_sync.kalender.calendars import Calendars
from vmh_sync.kalender.context import CalendarContext
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync_tests.fixtures.chancery import Chancery
from vmh_sync_tests.fixtures.hostile import VALUES

NO_ID = ["list", pytest.param("surrogate", marks=pytest.mark.proof)]
"""The fuzz tries the others."""


class Day:
    """A victim and two others in one calendar, each edited on one side; and a new Termin."""

    def __init__(self, chancery: Chancery) -> None:
        self.chancery = chancery
        chancery.employee()
        self.victim = chancery.termin(text="Opfer")
        self.here, self.there = chancery.termin(text="Hier", offset=8), chancery.termin(text="Dort", offset=9)
        chancery.until_quiet()
        self.event = chancery.event_of(self.victim)["id"]
        chancery.edit_event("SB", self.event, summary="Opfer neu")
        chancery.edit_termin(self.here, text="Hier neu")
        chancery.edit_event("SB", chancery.event_of(self.there)["id"], summary="Dort neu")
        self.new = chancery.termin(text="Neu", offset=10)

    def others_are_synced(self) -> None:
        chancery = self.chancery
        assert chancery.event_of(self.here)["summary"] == "Hier neu"
        assert chancery.termine()[self.there]["text"] == "Dort neu"
        assert chancery.event_of(self.new)["summary"] == "Neu"

    def victim_is_untouched(self) -> None:
        assert self.chancery.termine()[self.victim]["text"] == "Opfer"
        assert self.chancery.events()[self.event]["summary"] == "Opfer neu"

    def comes_right(self) -> None:
        """Afterwards what a person typed meanwhile is carried on."""
        self.chancery.google.clear_faults()
        self.chancery.office.clear_faults()
        self.chancery.until_quiet()
        assert self.chancery.termine()[self.victim]["text"] == "Opfer neu"
        assert len(self.chancery.events()) == len(self.chancery.termine()) == 4
        assert self.chancery.state().last_error is None


def told(outcomes: list[RecordOutcome]) -> RecordOutcome:
    (failure,) = [one for one in outcomes if one.result is Result.FAILED]
    assert failure.error and failure.error_class
    return failure


@pytest.mark.parametrize("whole", [False, True], ids=["delta", "whole list"])
@pytest.mark.parametrize("name", NO_ID)
def test_an_event_without_an_id_fails_alone(chancery: Chancery, name: str, whole: bool) -> None:
    day = Day(chancery)
    chancery.google.fault("/events", "tamper", where={"id": day.event}, field="id", body=VALUES[name])
    failure = told(chancery.outcomes(whole=whole))
    assert failure.error is not None and "Google" in failure.error
    assert chancery.state().last_error
    day.others_are_synced()
    day.victim_is_untouched()
    day.comes_right()


@pytest.mark.parametrize("field", ["frNr", "datum"])
@pytest.mark.parametrize("name", ["object", pytest.param("nested", marks=pytest.mark.proof)])
def test_a_termin_that_cannot_be_read_fails_alone(chancery: Chancery, field: str, name: str) -> None:
    day = Day(chancery)
    chancery.office.fault("Termine", "tamper", where={"frNr": day.victim}, field=field, body=VALUES[name])
    told(chancery.outcomes())
    assert chancery.state().last_error
    day.others_are_synced()
    day.victim_is_untouched()
    day.comes_right()


@pytest.mark.parametrize("read", ["get", "instances"])
def test_an_event_that_cannot_be_read_alone_fails_alone(chancery: Chancery, read: str) -> None:
    """What failed in the last pass, and the exceptions of a series, are read one by one."""
    chancery.employee()
    chancery.sync()
    series = chancery.event(summary="Serie", recurrence=["RRULE:FREQ=WEEKLY;COUNT=3"])
    other = chancery.termin(text="Heil")
    chancery.google.fault("/events$", "tamper", where={"id": series}, field="start", body=VALUES["list"])
    told(chancery.outcomes())
    chancery.google.clear_faults()
    path, field = (f"/events/{series}$", "start") if read == "get" else ("/instances", "id")
    where: dict[str, Any] = {"id": series} if read == "get" else {"recurringEventId": series}
    chancery.google.fault(path, "tamper", where=where, field=field, body=VALUES["list"])
    chancery.edit_termin(other, text="Heil neu")
    chancery.outcomes()
    assert chancery.event_of(other)["summary"] == "Heil neu"
    chancery.google.clear_faults()
    chancery.until_quiet()
    assert sorted(row["text"] for row in chancery.termine().values()) == ["Heil neu", "Serie"]


def run_of(chancery: Chancery, *kuerzel: str) -> list[RecordOutcome]:
    """A run as the job makes it."""

    async def one_run(context: CalendarContext) -> list[RecordOutcome]:
        batch = await fetch(context, Calendars(kuerzel=list(kuerzel)))
        return (await write(context, plan_batch(map_batch(batch)))).outcomes

    return list(chancery.run(one_run))


@pytest.mark.parametrize("field", ["kuerzel", "aktiv"])
@pytest.mark.parametrize("name", ["object", pytest.param("surrogate", marks=pytest.mark.proof)])
def test_an_employee_that_cannot_be_read_is_told_and_the_others_are_synced(
    chancery: Chancery, field: str, name: str
) -> None:
    for kuerzel in ("RO", "SB"):
        chancery.termin(chancery.employee(kuerzel), text=f"Für {kuerzel}")
    run_of(chancery)
    new = chancery.termin("SB", text="Neu", offset=8)
    chancery.office.fault("Mitarbeiter", "tamper", where={"kuerzel": "RO"}, field=field, body=VALUES[name])
    failure = told(run_of(chancery))
    assert failure.error_class == "UnreadableEmployee"
    assert failure.id == ("?" if field == "kuerzel" else "RO")
    assert chancery.event_of(new)["summary"] == "Neu"
    assert told(run_of(chancery, "RO")).error_class == "UnreadableEmployee"
    assert [one.result for one in run_of(chancery, "SB")] == [Result.UNCHANGED] * 2


@pytest.mark.parametrize("side", ["advoware", "google"])
def test_a_list_that_is_empty_once_at_first_contact_doubles_nothing(chancery: Chancery, side: str) -> None:
    chancery.employee()
    fr_nr = chancery.termin(text="Besprechung")
    chancery.sync()
    with chancery.store.transaction() as tx:
        for table in ("calendar_pairs", "calendar_states", "cursors"):  # as if this installation were new
            tx.calendar_pairs._connection.exec_driver_sql(f"DELETE FROM {table}")
    if side == "advoware":
        chancery.office.fault(r"Termine\?.*kuerzel", "empty", method="GET", times=1, body="[]")
    else:
        chancery.google.fault(r"/events\?", "tamper", method="GET", times=1, field="items", body="[]")
    chancery.sync()
    chancery.until_quiet()
    assert list(chancery.termine()) == [fr_nr]
    assert len(chancery.events()) == 1
