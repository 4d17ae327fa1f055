"""Whose calendars are synced, and in which order."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vmh_sync.kalender.context import CalendarContext
from vmh_sync.systems.advoware.records import Mitarbeiter
from vmh_sync.systems.spoilt_row import SpoiltRow

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Employee:
    """One employee: Kürzel as Advoware writes it, and the address for access rules (not in the repr)."""

    kuerzel: str
    email: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Selected:
    """The employees to sync, the longest not synced first, and the Kürzel that are not active in Advoware.

    ``unreadable``: the Kürzel of employees whose entry in Advoware cannot be used; ``None`` where not even that can.
    ``everybody``: all Kürzel that are to be synced at all, named or not; ``None`` when that is not certain.
    """

    employees: tuple[Employee, ...]
    gone: tuple[str, ...] = ()
    unreadable: tuple[str | None, ...] = ()
    everybody: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class ActiveEmployees:
    """Advoware's active employees, one per Kürzel, and the Kürzel (if they can be read) of unusable entries."""

    employees: tuple[Employee, ...]
    unreadable: tuple[str | None, ...] = ()


async def active_employees(context: CalendarContext) -> ActiveEmployees:
    """Return Advoware's active employees. Raises the client's errors."""
    spoilt: list[SpoiltRow] = []
    found = await context.advoware.list_mitarbeiter(spoilt=spoilt)
    for row in spoilt:
        log.warning("kalender: an employee of Advoware's list cannot be used (%s)", row.error)
    employees = {
        row.kuerzel.strip(): Employee(row.kuerzel.strip(), row.email)
        for row in found
        if row.kuerzel.strip() and row.aktiv is not False
    }
    return ActiveEmployees(tuple(employees.values()), tuple(_kuerzel(row) for row in spoilt))


async def may_be_active(context: CalendarContext, kuerzel: str) -> bool:
    """Tell whether an employee is active, or may be: an entry that cannot be read may be his. Raises as above."""
    listed = await active_employees(context)
    return bool(listed.unreadable) or kuerzel.upper() in {one.kuerzel.upper() for one in listed.employees}


def _kuerzel(row: SpoiltRow) -> str | None:
    kuerzel = row.attributes.get(Mitarbeiter.FIELDS["kuerzel"])
    return kuerzel.strip() or None if isinstance(kuerzel, str) else None


async def select(context: CalendarContext, kuerzel: Sequence[str]) -> Selected:
    """Return the employees of a pass: the named ones, or (empty) all; both limited by the debug setting.

    ``gone`` holds named Kürzel that are not active; without names those that were synced once and have left.
    """
    listed = await active_employees(context)
    active = {employee.kuerzel.upper(): employee for employee in listed.employees}
    states = await context.store.read(lambda tx: [state.kuerzel.upper() for state in tx.calendar_states.all()])
    wanted = list(dict.fromkeys(name.strip().upper() for name in kuerzel if name.strip()))
    unreadable = _concerned(listed.unreadable, active, wanted)
    # Who is not listed may be the one whose entry cannot be read.
    away = [name for name in (wanted or states) if name not in active and name not in unreadable]
    gone = () if None in unreadable else tuple(away)
    chosen = [active[name] for name in (wanted or active) if name in active]
    debug = {name.upper() for name in context.settings.debug_kuerzel}
    if debug:
        chosen = [employee for employee in chosen if employee.kuerzel.upper() in debug]
        gone = tuple(name for name in gone if name in debug)
    # Never synced comes first; the store already orders the others by their last success.
    order = {name: place for place, name in enumerate(states)}
    chosen.sort(key=lambda employee: order.get(employee.kuerzel.upper(), -1))
    everybody = frozenset(active) & debug if debug else frozenset(active)
    certain = bool(active) and not listed.unreadable
    return Selected(tuple(chosen), gone, unreadable, everybody if certain else None)


def _concerned(
    unreadable: Sequence[str | None], active: Mapping[str, Employee], wanted: Sequence[str]
) -> tuple[str | None, ...]:
    """Return the unusable entries that this pass has to tell of: those of its Kürzel, and those that may be."""
    names = dict.fromkeys(name.upper() if name is not None else None for name in unreadable)
    if not wanted:
        return tuple(names)
    missing = [name for name in wanted if name not in active]
    return tuple(name for name in names if name in missing or (name is None and missing))
