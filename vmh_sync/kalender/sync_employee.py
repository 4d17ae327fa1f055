"""One employee's calendar from reading to the stored outcome: fetch, plan, write.

The lease per Kürzel is held only while writing. What was read before is checked against our database under the lease:
if another run was there meanwhile, both sides are read and planned again.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from vmh_sync.coordination.errors import CoordinationUnavailable
from vmh_sync.coordination.leases import Lease
from vmh_sync.kalender.context import CalendarContext, full_read_age
from vmh_sync.kalender.employees import Employee
from vmh_sync.kalender.execute import Executor
from vmh_sync.kalender.failure import EMPLOYEE_FAILURES, ITEM_FAILURES, Failure, explain
from vmh_sync.kalender.live_sides import LiveSides
from vmh_sync.kalender.operations import FindingKind
from vmh_sync.kalender.pair_book import PairBook, record_id
from vmh_sync.kalender.pair_rows import Stored, full_read_cursor, pair_state, pending, read_stored
from vmh_sync.kalender.plan import EmployeePlan, PlanItem, plan_employee
from vmh_sync.kalender.reads import EmployeeReads, GoogleRead
from vmh_sync.kalender.sides import DecisionContext
from vmh_sync.kalender.window import window_at
from vmh_sync.kalender.wire_termin import to_fields
from vmh_sync.store.calendar import CalendarState
from vmh_sync.sync.outcome import RecordOutcome, Result
from vmh_sync.systems.advoware.records import Termin
from vmh_sync.systems.google_calendar.changes import Changes, read_changes
from vmh_sync.systems.google_calendar.errors import ForbiddenError, InsufficientPermissionsError, NotFoundError

FINDING_SECONDS = 60.0
"""How long a process waits for another one that is looking for the same calendar."""

_CONFLICTS = frozenset({FindingKind.CONFLICT, FindingKind.DELETED_AGAINST_CHANGE})


@dataclass(frozen=True, slots=True)
class How:
    """How a pass treats each employee; ``full_content`` None: as the settings say."""

    full_content: bool | None = None
    dry_run: bool = False
    allow_mass_change: bool = False


@dataclass(slots=True, repr=False)
class EmployeeWork:
    """One employee on the way through a pass. ``failure`` says why there is nothing to carry out."""

    employee: Employee
    stored: Stored | None = None
    calendar_id: str = ""
    moved: bool = False  # the calendar is another one than the stored one
    termine: tuple[Termin, ...] = ()
    changes: Changes | None = None
    generations: dict[int, int] = field(default_factory=dict)
    decision: DecisionContext | None = None
    reads: EmployeeReads | None = None
    plan: EmployeePlan | None = None
    failure: Failure | None = None
    outcomes: list[RecordOutcome] = field(default_factory=list)

    @property
    def kuerzel(self) -> str:
        """Whose calendar."""
        return self.employee.kuerzel


async def fetch(context: CalendarContext, employee: Employee, how: How) -> EmployeeWork:
    """Read our database, Advoware's list and Google's changes of one employee; errors become its ``failure``."""
    work = EmployeeWork(employee)
    try:
        await _fetch(context, work, how)
    except EMPLOYEE_FAILURES as error:
        work.failure = explain(error)
    return work


async def _fetch(context: CalendarContext, work: EmployeeWork, how: How) -> None:
    kuerzel = work.kuerzel
    work.stored = stored = await asyncio.to_thread(read_stored, context.store, kuerzel)
    window = window_at(context.clock.now(), context.rules)
    # Advoware first: without its list nothing is done, and no calendar is created in vain.
    termine = await context.advoware.list_termine(kuerzel, window.start, window.end)
    if how.dry_run and stored.state.calendar_id is None:
        work.changes = Changes((), "", full=True, pages=0)
    else:
        await _read_google(context, work, stored, recreate=context.settings.recreate_calendars and not how.dry_run)
    work.decision = DecisionContext(
        kuerzel=kuerzel,
        window=window,
        rules=context.rules,
        kanzlei=context.kanzlei,
        full_content=context.wants_full_content(kuerzel, how.full_content),
        google_deletions_trusted=not work.moved,
    )
    work.termine = tuple(termine)
    paired = {row.frnr for row in stored.pairs}
    unpaired = [termin.fr_nr for termin in termine if termin.fr_nr not in paired]
    work.generations = await asyncio.to_thread(_generations, context, kuerzel, unpaired)


def map_fields(work: EmployeeWork) -> EmployeeWork:
    """Bring what was read into the form in which both sides are compared; no I/O."""
    stored, changes, decision = work.stored, work.changes, work.decision
    if work.failure is None and stored is not None and changes is not None and decision is not None:
        rules = decision.rules
        work.reads = EmployeeReads(
            termine=tuple(to_fields(termin) for termin in work.termine),
            events=tuple(event.raw for event in changes.events),
            pairs=tuple(state for row in stored.pairs if (state := pair_state(row, rules)) is not None),
            google_read=GoogleRead.FULL if changes.full else GoogleRead.DELTA,
            intents=pending(stored.intents, rules),
            next_generations=work.generations,
        )
    return work


def _generations(context: CalendarContext, kuerzel: str, numbers: list[int]) -> dict[int, int]:
    if not numbers:
        return {}
    with context.store.reading() as tx:
        last = {number: tx.calendar_pairs.last_generation(kuerzel, number) for number in numbers}
    return {number: generation + 1 for number, generation in last.items() if generation is not None}


async def _read_google(context: CalendarContext, work: EmployeeWork, stored: Stored, *, recreate: bool) -> None:
    token = None if _needs_full_read(context, stored) else stored.state.sync_token
    known = stored.state.calendar_id
    google = context.google
    if known is not None:
        try:
            work.calendar_id = known
            work.changes = await google.run(lambda: read_changes(google.client, known, token))
            return
        except InsufficientPermissionsError:
            raise
        except (NotFoundError, ForbiddenError):
            pass  # deleted by hand, or access was taken away: look for it, and say so if it is gone
    found_id = await _find_calendar(context, work.employee, stored, recreate=recreate)
    work.calendar_id = found_id
    work.moved = known is not None and known != found_id
    work.changes = await google.run(lambda: read_changes(google.client, found_id, None))


async def _find_calendar(context: CalendarContext, employee: Employee, stored: Stored, *, recreate: bool) -> str:
    """Find or create the calendar and note it; one process at a time, or there would be two of the same name."""
    known, google = stored.state.calendar_id, context.google
    async with context.leases.hold(f"kalender-anlegen:{employee.kuerzel.upper()}", wait=FINDING_SECONDS) as lease:
        if lease is None:
            raise CoordinationUnavailable("another process is still looking for this calendar")
        now = await asyncio.to_thread(read_stored, context.store, employee.kuerzel)
        if known is None and now.state.calendar_id is not None:
            return now.state.calendar_id
        found = await google.run(
            lambda: google.directory.find_or_create(
                employee.kuerzel, email=employee.email, stored_id=known, recreate=recreate
            )
        )
        if known is None:
            await _remember_calendar(context, stored, found.id)
    return found.id


async def _remember_calendar(context: CalendarContext, stored: Stored, calendar_id: str) -> None:
    def store() -> None:
        with context.store.transaction() as tx:
            state = tx.calendar_states.get(stored.state.kuerzel) or stored.state
            tx.calendar_states.upsert(replace(state, calendar_id=calendar_id))

    await asyncio.to_thread(store)


def _needs_full_read(context: CalendarContext, stored: Stored) -> bool:
    """Pairs without a base and open intents are decided by a full list; and now and then everything is read."""
    if stored.intents or any(not row.base for row in stored.pairs):
        return True
    age = full_read_age(stored.state.kuerzel, context.settings.full_read_days)
    return stored.full_read_at is None or context.clock.now() - stored.full_read_at >= age


def plan(work: EmployeeWork) -> EmployeeWork:
    """Decide what is to be done; no I/O."""
    if work.failure is None and work.reads is not None and work.decision is not None:
        work.plan = plan_employee(work.reads, work.decision)
    return work


async def write(context: CalendarContext, work: EmployeeWork, how: How) -> list[RecordOutcome]:
    """Carry the plan out under the employee's lease and store how it ended; returns one outcome per appointment.

    A dry run writes nothing. A failed employee is one failed outcome named by the Kürzel.
    """
    if work.failure is None and not how.dry_run:
        try:
            await _write_under_lease(context, work, how)
        except EMPLOYEE_FAILURES as error:
            work.failure = explain(error)
    if how.dry_run and work.plan is not None and work.failure is None:
        work.outcomes = [_planned(work, item) for item in work.plan.items]
        if work.plan.stopped is not None:
            work.failure = Failure(work.plan.stopped, "GuardTripped", retryable=False)
    if work.failure is not None:
        work.outcomes.append(_failed_employee(work))
        if not how.dry_run:
            await _remember_failure(context, work)
    return work.outcomes


@asynccontextmanager
async def employee_lease(context: CalendarContext, kuerzel: str, wait: float = 0) -> AsyncIterator[Lease | None]:
    """Hold the lease of one employee; ``None`` while somebody else has it."""
    async with context.leases.hold(lease_name(kuerzel), wait=wait) as lease:
        yield lease


def lease_name(kuerzel: str) -> str:
    """Return the name of the lease that every writer of an employee's calendar holds."""
    return f"kalender:{kuerzel.strip().upper()}"


async def _write_under_lease(context: CalendarContext, work: EmployeeWork, how: How) -> None:
    async with employee_lease(context, work.kuerzel) as lease:
        if lease is None:
            text = "Für dieses Kürzel läuft bereits ein Abgleich."
            work.outcomes.append(RecordOutcome(work.kuerzel, Result.SKIPPED, error=text))
            return
        now = await asyncio.to_thread(read_stored, context.store, work.kuerzel)
        if work.stored is None or now.version != _expected_version(work):
            await _fetch(context, work, how)
            plan(map_fields(work))
        if work.plan is None or work.decision is None or work.stored is None or work.reads is None:
            raise AssertionError("a work without failure has been planned")
        if work.plan.stopped is not None and not (how.allow_mass_change and _is_mass_change(work)):
            work.failure = Failure(work.plan.stopped, "GuardTripped", retryable=False)
            return
        await _carry_out(context, work, lease)


def _is_mass_change(work: EmployeeWork) -> bool:
    return work.plan is not None and bool(work.plan.items)


def _expected_version(work: EmployeeWork) -> tuple[object, ...]:
    stored = work.stored
    if stored is None:
        return ()
    if stored.state.calendar_id is None:
        # The calendar was noted when it was found.
        stored = replace(stored, state=replace(stored.state, calendar_id=work.calendar_id))
    return stored.version


async def _carry_out(context: CalendarContext, work: EmployeeWork, lease: Lease) -> None:
    stored, reads, decision, made = work.stored, work.reads, work.decision, work.plan
    changes = work.changes
    if stored is None or reads is None or decision is None or made is None or changes is None:
        raise AssertionError("a work without failure has been planned")
    book = PairBook(
        context=context,
        kuerzel=work.kuerzel,
        rows={row.frnr: row for row in stored.pairs if row.frnr is not None},
        intents={str(intent.natural_key["event_id"]): intent for intent in stored.intents},
    )
    executor = Executor(
        context=context,
        decision=decision,
        sides=LiveSides(
            context=context,
            kuerzel=work.kuerzel,
            calendar_id=work.calendar_id,
            termine={termin.fr_nr: termin for termin in reads.termine},
            events={event.id: event for event in changes.events if not event.cancelled and not event.is_exception},
        ),
        lease=lease,
        book=book,
    )
    for item in made.items:
        outcome = await _item(executor, work, item)
        work.outcomes.append(outcome)
        if outcome.concerns_all:
            work.failure = Failure(outcome.error or "", outcome.error_class or "", concerns_all=True)
            return
    await _remember_success(context, work)


async def _item(executor: Executor, work: EmployeeWork, item: PlanItem) -> RecordOutcome:
    name = record_id(work.kuerzel, item.fr_nr, item.event_id)
    if not item.decision.operations:
        return RecordOutcome(name, Result.UNCHANGED)
    try:
        done = await executor.run(item)
    except ITEM_FAILURES as error:
        failure = explain(error)
        if item.fr_nr is not None:
            await executor.book.fail(item.fr_nr, failure.message)
        return RecordOutcome(
            name,
            Result.FAILED,
            error=failure.message,
            error_class=failure.error_class,
            retryable=failure.retryable,
            concerns_all=failure.concerns_all,
            advoware_writes=executor.done.writes["advoware"],
            google_writes=executor.done.writes["google"],
        )
    return RecordOutcome(
        name,
        Result.SYNCED if done.changed else Result.UNCHANGED,
        advoware_writes=done.writes["advoware"],
        google_writes=done.writes["google"],
        conflicts=sum(1 for finding in done.findings if finding.kind in _CONFLICTS),
    )


def _planned(work: EmployeeWork, item: PlanItem) -> RecordOutcome:
    result = Result.SYNCED if item.decision.operations else Result.UNCHANGED
    return RecordOutcome(record_id(work.kuerzel, item.fr_nr, item.event_id), result)


def _failed_employee(work: EmployeeWork) -> RecordOutcome:
    failure = work.failure
    if failure is None:
        raise AssertionError("asked for the failure of an employee without one")
    return RecordOutcome(
        work.kuerzel,
        Result.FAILED,
        error=f"Kalender {work.kuerzel}: {failure.message}",
        error_class=failure.error_class,
        retryable=failure.retryable,
        concerns_all=failure.concerns_all,
    )


async def _remember_success(context: CalendarContext, work: EmployeeWork) -> None:
    """Store the new token only when every appointment is done: else the next list names the rest again."""
    changes, decision = work.changes, work.decision
    if changes is None or decision is None:
        return
    failed = [outcome for outcome in work.outcomes if outcome.result is Result.FAILED]
    error = f"{len(failed)} Termine fehlerhaft: {failed[0].error}" if failed else None
    now = context.clock.now()

    def store() -> None:
        with context.store.transaction() as tx:
            state = tx.calendar_states.get(work.kuerzel) or CalendarState(kuerzel=work.kuerzel)
            state = replace(state, last_error=error, anonymised=not decision.full_content)
            if not failed:
                state = replace(state, calendar_id=work.calendar_id, sync_token=changes.token, last_success_at=now)
                if changes.full:
                    tx.cursors.set(full_read_cursor(work.kuerzel), now.isoformat())
            tx.calendar_states.upsert(state)

    await asyncio.to_thread(store)


async def _remember_failure(context: CalendarContext, work: EmployeeWork) -> None:
    message = work.failure.message if work.failure is not None else None

    def store() -> None:
        with context.store.transaction() as tx:
            state = tx.calendar_states.get(work.kuerzel) or CalendarState(kuerzel=work.kuerzel)
            tx.calendar_states.upsert(replace(state, last_error=message))

    await asyncio.to_thread(store)


async def sync_employee(context: CalendarContext, employee: Employee, how: How) -> EmployeeWork:
    """One whole pass over one employee; never raises for what concerns only this employee."""
    work = plan(map_fields(await fetch(context, employee, how)))
    await write(context, work, how)
    return work


def phase_counts(works: list[EmployeeWork]) -> dict[str, int]:
    """Return numbers per phase and side over several employees, for a run's metadata."""
    numbers: Counter[str] = Counter()
    for work in works:
        numbers["employees"] += 1
        numbers["employees_failed"] += work.failure is not None
        if work.reads is not None:
            numbers["read_advoware"] += len(work.reads.termine)
            numbers["read_google"] += len(work.reads.events)
        if work.changes is not None and work.changes.full:
            numbers["google_full_reads"] += 1
            if work.changes.reset_reason:
                numbers[f"google_token_refused_{work.changes.reset_reason}"] += 1
        if work.plan is not None:
            numbers.update({f"plan_{name}": count for name, count in work.plan.counts().items()})
    return dict(numbers)
