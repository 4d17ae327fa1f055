"""Termine and events that may be the same appointment: listed for a person, and what the person says about them.

Nothing of them is created on either side before somebody has said it, or has made both sides equal (kalender.md 5).
"""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.employee.doubtful_pairs import DoubtfulPair, doubtful_pairs
from vmh_sync.kalender.employee.employee_work import SyncOptions
from vmh_sync.kalender.employee.sync_employee import fetch as fetch_employee
from vmh_sync.kalender.employee.sync_employee import map_fields, plan
from vmh_sync.kalender.reading.employees import select
from vmh_sync.kalender.state.decided import Edge, Said, store_said
from vmh_sync.kalender.state.lease_names import lease_name
from vmh_sync.kalender.state.pair_rows import read_stored
from vmh_sync.kalender.telling.task_answers import DIFFERENT, SAME
from vmh_sync.tasks.answer_list import AnsweredRow, BadAnswers, read_list, write_list
from vmh_sync.whole_number import whole_number

COLUMNS = ("kalender", "frnr", "advoware", "google", "grund", "ereignis", "antwort")

DECIDING_SECONDS = 60.0
"""How long a person's word waits for a pass over the same employee."""


async def look(context: CalendarContext, kuerzel: Sequence[str], *, show_values: bool = False) -> list[DoubtfulPair]:
    """Read both sides and return all open questions; writes nothing. Raises the clients' errors."""
    chosen = await select(context, kuerzel)
    options = SyncOptions(dry_run=True)
    works = [plan(map_fields(await fetch_employee(context, employee, options))) for employee in chosen.employees]
    return doubtful_pairs(works, show_values=show_values)


def write_csv(path: Path, found: Iterable[DoubtfulPair]) -> None:
    """Write the open questions as a list with titles and times, to be answered in the last column."""
    write_list(path, COLUMNS, map(_row, found))


def _row(one: DoubtfulPair) -> tuple[object, ...]:
    advoware, google = one.values.get("advoware", ""), one.values.get("google", "")
    return one.kuerzel, one.fr_nr, advoware, google, one.reason, one.event, ""


def read_csv(path: Path) -> list[Said]:
    """Return every answer of the list, as Excel saved it; raises :class:`BadAnswers` that names every bad row."""
    said, problems = [], []
    for row in read_list(path, ("kalender", "frnr", "ereignis"), "antwort"):
        try:
            said.append(_said(row))
        except BadAnswers as problem:
            problems.append(f"{row.where}: {problem}")
    if problems:
        raise BadAnswers("Es wurde nichts gemerkt. " + " ".join(problems))
    return said


def _said(row: AnsweredRow) -> Said:
    number = row.cells.get("frnr", "")
    if row.answer not in SAME | DIFFERENT:
        raise BadAnswers(f"„{row.answer}“ ist keine Antwort (gleich oder verschieden).")
    if whole_number(number.removeprefix("-")) is None:
        raise BadAnswers(f"„{number}“ ist keine frNr.")
    edge = (int(number), row.cells.get("ereignis", ""))
    return Said(row.cells.get("kalender", ""), edge, row.answer in SAME, row.where)


async def answer(context: CalendarContext, said: Sequence[Said]) -> None:
    """Store what a person says about some Termine and events, all or nothing; the next pass carries it out.

    Raises :class:`BadAnswers` that names every answer that does not fit, and the clients' errors.
    """
    if not said:
        return
    active = (await select(context, [one.kuerzel for one in said])).employees
    names = {employee.kuerzel.upper(): employee.kuerzel for employee in active}
    said = [replace(one, kuerzel=names.get(one.kuerzel.strip().upper(), one.kuerzel)) for one in said]
    asked = await _asked(context, said)
    async with AsyncExitStack() as held:
        for name in sorted({one.kuerzel for one in said}):
            if await held.enter_async_context(context.leases.hold(lease_name(name), wait=DECIDING_SECONDS)) is None:
                raise BadAnswers(f"Der Kalender {name} wird gerade abgeglichen; bitte gleich noch einmal versuchen.")
        problems = await asyncio.to_thread(store_said, context.store, said, asked)
    if problems:
        raise BadAnswers("Es wurde nichts gemerkt. " + " ".join(problems))


async def _asked(context: CalendarContext, said: Sequence[Said]) -> list[tuple[str, Edge]]:
    """Return the questions that stand on a list, although no pass has left them to a person yet."""
    names = sorted({one.kuerzel for one in said})
    stored = [await context.store.read(read_stored, name) for name in names]
    left = {(name, edge) for name, one in zip(names, stored, strict=True) for edge in (*one.doubtful, *one.decided)}
    if all((one.kuerzel, one.edge) in left for one in said):
        return []
    return [(found.kuerzel, (found.fr_nr, found.event)) for found in await look(context, names)]


async def decide(context: CalendarContext, kuerzel: str, fr_nr: int, event_id: str, *, same: bool) -> None:
    """Store what a person says about one Termin and one event; see :func:`answer`."""
    await answer(context, [Said(kuerzel, (fr_nr, event_id), same)])
