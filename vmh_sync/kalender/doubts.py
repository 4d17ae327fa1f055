"""Termine and events that may be the same appointment: listed for a person, and what the person says about them.

Nothing of them is created on either side before somebody has said it, or has made both sides equal (kalender.md 5).
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.employee_work import EmployeeWork, SyncOptions
from vmh_sync.kalender.employees import select
from vmh_sync.kalender.google_form import read_event
from vmh_sync.kalender.lease_names import lease_name
from vmh_sync.kalender.model import Appointment, UnreadableAppointmentError
from vmh_sync.kalender.pair_rows import different_cursor, read_stored, same_cursor
from vmh_sync.kalender.reads import EmployeeReads, advoware_views
from vmh_sync.kalender.sync_employee import fetch as fetch_employee
from vmh_sync.kalender.sync_employee import map_fields, plan

REMEDY = (
    "Bitte entscheiden: vmh-sync audit kalender doubtful zeigt sie, vmh-sync audit kalender decide verknüpft sie oder "
    "hält sie auseinander. Wer beide Seiten gleich einträgt, muss nichts entscheiden."
)

NOTHING_OPEN = (
    "Zu diesem Termin und diesem Ereignis ist nichts offen; vmh-sync audit kalender doubtful zeigt, was offen ist."
)

DECIDING_SECONDS = 60.0
"""How long a person's word waits for a pass over the same employee."""


@dataclass(frozen=True, slots=True)
class DoubtfulPair:
    """A Termin and an event that may be the same. ``values`` (title and time of each side) only when asked for."""

    kuerzel: str
    fr_nr: int
    event: str
    reason: str
    values: dict[str, str] = field(default_factory=dict, repr=False)

    def to_json(self) -> dict[str, object]:
        """Return it as plain data."""
        row: dict[str, object] = {"kuerzel": self.kuerzel, "frNr": self.fr_nr, "event": self.event}
        return row | {"reason": self.reason} | ({"values": dict(self.values)} if self.values else {})


class NothingDoubtfulError(ValueError):
    """There is no open question about this Termin and this event, or a pass keeps the calendar busy."""


def doubtful_pairs(works: Iterable[EmployeeWork], *, show_values: bool = False) -> list[DoubtfulPair]:
    """Return what the plans of a pass leave to a person."""
    return [found for work in works for found in _of(work, show_values=show_values)]


def _of(work: EmployeeWork, *, show_values: bool) -> Iterable[DoubtfulPair]:
    if work.plan is None or work.reads is None or work.failure is not None:
        return
    for item in work.plan.items:
        for finding in item.doubts:
            if finding.fr_nr is not None and finding.event_id is not None:
                values = _values(work, work.reads, finding.fr_nr, finding.event_id) if show_values else {}
                yield DoubtfulPair(work.kuerzel, finding.fr_nr, finding.event_id, finding.text, values)


def _values(work: EmployeeWork, reads: EmployeeReads, fr_nr: int, event_id: str) -> dict[str, str]:
    decision = work.decision
    if decision is None:
        return {}
    termine = [termin for termin in reads.termine if termin.fr_nr == fr_nr]
    view = advoware_views(termine, decision.rules)[0].get(fr_nr)
    values = {} if view is None or view.form is None else {"advoware": _shown(view.form)}
    for event in reads.events:
        if event.get("id") == event_id:
            try:
                values["google"] = _shown(read_event(event, decision.rules).form)
            except UnreadableAppointmentError:
                continue
    return values


def _shown(form: Appointment) -> str:
    begin = form.start.strftime("%d.%m.%Y" if form.all_day else "%d.%m.%Y %H:%M")
    return f"„{form.text or 'ohne Titel'}“ {begin}" + (", Serie" if form.recurrence else "")


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
