"""Whose calendars are synced, and in which order."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from vmh_sync.kalender.context import CalendarContext
from vmh_sync.systems.advoware.answers import SpoiltRow

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Employee:
    """One employee: Kürzel as Advoware writes it, and the address for access rules (not in the repr)."""

    kuerzel: str
    email: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Selected:
    """The employees to sync, the longest not synced first, and the Kürzel that are not active in Advoware."""

    employees: tuple[Employee, ...]
    gone: tuple[str, ...] = ()


async def active_employees(context: CalendarContext) -> list[Employee]:
    """Return Advoware's active employees, one per Kürzel. Raises the client's errors."""
    spoilt: list[SpoiltRow] = []
    found = await context.advoware.list_mitarbeiter(spoilt=spoilt)
    for row in spoilt:
        log.warning("kalender: an employee of Advoware's list cannot be used (%s)", row.error)
    employees = {
        row.kuerzel.strip(): Employee(row.kuerzel.strip(), row.email)
        for row in found
        if row.kuerzel.strip() and row.aktiv is not False
    }
    return list(employees.values())


async def select(context: CalendarContext, kuerzel: Sequence[str]) -> Selected:
    """Return the employees of a pass: the named ones, or (empty) all; both limited by the debug setting.

    ``gone`` holds named Kürzel that are not active; without names those that were synced once and have left.
    """
    active = {employee.kuerzel.upper(): employee for employee in await active_employees(context)}
    states = await asyncio.to_thread(_states, context)
    wanted = list(dict.fromkeys(name.strip().upper() for name in kuerzel if name.strip()))
    gone = tuple(name for name in (wanted or states) if name not in active)
    chosen = [active[name] for name in (wanted or active) if name in active]
    debug = {name.upper() for name in context.settings.debug_kuerzel}
    if debug:
        chosen = [employee for employee in chosen if employee.kuerzel.upper() in debug]
        gone = tuple(name for name in gone if name in debug)
    # Never synced comes first; the store already orders the others by their last success.
    order = {name: place for place, name in enumerate(states)}
    chosen.sort(key=lambda employee: order.get(employee.kuerzel.upper(), -1))
    return Selected(tuple(chosen), gone)


def _states(context: CalendarContext) -> list[str]:
    with context.store.reading() as tx:
        return [state.kuerzel.upper() for state in tx.calendar_states.all()]
