"""The demo's calendars: first load, edits in Advoware and Google, a sync, and the audit's verdict."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from vmh_sync.commands.audits.audit_kalender import look_at
from vmh_sync.commands.demo.google_habits import GoogleHabits
from vmh_sync.commands.passes.sync_kalender import run_calendars
from vmh_sync.commands.screens.output import print_summary
from vmh_sync.kalender.audits import audit
from vmh_sync.kalender.calendars import Calendars
from vmh_sync.sandbox.people.calendars import CalendarPeople
from vmh_sync.sync.reporting.outcome import PassSummary

EDITS = 12
MOST_PASSES = 4

_SIDES = {"office": "Advoware", "google": "Google"}


def calendar_story(console: Console, urls: Mapping[str, str], seed: int) -> bool:
    """Sync all calendars, let people edit on both sides, sync again; returns whether the audit finds nothing open."""
    console.rule("Termine und Google-Kalender")
    _passes()
    edits = asyncio.run(_edit(urls, seed))
    counts = Counter(_SIDES[edit["side"]] for edit in edits)
    habits = GoogleHabits(urls)
    habits.act([edit["id"] for edit in edits])
    console.print(f"{len(edits)} Änderungen: " + ", ".join(f"{n} in {side}" for side, n in sorted(counts.items())))
    console.print("In Google wird außerdem ein Ereignis kopiert, eines zum Kollegen verschoben und eines formatiert.")
    _passes()
    open_points = [trouble for trouble in look_at(audit.verify) if not trouble.kind.startswith("finding:")]
    table = Table(title="Jeder Termin in Advoware und Google gleich?", title_justify="left")
    table.add_column("Prüfung")
    table.add_column("Anzahl", justify="right")
    table.add_column("Urteil")
    verdict = "NICHT in Ordnung" if open_points else "in Ordnung"
    table.add_row("offene Punkte der Kalenderprüfung", str(len(open_points)), verdict)
    verdicts = habits.verdicts()
    for one in verdicts:
        table.add_row(one.what, "1", "in Ordnung" if one.good else "NICHT in Ordnung")
    console.print(table)
    return not open_points and all(one.good for one in verdicts)


def _passes() -> None:
    for _ in range(MOST_PASSES):
        summary = PassSummary().add(run_calendars(Calendars()).outcomes)
        print_summary("Kalender", summary)
        if not any(summary.writes.values()) and not summary.failures:
            return


async def _edit(urls: Mapping[str, str], seed: int) -> list[Any]:
    async with CalendarPeople(urls, today=datetime.now(UTC).date(), seed=seed) as people:
        return list(await people.edit_some(EDITS))
