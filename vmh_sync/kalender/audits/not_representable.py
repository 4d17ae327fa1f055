"""Appointments that Advoware cannot hold: who is told of them, and when (specification, kalender.md 4).

Nothing is written to either side of such an appointment, and appointments have no record in EspoCRM whose task could
say so. So a run names each one once, when it is found out; what stands is listed by the audit and by asset checks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vmh_sync.kalender.audits.audit import Trouble
from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.decision.operations import FindingKind, MarkNotRepresentable
from vmh_sync.kalender.employee.employee_work import EmployeeWork
from vmh_sync.kalender.form.recurrence import OBSTACLE_TEXTS
from vmh_sync.store.store import Transaction

REMEDY = (
    "Es wird auf keiner Seite etwas geändert, bis die Serie in Google einfacher ist (eine Regel, keine verschobenen "
    "oder gelöschten Einzeltermine) oder in einzelne Termine geteilt wurde."
)


@dataclass(frozen=True, slots=True)
class Hindered:
    """One appointment that Advoware cannot hold. ``fr_nr`` is ``None`` for one that stands in Google only."""

    kuerzel: str
    fr_nr: int | None
    event: str | None
    reason: str

    def line(self) -> str:
        """Return it in one German line."""
        return f"{self.kuerzel}, {self.fr_nr if self.fr_nr is not None else 'nur in Google'}: {self.reason}"


def newly_hindered(works: Iterable[EmployeeWork]) -> list[Hindered]:
    """Return what this pass found out: pairs that have just become so, and events that were read and have no pair.

    A pair that was so before is not named again; an event without a pair is named when Google lists it, that is when
    it was changed and when everything is read.
    """
    return [found for work in works if work.plan is not None for found in _of(work)]


def _of(work: EmployeeWork) -> Iterable[Hindered]:
    plan = work.whole_plan
    if plan is None or plan.stopped is not None or work.failure is not None:
        return
    for operation in plan.operations:
        if isinstance(operation, MarkNotRepresentable):
            yield Hindered(work.kuerzel, operation.fr_nr, operation.event_id, operation.reason)
    for finding in plan.all_findings:
        if finding.kind is FindingKind.NOT_REPRESENTABLE and finding.fr_nr is None:
            yield Hindered(work.kuerzel, None, finding.event_id, finding.text)


async def of_linked(context: CalendarContext, kuerzel: Sequence[str] = ()) -> list[Trouble]:
    """Return all pairs that cannot be represented, from our own table alone; no foreign call."""
    wanted = {name.strip().upper() for name in kuerzel}

    def look(tx: Transaction) -> list[Trouble]:
        rows = tx.calendar_pairs.all()
        return [
            Trouble(row.kuerzel, "not_representable", _text(row.obstacle), row.frnr, row.event_id)
            for row in rows
            if row.obstacle and (not wanted or row.kuerzel.upper() in wanted)
        ]

    return await context.store.read(look)


def _text(obstacle: str) -> str:
    return f"In Advoware nicht darstellbar: {OBSTACLE_TEXTS.get(obstacle, obstacle)} {REMEDY}"
