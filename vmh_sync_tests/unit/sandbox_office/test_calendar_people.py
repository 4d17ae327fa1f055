"""People who edit calendars: what they report is what the systems hold."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from vmh_sync.sandbox.people.calendars import CALENDAR_KINDS, CalendarEdit, CalendarPeople
from vmh_sync.sandbox.systems import seed_population
from vmh_sync_tests.fixtures.sandbox import Sandbox

TODAY = date(2026, 3, 1)


@pytest.fixture
async def firm(sandbox: Sandbox) -> Any:
    await seed_population(sandbox.urls, seed=2, parties=1, now=datetime(2026, 3, 1, 9, 0, tzinfo=UTC))  # type: ignore[arg-type]
    start, end = "2026-03-02T10:00:00", "2026-03-02T11:00:00"
    events = [
        {
            "calendar": "AW-AH",
            "summary": f"Termin {number}",
            "start": {"dateTime": start, "timeZone": "Europe/Berlin"},
            "end": {"dateTime": end, "timeZone": "Europe/Berlin"},
        }
        for number in range(12)
    ]
    sandbox.google.seed(calendars=[{"summary": "AW-AH"}], events=events)
    return sandbox


def moment(value: Any) -> Any:
    """Return a Google time as a moment, so that its notation does not matter."""
    return datetime.fromisoformat(value["dateTime"]) if isinstance(value, dict) else value


def holds(edit: CalendarEdit, sandbox: Any) -> bool:
    if edit["side"] == "office":
        found = [row for row in sandbox.office.state()["termine"] if row["frNr"] == edit["id"]]
    else:
        (calendar,) = [one for one in sandbox.google.state()["calendars"] if one["summary"] == "AW-AH"]
        found = [e for e in calendar["events"].values() if e["id"] == edit["id"] and e["status"] != "cancelled"]
    if edit["kind"] == "gone":
        return found == []
    (row,) = found
    if edit["kind"] == "new":
        field = "text" if edit["side"] == "office" else "summary"
        return row[field] == edit["new"][field]
    return moment(row[edit["field"]]) == moment(edit["new"]) != moment(edit["old"])


@pytest.mark.parametrize("side", ["office", "google"])
@pytest.mark.parametrize("kind", CALENDAR_KINDS)
async def test_each_kind_on_each_side(firm: Sandbox, side: Any, kind: Any) -> None:
    async with CalendarPeople(firm.urls, today=TODAY, seed=1) as people:
        edits = await people.edit_some(3, sides=[side], kinds=[kind])
    assert [(edit["side"], edit["kind"]) for edit in edits] == [(side, kind)] * 3
    assert len({edit["id"] for edit in edits}) == 3
    assert [edit for edit in edits if not holds(edit, firm)] == []


async def test_leave_stays_as_it_is(firm: Sandbox) -> None:
    before = [row for row in firm.office.state()["termine"] if row["frNr"] < 0]
    async with CalendarPeople(firm.urls, today=TODAY, seed=2) as people:
        edits = await people.edit_some(60, sides=["office"], kinds=["text", "place", "gone"])
    assert len(edits) == 60
    assert [row for row in firm.office.state()["termine"] if row["frNr"] < 0] == before
