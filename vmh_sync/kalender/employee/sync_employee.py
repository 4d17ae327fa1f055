"""One employee's calendar from reading to the stored outcome: fetch, plan, write.

The lease per Kürzel is held only while writing. What was read before is checked against our database under the lease:
if another run was there meanwhile, both sides are read and planned again.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from vmh_sync.coordination.errors import LeaseLost
from vmh_sync.coordination.leases import Lease
from vmh_sync.engine.failures.isolation import isolated
from vmh_sync.engine.selecting.second_look import second_look
from vmh_sync.engine.writing.failure import Failure
from vmh_sync.kalender.apply.execute import Executor
from vmh_sync.kalender.apply.moves import pairs_elsewhere
from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.decision.employee_plan import PlanItem
from vmh_sync.kalender.decision.reads import EmployeeReads, GoogleRead, PairElsewhere
from vmh_sync.kalender.decision.sides import DecisionContext
from vmh_sync.kalender.employee.doubtful_pairs import note_doubts
from vmh_sync.kalender.employee.each_appointment import carry_out, executor_of, foresee, foreseen
from vmh_sync.kalender.employee.employee_work import EmployeeWork, SyncOptions
from vmh_sync.kalender.employee.ending import ending_of, failures_of, unreadable_outcomes
from vmh_sync.kalender.employee.kept import Kept, read_kept
from vmh_sync.kalender.employee.progress import LoadProgress
from vmh_sync.kalender.employee.sync_state import remember_failure, remember_success
from vmh_sync.kalender.failure import EMPLOYEE_FAILURES, explain
from vmh_sync.kalender.form.google_form import read_mark
from vmh_sync.kalender.form.window import Window, window_at
from vmh_sync.kalender.form.wire_termin import to_fields
from vmh_sync.kalender.plan import plan_employee
from vmh_sync.kalender.reading.calendar_read import CalendarRead, came_into_view, read_calendar
from vmh_sync.kalender.reading.employees import Employee
from vmh_sync.kalender.reading.push import keep_channel
from vmh_sync.kalender.reading.unanswered import look_around
from vmh_sync.kalender.reading.unlisted import restored_events, termine_beyond, unstored_inserts
from vmh_sync.kalender.reading.unmarked_moves import events_made_anew
from vmh_sync.kalender.state.frozen_plan import not_approved, save_stopped
from vmh_sync.kalender.state.lease_names import lease_name
from vmh_sync.kalender.state.ledger import held_back, left_alone
from vmh_sync.kalender.state.pair_rows import Stored, pair_state, read_version, record_id
from vmh_sync.kalender.telling.notices import Delivery, deliver
from vmh_sync.kalender.telling.task_answers import hear_answers
from vmh_sync.store.history.tasks import ManualTask
from vmh_sync.store.store import Transaction
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync.systems.advoware.records import Termin
from vmh_sync.systems.google_calendar.events import Event
from vmh_sync.systems.spoilt_row import SpoiltRow

LOOKS_AGAIN_AFTER = timedelta(minutes=1)
"""So long a plan is carried out before both sides are looked at again: edits do not wait behind a first load."""


async def fetch(context: CalendarContext, employee: Employee, how: SyncOptions) -> EmployeeWork:
    """Read our database, Advoware's list and Google's changes of one employee; errors become its ``failure``.

    Who is being synced elsewhere is not even read (a first load of an hour would be read whole at every tick), unless
    it is to be waited for: what was just changed was perhaps changed too late for the other pass.
    """
    work = EmployeeWork(employee)
    try:
        with isolated(work.name, work.blame):
            waits = how.dry_run or how.wait_seconds > 0
            if not waits and await context.leases.holder(lease_name(employee.kuerzel)) is not None:
                work.outcomes.append(_busy(work))
                return work
            kept = await context.store.read(read_kept, work.kuerzel)
            if kept.asked and not how.dry_run:
                await _hear_people(context, work, kept.asked)
                kept = await context.store.read(read_kept, work.kuerzel)
            await _fetch(context, work, how, kept)
    except EMPLOYEE_FAILURES as error:
        work.blame(error)
    return work


async def _hear_people(context: CalendarContext, work: EmployeeWork, asked: Sequence[ManualTask]) -> None:
    """Take what people answered in EspoCRM; while it does not answer, appointments are synced all the same."""
    try:
        await hear_answers(context, work.kuerzel, asked)
    except EMPLOYEE_FAILURES as error:
        work.delivery = Delivery(reason=explain(error).message)


async def _fetch(context: CalendarContext, work: EmployeeWork, how: SyncOptions, kept: Kept) -> None:
    kuerzel, stored, work.attempts = work.kuerzel, kept.stored, kept.attempts
    work.stored, window = stored, window_at(context.clock.now(), context.rules)
    looked = window.wide() if stored.intents else window
    # Advoware first: without its list nothing is done, and no calendar is created in vain.
    termine = await _list_termine(context, work, stored, looked)
    paired = {row.frnr for row in stored.pairs}
    new = [termin for termin in termine if termin.fr_nr not in paired]
    unpaired = [termin.fr_nr for termin in new]
    # A new Termin may be what waits in Google, or the pairs were lost: a delta does not name its event.
    whole = how.whole or bool(new and (stored.waiting or not stored.pairs)) or came_into_view(context, stored, new)
    if how.keeps_delays:
        work.held = held_back(work.attempts, map(to_fields, termine), context.rules, context.clock.now())
    work.google = read = await _read_google(context, work, stored, look_only=how.dry_run, whole=whole)
    work.decision = DecisionContext(
        kuerzel=kuerzel,
        window=window,
        rules=context.rules,
        kanzlei=context.kanzlei,
        full_content=context.wants_full_content(kuerzel, how.full_content),
        google_deletions_trusted=not read.moved,
    )
    termine += await termine_beyond(context, stored, read.changes.events, termine, window)
    work.termine = tuple(termine)
    numbers = {termin.fr_nr for termin in termine}
    work.made_anew = await events_made_anew(context, stored, read.changes.events, numbers)
    work.unanswered = await look_around(context, kuerzel, stored, numbers, looked)
    work.generations = await context.store.read(_generations, kuerzel, unpaired) if unpaired else {}
    await _look_elsewhere(context, work, stored, read.changes.events)


async def _list_termine(context: CalendarContext, work: EmployeeWork, stored: Stored, looked: Window) -> list[Termin]:
    spoilt: list[SpoiltRow] = []

    async def listed() -> list[Termin]:
        return await context.advoware.list_termine(work.kuerzel, looked.start, looked.end, spoilt)

    # From none, deletions would follow for what is paired, and creates for what a calendar holds at first contact.
    follows = bool(stored.pairs) or stored.state.last_success_at is None
    termine = await listed()
    if not spoilt:
        termine = list(await second_look(termine, listed, something_follows=follows))
    unreadable = [number for row in spoilt if (number := _number(row)) is not None]
    work.nameless_termine = len(spoilt) - len(unreadable)
    # A Termin without any content: nothing is decided about it, and a finding says so.
    return termine + [Termin.model_validate({Termin.FIELDS["fr_nr"]: number}) for number in unreadable]


async def _read_google(
    context: CalendarContext, work: EmployeeWork, stored: Stored, *, look_only: bool, whole: bool
) -> CalendarRead:
    """Read the calendar, without the events of what is held back; what Google names is held back no longer."""
    unread = {one.event_id for one in work.held.values()}
    due = replace(stored, unsettled=tuple(event_id for event_id in stored.unsettled if event_id not in unread))
    read = await read_calendar(context, work.employee, due, look_only=look_only, whole=whole)
    context.lately.forget()  # an event that was deleted until now may have been moved later than that was read
    named = {str(event.recurring_event_id or event.id) for event in read.changes.events}
    work.held = {name: one for name, one in work.held.items() if not read.changes.full and one.event_id not in named}
    return read


async def _look_elsewhere(
    context: CalendarContext, work: EmployeeWork, stored: Stored, events: Sequence[Event]
) -> None:
    """Ask our database what it knows of marked events that no pair of this calendar names."""
    kuerzel = work.kuerzel
    marks = {event.id: mark for event in events if (mark := read_mark(event.raw)) is not None}
    paired_events = {row.event_id for row in stored.pairs}
    marked = {event_id: mark.fr_nr for event_id, mark in marks.items() if event_id not in paired_events}
    paired = {row.frnr for row in stored.pairs}
    loose = [event_id for event_id, mark in marks.items() if mark.fr_nr not in paired]

    def look(tx: Transaction) -> tuple[dict[int, PairElsewhere], frozenset[str], frozenset[str]]:
        elsewhere = pairs_elsewhere(tx, context.kanzlei, kuerzel, marked, context.rules)
        return (
            elsewhere,
            unstored_inserts(tx, context.kanzlei, kuerzel, marked),
            restored_events(tx, kuerzel, loose),
        )

    known = await context.store.read(look) if marked or loose else ({}, frozenset[str](), frozenset[str]())
    work.elsewhere, work.unstored, work.restored = known


def _number(row: SpoiltRow) -> int | None:
    number = row.attributes.get(Termin.FIELDS["fr_nr"])
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def map_fields(work: EmployeeWork) -> EmployeeWork:
    """Bring what was read into the form in which both sides are compared; no I/O."""
    stored, google, decision = work.stored, work.google, work.decision
    if work.failure is not None or stored is None or google is None or decision is None:
        return work
    rules = decision.rules
    with isolated(work.name, work.blame):
        away = work.unanswered.elsewhere
        work.reads = EmployeeReads(
            termine=tuple(to_fields(termin) for termin in work.termine),
            events=tuple(event.raw for event in google.changes.events),
            pairs=tuple(one for row in google.pairs_in_it(stored) if (one := pair_state(row, rules)) is not None),
            google_read=GoogleRead.FULL if google.changes.full else GoogleRead.DELTA,
            whole_series=google.whole_series,
            intents=work.unanswered.intents,
            held=frozenset(one.event_id for one in work.held.values() if one.event_id is not None),
            colleagues=None if away is None else tuple(to_fields(termin) for termin in away),
            next_generations=work.generations,
            advoware_complete=not work.nameless_termine,
            waiting=stored.waiting,
            elsewhere=work.elsewhere,
            first_contact=stored.first_contact or google.moved,
            decided=stored.decided,
            restored=work.restored,
            unstored=work.unstored,
            made_anew=work.made_anew,
            nameless_termine=work.nameless_termine,
            nameless_events=google.changes.nameless,
        )
    return work


def _generations(tx: Transaction, kuerzel: str, numbers: list[int]) -> dict[int, int]:
    last = {number: tx.calendar_pairs.last_generation(kuerzel, number) for number in numbers}
    return {number: generation + 1 for number, generation in last.items() if generation is not None}


def plan(work: EmployeeWork) -> EmployeeWork:
    """Decide what is to be done; no I/O."""
    if work.failure is None and work.reads is not None and work.decision is not None:
        with isolated(work.name, work.blame):
            work.plan = plan_employee(work.reads, work.decision)
    return work


async def write(
    context: CalendarContext, work: EmployeeWork, how: SyncOptions, progress: LoadProgress | None = None
) -> list[RecordOutcome]:
    """Carry the plan out under the employee's lease and store how it ended; returns one outcome per appointment.

    A dry run writes nothing. A failed employee is one failed outcome named by the Kürzel. ``progress`` hears of every
    appointment that was to be written.
    """
    if work.failure is None and work.plan is not None:
        try:
            with isolated(work.name, work.blame):
                if how.dry_run:
                    work.plan, work.outcomes = await foresee(context, work, work.plan)
                else:
                    await _write_under_lease(context, work, how, progress)
        except EMPLOYEE_FAILURES as error:
            work.blame(error)
    if how.dry_run and work.plan is not None and work.failure is None and work.plan.stopped is not None:
        work.failure = Failure(work.plan.stopped, "GuardTripped", retryable=False)
    work.tell_all_outcomes()
    if work.failure is not None:
        work.outcomes.append(_failed_employee(work, work.failure))
        # Whoever lost the lease notes nothing: the calendar is somebody else's by now.
        if not how.dry_run and work.failure.error_class != LeaseLost.__name__:
            await remember_failure(context, work.kuerzel, work.failure.message)
    elif work.google is not None and work.google.remark is not None:
        work.outcomes.append(_failed_employee(work, work.google.remark))
    if not how.dry_run:
        await _tell_people(context, work)
    return work.outcomes


async def _tell_people(context: CalendarContext, work: EmployeeWork) -> None:
    """Write what waits to be told as tasks; what does not succeed waits for the next pass, and fails no appointment."""
    try:
        told = await deliver(context, work.employee)
        work.delivery = replace(told, reason=told.reason or work.delivery.reason)
    except EMPLOYEE_FAILURES as error:
        work.delivery = Delivery(reason=explain(error).message)


@asynccontextmanager
async def employee_lease(context: CalendarContext, kuerzel: str, wait: float = 0) -> AsyncIterator[Lease | None]:
    """Hold the lease of one employee; ``None`` while somebody else has it."""
    async with context.leases.hold(lease_name(kuerzel), wait=wait) as lease:
        yield lease


async def _write_under_lease(
    context: CalendarContext, work: EmployeeWork, how: SyncOptions, progress: LoadProgress | None
) -> None:
    async with employee_lease(context, work.kuerzel, how.wait_seconds) as lease:
        work.busy = lease is None
        if lease is None:
            work.outcomes.append(_busy(work))
            return
        now = await context.store.read(read_version, work.kuerzel)
        if work.stored is None or now != _expected_version(work):
            await _look_again(context, work, how, progress)
        while not await _is_stopped(context, work, how) and not await _carry_out(context, work, lease, how, progress):
            await _look_again(context, work, how, progress)


async def _look_again(
    context: CalendarContext, work: EmployeeWork, how: SyncOptions, progress: LoadProgress | None
) -> None:
    """Read and plan anew what is left; how appointments have ended so far stays known."""
    await _fetch(context, work, how, await context.store.read(read_kept, work.kuerzel))
    plan(map_fields(work))
    if progress is not None and work.plan is not None:
        progress.replanned(work.kuerzel, work.plan.writing)


async def _is_stopped(context: CalendarContext, work: EmployeeWork, how: SyncOptions) -> bool:
    """Tell whether nothing of the plan may be carried out; it is stored for a person then."""
    if work.failure is not None:
        return True
    if work.plan is None or work.decision is None or work.stored is None or work.reads is None:
        raise AssertionError("a work without failure has been planned")
    allowed = (how.allow_mass_change or how.approved is not None) and _is_mass_change(work)
    if work.plan.stopped is None or allowed:
        return False
    remedy = await asyncio.to_thread(save_stopped, context.store, context.clock, work.plan, how.full_content)
    work.failure = Failure(f"{work.plan.stopped}{remedy}", "GuardTripped", retryable=False)
    return True


def _busy(work: EmployeeWork) -> RecordOutcome:
    text = f"Kalender {work.kuerzel}: Für dieses Kürzel läuft bereits ein Abgleich."
    return RecordOutcome(work.kuerzel, Result.SKIPPED, error=text)


def _is_mass_change(work: EmployeeWork) -> bool:
    return work.plan is not None and bool(work.plan.items)


def _expected_version(work: EmployeeWork) -> tuple[object, ...]:
    stored = work.stored
    if stored is None:
        return ()
    if stored.state.calendar_id is None:
        # The calendar was noted when it was found.
        found = work.google.calendar_id if work.google is not None else None
        stored = replace(stored, state=replace(stored.state, calendar_id=found))
    return stored.version


async def _carry_out(
    context: CalendarContext, work: EmployeeWork, lease: Lease, how: SyncOptions, progress: LoadProgress | None
) -> bool:
    """Carry the plan out, and store how it ended; false when it is time for another look before the rest is done."""
    stored, reads, decision, made, google = work.stored, work.reads, work.decision, work.plan, work.google
    if stored is None or reads is None or decision is None or made is None or google is None:
        raise AssertionError("a work without failure has been planned")
    executor = executor_of(context, work, lease, exactly=how.approved is not None)
    await executor.book.close_all_but(google.pairs_in_it(stored))
    work.keep_outcomes()
    looks_again: datetime | None = None  # reckoned from the first that is new: what moves each minute is not all
    for item in made.items:
        if item.writes and looks_again is not None and context.clock.now() >= looks_again:
            return False
        if item.writes and looks_again is None and how.approved is None and work.is_untried(item):
            looks_again = context.clock.now() + LOOKS_AGAIN_AFTER
        outcome = work.failed_before(item) or await _outcome_of(context, executor, work, item, how)
        work.ended(item, outcome)
        if progress is not None and item.writes:
            progress.wrote(work.kuerzel)
        if outcome.concerns_all:
            work.failure = Failure(outcome.error or "", outcome.error_class or "", concerns_all=True)
            return True
    await lease.ensure()
    failures = failures_of(work, made)
    ending = ending_of(work, made, google, failures)
    shown = {outcome.id for outcome in work.outcomes}
    work.outcomes += [work.attempts[name].outcome() for name in sorted(failures.waiting - shown)]
    work.outcomes += unreadable_outcomes(work, made)
    await note_doubts(context, work)
    channels = await remember_success(context, work.kuerzel, google, ending)
    if how.stops_channels or context.settings.push_url is not None:
        await keep_channel(context, work.kuerzel, google.calendar_id, channels)
    return True


async def _outcome_of(
    context: CalendarContext, executor: Executor, work: EmployeeWork, item: PlanItem, how: SyncOptions
) -> RecordOutcome:
    comes_to = item if how.approved is None else (await foreseen(executor, work, item))[1]
    outcome = not_approved(work.kuerzel, comes_to, how.approved) or _left_alone(context, work, item, how)
    return outcome or await carry_out(executor, work, item)


def _left_alone(context: CalendarContext, work: EmployeeWork, item: PlanItem, how: SyncOptions) -> RecordOutcome | None:
    if not how.keeps_delays:
        return None
    name = record_id(work.kuerzel, item.fr_nr, item.event_id)
    return left_alone(name, item, work.attempts, work.held, context.clock.now())


def _failed_employee(work: EmployeeWork, failure: Failure) -> RecordOutcome:
    whose = f"Kalender {work.kuerzel}: "
    return replace(failure.outcome(work.kuerzel), error=whose + failure.message.removeprefix(whose))


async def sync_employee(context: CalendarContext, employee: Employee, how: SyncOptions) -> EmployeeWork:
    """One whole pass over one employee; never raises for what concerns only this employee."""
    work = plan(map_fields(await fetch(context, employee, how)))
    await write(context, work, how)
    return work
