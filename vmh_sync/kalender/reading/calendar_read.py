"""Google's side of one employee: the calendar is found or created, and read (specification, kalender.md 1)."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256

from vmh_sync.coordination.errors import CoordinationUnavailable
from vmh_sync.engine.writing.failure import Failure
from vmh_sync.kalender.context import CalendarContext, full_read_age
from vmh_sync.kalender.decision.deadlines import fingerprint
from vmh_sync.kalender.failure import explain
from vmh_sync.kalender.form.advoware_form import read_termin
from vmh_sync.kalender.form.window import window_at
from vmh_sync.kalender.form.wire_termin import to_fields
from vmh_sync.kalender.model import UnreadableAppointmentError
from vmh_sync.kalender.reading.delta_gaps import fill_gaps
from vmh_sync.kalender.reading.employees import Employee
from vmh_sync.kalender.state.pair_rows import CalendarCursor, Stored, read_stored
from vmh_sync.store.calendars.calendar import CalendarPair, CalendarState
from vmh_sync.store.store import Transaction
from vmh_sync.systems.advoware.records import Termin
from vmh_sync.systems.google_calendar.calendars import AccessRule, CalendarProblem, ReadOnlyCalendarError
from vmh_sync.systems.google_calendar.changes import Changes, read_changes
from vmh_sync.systems.google_calendar.client import LIST
from vmh_sync.systems.google_calendar.errors import (
    AccessTooLowError,
    Answer,
    ForbiddenError,
    InsufficientPermissionsError,
    NotFoundError,
)

FINDING_SECONDS = 60.0
"""How long a process waits for another one that is looking for the same calendar."""


@dataclass(frozen=True, slots=True, repr=False)
class CalendarRead:
    """What was read. ``moved``: the calendar is another one than the stored one.

    ``whole_series``: ids of series of which a delta holds every exception. ``remark``: what went wrong although the
    appointments can be synced, or what a pass would fail with that only looks. ``to_create``: a pass would create it.
    """

    calendar_id: str
    changes: Changes
    moved: bool = False
    whole_series: frozenset[str] = frozenset()
    remark: Failure | None = None
    to_create: bool = False

    def pairs_in_it(self, stored: Stored) -> tuple[CalendarPair, ...]:
        """Return the stored pairs without those whose event is left behind in the calendar before this one.

        What a person had put into the new calendar is met for the first time: paired with the old events, none of it
        would be recognised and every appointment would stand twice. In an empty one the old pairs are made anew.
        """
        living = {event.id for event in self.changes.events if not event.cancelled}
        if not self.moved or not living:
            return stored.pairs
        return tuple(row for row in stored.pairs if row.event_id is None or row.event_id in living)


async def read_calendar(
    context: CalendarContext, employee: Employee, stored: Stored, *, look_only: bool, whole: bool
) -> CalendarRead:
    """Read an employee's calendar; find or create it first if it is not known or does not answer.

    ``look_only`` creates nothing anew and shares nothing; ``whole`` reads everything. Raises the client's errors.
    """
    known, client = stored.state.calendar_id, context.google.client
    another = context.google.directory.named(employee.kuerzel) not in (None, known)
    if known is not None and not another:
        token = None if whole or _needs_full_read(context, stored) else stored.state.sync_token
        try:
            changes = await context.google.run(lambda: read_changes(client, known, token))
        except InsufficientPermissionsError:
            raise
        except (NotFoundError, ForbiddenError):
            pass  # deleted by hand, or access was taken away: look for it, and say so if it is gone
        else:
            _require_sight(changes, look_only=look_only)
            changes, series = await fill_gaps(context, known, changes, stored)
            remark = _foreseen(changes) if look_only else await _share(context, employee, stored, known)
            return CalendarRead(known, changes, whole_series=series, remark=remark)
    if look_only and (known is None or another):
        return replace(await _look_only(context, employee), moved=known is not None)
    recreate = context.settings.recreate_calendars and not look_only
    found = await _find_calendar(context, employee, stored, recreate=recreate)
    changes = await context.google.run(lambda: read_changes(client, found, None))
    _require_sight(changes, look_only=look_only)
    return CalendarRead(found, changes, moved=known is not None and known != found)


async def _look_only(context: CalendarContext, employee: Employee) -> CalendarRead:
    """A dry run before the first pass sees what the first pass will see; a calendar that is not there is empty."""
    client, directory = context.google.client, context.google.directory
    found, to_create = await context.google.run(lambda: directory.foresee(employee.kuerzel))
    if found is None:
        return CalendarRead("", Changes((), "", full=True, pages=0), to_create=to_create)
    changes = await context.google.run(lambda: read_changes(client, found, None))
    _require_sight(changes, look_only=True)
    return CalendarRead(found, changes, remark=_foreseen(changes))


def _foreseen(changes: Changes) -> Failure | None:
    """Return what a pass that writes would fail with, although looking is allowed."""
    if changes.shows_everything:
        return None
    return replace(explain(ReadOnlyCalendarError("the calendar is shared without write access")), later=True)


def _require_sight(changes: Changes, *, look_only: bool) -> None:
    """Refuse a calendar that hides from us what its events say: hidden content would be taken for emptied content.

    Who only looks may do so with a role that shows everything but what is private. Raises :class:`AccessTooLowError`.
    """
    if changes.shows_everything or (look_only and not changes.shows_nothing):
        return
    raise AccessTooLowError(LIST.name, Answer(200, changes.role))


def _needs_full_read(context: CalendarContext, stored: Stored) -> bool:
    """Doubts, pairs without a base and open intents are decided by a full list; and now and then everything is read."""
    if stored.intents or stored.doubtful or any(not row.base for row in stored.pairs):
        return True
    if stored.deadlines_hash != fingerprint(context.rules):
        return True  # what has become a deadline is remembered in full, so that any change of it is noticed
    age = full_read_age(stored.state.kuerzel, context.settings.full_read_days)
    # One in the future was noted while the clock was ahead.
    return stored.full_read_at is None or not timedelta(0) <= context.clock.now() - stored.full_read_at < age


def came_into_view(context: CalendarContext, stored: Stored, termine: Iterable[Termin]) -> bool:
    """Whether one of these Termine without a pair was not in the window when the calendar was last read as a whole.

    An event of it that a person entered was left alone then, and no delta names it any more.
    """
    if stored.full_read_at is None:
        return True
    then, now = (window_at(moment, context.rules) for moment in (stored.full_read_at, context.clock.now()))
    for termin in termine:
        with suppress(UnreadableAppointmentError):
            form = read_termin(to_fields(termin), context.rules)
            if now.touches(form) and not then.touches(form):
                return True
    return False


async def _find_calendar(context: CalendarContext, employee: Employee, stored: Stored, *, recreate: bool) -> str:
    """Find or create the calendar and note it; one process at a time, or there would be two of the same name."""
    known, google = stored.state.calendar_id, context.google
    async with context.leases.hold(f"kalender-anlegen:{employee.kuerzel.upper()}", wait=FINDING_SECONDS) as lease:
        if lease is None:
            raise CoordinationUnavailable("another process is still looking for this calendar")
        now = await context.store.read(read_stored, employee.kuerzel)
        if known is None and now.state.calendar_id is not None:
            return now.state.calendar_id
        # Before the calendar can exist: whoever looks whether an event was moved into it must know of the employee.
        await context.store.write(_keep_place, employee.kuerzel)
        found = await google.run(
            lambda: google.directory.find_or_create(
                employee.kuerzel, email=employee.email, stored_id=known, recreate=recreate
            )
        )
        await _remember(context, stored, found.id if known is None else None, _rules_hash(_rules(context, employee)))
    return found.id


async def _share(context: CalendarContext, employee: Employee, stored: Stored, calendar_id: str) -> Failure | None:
    """Complete the access rules when the settings or the address have changed since they were last completed."""
    rules, directory = _rules(context, employee), context.google.directory
    if stored.rules_hash == _rules_hash(rules):
        return None
    try:
        await context.google.run(lambda: directory.complete_access(calendar_id, rules))
    except CalendarProblem as problem:
        return explain(problem)
    await _remember(context, stored, None, _rules_hash(rules))
    return None


def _rules(context: CalendarContext, employee: Employee) -> list[AccessRule]:
    return context.google.directory.rules_for(employee.kuerzel, employee.email)


def _rules_hash(rules: Sequence[AccessRule]) -> str:
    wanted = sorted(f"{rule.role} {rule.scope_type} {rule.value.lower()}" for rule in rules)
    return sha256("\n".join(wanted).encode()).hexdigest()


def _keep_place(tx: Transaction, kuerzel: str) -> None:
    if tx.calendar_states.get(kuerzel) is None:
        tx.calendar_states.upsert(CalendarState(kuerzel=kuerzel))


async def _remember(context: CalendarContext, stored: Stored, calendar_id: str | None, rules_hash: str) -> None:
    def store(tx: Transaction) -> None:
        tx.cursors.set(CalendarCursor.RULES.of(stored.state.kuerzel), rules_hash)
        if calendar_id is not None:
            state = tx.calendar_states.get(stored.state.kuerzel) or stored.state
            tx.calendar_states.upsert(replace(state, calendar_id=calendar_id))

    await context.store.write(store)
