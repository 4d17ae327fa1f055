"""Termine and events that may be the same appointment: listed for a person, and what the person says about them.

Nothing of them is created on either side before somebody has said it, or has made both sides equal (kalender.md 5).
"""

import asyncio
from collections.abc import Sequence

from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.employee.doubtful_pairs import DoubtfulPair, doubtful_pairs
from vmh_sync.kalender.employee.employee_work import SyncOptions
from vmh_sync.kalender.employee.sync_employee import fetch as fetch_employee
from vmh_sync.kalender.employee.sync_employee import map_fields, plan
from vmh_sync.kalender.reading.employees import select
from vmh_sync.kalender.state.lease_names import lease_name
from vmh_sync.kalender.state.pair_rows import different_cursor, read_stored, same_cursor

NOTHING_OPEN = (
    "Zu diesem Termin und diesem Ereignis ist nichts offen; vmh-sync audit kalender doubtful zeigt, was offen ist."
)

DECIDING_SECONDS = 60.0
"""How long a person's word waits for a pass over the same employee."""


class NothingDoubtfulError(ValueError):
    """There is no open question about this Termin and this event, or a pass keeps the calendar busy."""


async def look(context: CalendarContext, kuerzel: Sequence[str], *, show_values: bool = False) -> list[DoubtfulPair]:
    """Read both sides and return all open questions; writes nothing. Raises the clients' errors."""
    chosen = await select(context, kuerzel)
    options = SyncOptions(dry_run=True)
    works = [plan(map_fields(await fetch_employee(context, employee, options))) for employee in chosen.employees]
    return doubtful_pairs(works, show_values=show_values)


async def decide(context: CalendarContext, kuerzel: str, fr_nr: int, event_id: str, *, same: bool) -> None:
    """Store what a person says about a Termin and an event; the next pass carries it out.

    Raises :class:`NothingDoubtfulError` if no pass has left these two to a person.
    """
    chosen = (await select(context, [kuerzel])).employees
    if not chosen:
        raise NothingDoubtfulError(NOTHING_OPEN)
    name = chosen[0].kuerzel
    async with context.leases.hold(lease_name(name), wait=DECIDING_SECONDS) as lease:
        if lease is None:
            raise NothingDoubtfulError("Der Kalender wird gerade abgeglichen; bitte gleich noch einmal versuchen.")
        await asyncio.to_thread(_store, context, name, (fr_nr, event_id), same=same)


def _store(context: CalendarContext, kuerzel: str, edge: tuple[int, str], *, same: bool) -> None:
    stored = read_stored(context.store, kuerzel)
    if edge not in stored.doubtful:
        raise NothingDoubtfulError(NOTHING_OPEN)
    decided = {**stored.decided, edge: same}
    with context.store.transaction() as tx:
        for cursor, said in ((same_cursor(kuerzel), True), (different_cursor(kuerzel), False)):
            tx.cursors.set(cursor, sorted(one for one, is_same in decided.items() if is_same is said))
