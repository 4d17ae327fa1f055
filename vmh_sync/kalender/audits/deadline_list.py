"""The daily word on deadlines: do both calendars agree, employee by employee, and what does each rule catch.

Both sides are read as a whole. What a pass would still do about a deadline is a difference, and so is a time that the
two sides show differently for whatever reason.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.decision.deadlines import rule_for
from vmh_sync.kalender.decision.employee_plan import PlanItem
from vmh_sync.kalender.employee.employee_work import EmployeeWork, SyncOptions
from vmh_sync.kalender.employee.sync_employee import fetch as fetch_employee
from vmh_sync.kalender.employee.sync_employee import map_fields, plan
from vmh_sync.kalender.form.advoware_form import read_termin
from vmh_sync.kalender.form.google_form import read_event
from vmh_sync.kalender.model import (
    TIME_FIELDS,
    Appointment,
    CalendarRules,
    TerminFields,
    UnreadableAppointmentError,
    changed_fields,
)
from vmh_sync.kalender.reading.employees import Employee, select
from vmh_sync.kalender.telling.notice_texts import appointment, label, list_text, shown, shown_as
from vmh_sync.kalender.telling.notices import Delivery, Notice, deliver, note
from vmh_sync.store.store import Transaction
from vmh_sync.sync.planning.plan import TaskKind


@dataclass(frozen=True, slots=True, repr=False)
class DeadlineReport:
    """One employee's deadlines from today on. ``differences`` are German lines with titles, for people who ask."""

    employee: Employee
    deadlines: int
    by_rule: dict[str, int] = field(default_factory=dict)
    differences: tuple[str, ...] = ()
    delivery: Delivery = field(default_factory=Delivery)

    def to_json(self) -> dict[str, object]:
        """Return it as plain data."""
        return {
            "kuerzel": self.employee.kuerzel,
            "deadlines": self.deadlines,
            "rules": self.by_rule,
            "agree": not self.differences,
            "differences": list(self.differences),
            "tasks": {"written": self.delivery.told, "waiting": self.delivery.waiting},
        }


def caught(termine: Iterable[TerminFields], rules: CalendarRules) -> dict[int, tuple[str, Appointment]]:
    """Return frNr → the rule that makes a Termin a deadline, and its normal form; unreadable ones are left out."""
    found: dict[int, tuple[str, Appointment]] = {}
    for termin in termine if rules.deadlines else ():
        try:
            form = read_termin(termin, rules)
        except UnreadableAppointmentError:
            continue
        rule = rule_for(form, termin.az_rubrum, rules)
        if rule is not None:
            found[termin.fr_nr] = (rule.name, form)
    return found


def counted(numbers: Iterable[dict[int, tuple[str, Appointment]]], rules: CalendarRules) -> dict[str, int]:
    """Return how many Termine each rule catches, one that stands in several calendars once, and 0 where none."""
    every = {fr_nr: name for one in numbers for fr_nr, (name, _) in one.items()}
    counts = Counter(every.values())
    return {rule.name: counts[rule.name] for rule in rules.deadlines}


async def deadline_reports(
    context: CalendarContext, kuerzel: Sequence[str] = (), *, send: bool = False
) -> list[DeadlineReport]:
    """Compare the deadlines of the named employees (or all); ``send`` tells each one. Raises Advoware's errors."""
    chosen = await select(context, kuerzel)
    return [await _report(context, employee, send=send) for employee in chosen.employees]


async def _report(context: CalendarContext, employee: Employee, *, send: bool) -> DeadlineReport:
    work = plan(map_fields(await fetch_employee(context, employee, SyncOptions(dry_run=True, whole=True))))
    today = context.clock.now().astimezone(context.rules.zone).date()
    found = caught(work.reads.termine if work.reads is not None else (), context.rules)
    ahead = {fr_nr: one for fr_nr, one in found.items() if _reaches(one[1], today)}
    differences = tuple(_differences(context, work, ahead))
    by_rule = counted([ahead], context.rules)
    delivery = await _send(context, employee, today, len(ahead), differences) if send else Delivery()
    return DeadlineReport(employee, len(ahead), by_rule, differences, delivery)


def _reaches(form: Appointment, day: date) -> bool:
    series = form.recurrence
    if series is not None:
        return series.until is None or series.until >= day
    return form.end.date() >= day


def _differences(
    context: CalendarContext, work: EmployeeWork, ahead: dict[int, tuple[str, Appointment]]
) -> Iterator[str]:
    if work.failure is not None:
        yield f"Der Kalender konnte nicht verglichen werden: {work.failure.message}"
    if work.plan is None or work.reads is None:
        return
    if work.plan.stopped is not None:
        yield f"Der Abgleich ist angehalten: {work.plan.stopped}"
    unreadable = [one for one in work.plan.findings if one.fr_nr is not None]
    if unreadable:
        yield f"{len(unreadable)} Termine in Advoware sind nicht lesbar; ob Fristen darunter sind, ist nicht bekannt"
    told: set[int] = set()
    for item in work.plan.items:
        if item.fr_nr in ahead and (item.writes or item.decision.findings):
            told.add(item.fr_nr)
            yield _pending(work.kuerzel, item, ahead[item.fr_nr][1])
    yield from _other_times(context, work, {nr: form for nr, (_, form) in ahead.items() if nr not in told})


def _pending(kuerzel: str, item: PlanItem, form: Appointment) -> str:
    name = appointment(form, kuerzel, item.fr_nr, item.event_id)
    changes = [change for finding in item.decision.findings for change in finding.changes]
    changes = changes or [change for one in item.decision.operations for change in getattr(one, "changes", ())]
    values = "; ".join(
        f"{label(one.name)}: in Advoware {shown_as(one.name, one.new)}, in Google {shown_as(one.name, one.old)}"
        for one in changes
    )
    reasons = [finding.text for finding in item.decision.findings] + [one.reason for one in item.decision.operations]
    return f"{name}: {values or reasons[0]}"


def _other_times(context: CalendarContext, work: EmployeeWork, forms: dict[int, Appointment]) -> Iterator[str]:
    if work.reads is None:
        return
    events = {str(event.get("id")): event for event in work.reads.events}
    ids = {pair.fr_nr: pair.event_id for pair in work.reads.pairs}
    for fr_nr, form in forms.items():
        event = events.get(ids.get(fr_nr, ""))
        if event is None:
            yield f"{appointment(form, work.kuerzel, fr_nr, None)}: fehlt in Google"
            continue
        other = read_event(event, context.rules).form
        for name in sorted(changed_fields(form, other) & TIME_FIELDS):
            values = f"in Advoware {shown(getattr(form, name))}, in Google {shown(getattr(other, name))}"
            yield f"{appointment(form, work.kuerzel, fr_nr, None)}: {label(name)}: {values}"


async def _send(
    context: CalendarContext, employee: Employee, today: date, deadlines: int, differences: Sequence[str]
) -> Delivery:
    text = list_text(employee.kuerzel, today, deadlines, differences)
    record = f"{employee.kuerzel}/fristen"
    notice = Notice(employee.kuerzel, record, TaskKind.DEADLINE_LIST, text, situation=today.isoformat())

    def store(tx: Transaction) -> None:
        note(tx, notice)

    await context.store.write(store)
    return await deliver(context, employee)
