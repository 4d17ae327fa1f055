"""How each appointment of an employee ends: carried out, or as a dry run foresees it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from vmh_sync import fence
from vmh_sync.coordination.errors import LeaseLost
from vmh_sync.engine.failures.isolation import isolated
from vmh_sync.engine.passes.pass_context import OwnedLease
from vmh_sync.kalender.apply.execute import Executor
from vmh_sync.kalender.apply.pair_book import PairBook, by_event
from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.decision.employee_plan import EmployeePlan, PlanItem
from vmh_sync.kalender.decision.operations import Decision, Finding, FindingKind
from vmh_sync.kalender.employee.employee_work import EmployeeWork
from vmh_sync.kalender.failure import ITEM_FAILURES, explain
from vmh_sync.kalender.reading.live_sides import LiveSides
from vmh_sync.kalender.state.pair_rows import record_id
from vmh_sync.kalender.telling.notice_texts import task_kind
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync.systems.google_calendar.errors import AccessTooLowError

_CONFLICTS = frozenset({FindingKind.CONFLICT, FindingKind.DELETED_AGAINST_CHANGE})


class _NoLease:
    """Who only looks holds none."""

    async def ensure(self) -> None:
        raise AssertionError("a dry run writes nothing")

    confirm = ensure


def executor_of(
    context: CalendarContext, work: EmployeeWork, lease: OwnedLease | None = None, *, exactly: bool = False
) -> Executor:
    """Return what carries the plan of an employee out; without a lease it can only foresee."""
    if work.stored is None or work.reads is None or work.decision is None or work.google is None:
        raise AssertionError("a work without failure has been planned")
    google, rows = work.google, work.stored.pairs
    return Executor(
        context=context,
        decision=work.decision,
        sides=LiveSides.as_read(context, work.kuerzel, google.calendar_id, work.reads.termine, google.changes.events),
        lease=lease or _NoLease(),
        book=PairBook(
            context=context,
            kuerzel=work.kuerzel,
            rows={row.frnr: row for row in rows if row.frnr is not None},
            intents=by_event(work.stored.intents),
        ),
        exactly=exactly,
    )


async def foresee(
    context: CalendarContext, work: EmployeeWork, plan: EmployeePlan
) -> tuple[EmployeePlan, list[RecordOutcome]]:
    """Return what a pass would come to: what colleagues' calendars keep from being done is not shown as done."""
    executor, items, outcomes = executor_of(context, work), list[PlanItem](), list[RecordOutcome]()
    for item in plan.items:
        outcome, comes_to = _at_rest(work, item), item
        if outcome is None and plan.stopped is None:
            outcome, comes_to = await foreseen(executor, work, item)
            if outcome is not None:
                text = Finding(FindingKind.PUT_OFF, outcome.error or "", item.fr_nr, item.event_id)
                comes_to = replace(item, decision=Decision(findings=(text,)))
        items.append(comes_to)
        outcomes.append(outcome or RecordOutcome(_name(work, item), Result.SYNCED))
    return replace(plan, items=tuple(items)), outcomes


async def foreseen(executor: Executor, work: EmployeeWork, item: PlanItem) -> tuple[RecordOutcome | None, PlanItem]:
    """Return how an item ends that something is in the way of, and what it comes to."""
    found = [item]

    async def look(one: PlanItem) -> None:
        found.append(await executor.foresee(one))

    return await _attempt(executor, work, item, look), found[-1]


async def carry_out(executor: Executor, work: EmployeeWork, item: PlanItem) -> RecordOutcome:
    """Carry out what is planned for one appointment; one that fails ends so, and touches no other."""
    outcome = _at_rest(work, item) or await _attempt(executor, work, item, executor.run)
    if outcome is None:
        done = executor.done
        conflicts = [finding for finding in done.findings if finding.kind in _CONFLICTS]
        work.lost += [finding for finding in done.findings if task_kind(finding) is not None]
        return RecordOutcome(
            _name(work, item),
            Result.SYNCED if done.changed else Result.UNCHANGED,
            advoware_writes=done.writes["advoware"],
            google_writes=done.writes["google"],
            conflicts=len(conflicts),
        )
    if outcome.error_class is not None and item.fr_nr is not None:
        with isolated(f"kalender {outcome.id}", lambda _: None):  # the outcome says it all the same
            await executor.book.fail(item.fr_nr, outcome.error or "")
    return outcome


def _name(work: EmployeeWork, item: PlanItem) -> str:
    return record_id(work.kuerzel, item.fr_nr, item.event_id)


def _at_rest(work: EmployeeWork, item: PlanItem) -> RecordOutcome | None:
    """Return how an appointment ends about which nothing is to be done; ``None`` for all others."""
    if item.put_off:
        return RecordOutcome(_name(work, item), Result.SKIPPED, error=f"Kalender {work.kuerzel}: {item.put_off}")
    return None if item.decision.operations else RecordOutcome(_name(work, item), Result.UNCHANGED)


async def _attempt(
    executor: Executor, work: EmployeeWork, item: PlanItem, do: Callable[[PlanItem], Awaitable[object]]
) -> RecordOutcome | None:
    """Return how an appointment ends that fails or has to wait; ``None`` when it is done."""
    name, failed = _name(work, item), list[Exception]()
    with isolated(f"kalender {name}", failed.append, foreseen=ITEM_FAILURES), fence.over_comes_first():
        await do(item)
    for error in failed:
        if isinstance(error, AccessTooLowError | LeaseLost):
            raise error  # no other event of this calendar can be written either: one message, not one for each
        writes = executor.done.writes
        ended = explain(error).outcome(name)
        return replace(ended, advoware_writes=writes["advoware"], google_writes=writes["google"])
    return None
