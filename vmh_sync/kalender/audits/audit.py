"""Looks whether the pair table, Advoware and the calendars tell the same story, and mends what they do not.

Every look reads both sides as a whole. Nothing is written without ``fix``; a fix takes the employee's lease, confirms
each deletion by a single read and touches Google and our own table only, never Advoware (specification, kalender.md 6).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from vmh_sync.kalender.apply.pair_book import PairBook
from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.decision.sides import DecisionContext
from vmh_sync.kalender.employee.employee_work import SyncOptions
from vmh_sync.kalender.employee.sync_employee import employee_lease, map_fields, plan
from vmh_sync.kalender.employee.sync_employee import fetch as fetch_employee
from vmh_sync.kalender.failure import EMPLOYEE_FAILURES, explain
from vmh_sync.kalender.form.google_form import read_event, read_mark
from vmh_sync.kalender.form.window import Window, window_at
from vmh_sync.kalender.form.wire_termin import to_fields
from vmh_sync.kalender.model import Source, UnreadableAppointmentError
from vmh_sync.kalender.reading.employees import Employee, Selected, select
from vmh_sync.kalender.reading.live_sides import LiveSides
from vmh_sync.kalender.state.pair_rows import Stored, read_stored
from vmh_sync.store.calendars.calendar import CalendarPair
from vmh_sync.store.store import Transaction
from vmh_sync.systems.google_calendar.changes import read_changes
from vmh_sync.systems.google_calendar.client import LIST
from vmh_sync.systems.google_calendar.errors import Answer, IncompleteReadError
from vmh_sync.systems.google_calendar.events import Event

_GENERATIONS_TRIED = 20


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is not as it should be. Ids and a German sentence, no content. ``mended``: it is now."""

    kuerzel: str
    kind: str
    text: str
    fr_nr: int | None = None
    event: str | None = None
    mended: bool = False

    def to_json(self) -> dict[str, object]:
        """Return it as plain data."""
        return {"frNr" if name == "fr_nr" else name: value for name, value in asdict(self).items()}


@dataclass(slots=True, repr=False)
class Whole:
    """One employee's two sides and pairs, read as a whole."""

    employee: Employee
    stored: Stored
    calendar_id: str
    window: Window
    sides: LiveSides
    book: PairBook
    by_number: dict[int, list[Event]] = field(default_factory=dict)

    @property
    def kuerzel(self) -> str:
        """Whose calendar."""
        return self.employee.kuerzel


async def read_whole(context: CalendarContext, employee: Employee) -> Whole | None:
    """Read both sides of one employee completely; ``None`` if there is no calendar yet. Raises clients' errors."""
    stored = await context.store.read(read_stored, employee.kuerzel)
    calendar_id = stored.state.calendar_id
    if calendar_id is None:
        return None
    window = window_at(context.clock.now(), context.rules)
    termine = await context.advoware.list_termine(employee.kuerzel, window.start, window.end)
    changes = await context.google.run(lambda: read_changes(context.google.client, calendar_id, None))
    if changes.nameless:
        raise IncompleteReadError(LIST.name, Answer(200, "itemWithoutId"))
    events = {one.id: one for one in changes.events if not one.cancelled and not one.is_exception}
    sides = LiveSides(context, employee.kuerzel, calendar_id, {row.fr_nr: to_fields(row) for row in termine}, events)
    rows = {row.frnr: row for row in stored.pairs if row.frnr is not None}
    whole = Whole(employee, stored, calendar_id, window, sides, PairBook(context, employee.kuerzel, rows, {}))
    by_number: dict[int, list[Event]] = defaultdict(list)
    for event in events.values():
        mark = read_mark(event.raw)
        if mark is not None:
            by_number[mark.fr_nr].append(event)
    whole.by_number = dict(by_number)
    return whole


async def _over(context: CalendarContext, kuerzel: Sequence[str]) -> tuple[list[Whole], list[Trouble]]:
    chosen = await select(context, kuerzel)
    wholes: list[Whole] = []
    troubles = _not_active(chosen, kuerzel)
    for employee in chosen.employees:
        try:
            whole = await read_whole(context, employee)
        except EMPLOYEE_FAILURES as error:
            troubles.append(Trouble(employee.kuerzel, "not_readable", explain(error).message))
            continue
        if whole is not None:
            wholes.append(whole)
    return wholes, troubles


def _not_active(chosen: Selected, named: Sequence[str]) -> list[Trouble]:
    """A mistyped Kürzel must not look as if all were well; who has left is reported by the sync."""
    if not named:
        return []
    text = "Dieses Kürzel ist in Advoware nicht aktiv; bitte die Schreibweise prüfen"
    return [Trouble(kuerzel, "unknown_kuerzel", text) for kuerzel in chosen.gone]


async def verify(context: CalendarContext, kuerzel: Sequence[str] = ()) -> list[Trouble]:
    """Compare in both directions: every pair has both its sides and they agree, everything else is paired.

    What a sync would do stands there as ``pending``; a stopped plan as ``stopped``.
    """
    chosen = await select(context, kuerzel)
    troubles = _not_active(chosen, kuerzel)
    for employee in chosen.employees:
        work = plan(map_fields(await fetch_employee(context, employee, SyncOptions(dry_run=True, whole=True))))
        if work.failure is not None:
            troubles.append(Trouble(employee.kuerzel, "not_readable", work.failure.message))
            continue
        if work.plan is None:
            continue
        if work.plan.stopped is not None:
            troubles.append(Trouble(employee.kuerzel, "stopped", work.plan.stopped))
        for row in work.plan.rows():
            number, event = row["frNr"], row["event"]
            troubles.append(
                Trouble(
                    employee.kuerzel,
                    str(row["what"]) if str(row["what"]).startswith("finding:") else f"pending:{row['what']}",
                    str(row["reason"]),
                    number if isinstance(number, int) else None,
                    str(event) if event else None,
                )
            )
        troubles += await _missing_sides(context, employee)
    return troubles


async def _missing_sides(context: CalendarContext, employee: Employee) -> list[Trouble]:
    """A delta does not name what has been missing for long: look at the whole calendar."""
    try:
        whole = await read_whole(context, employee)
    except EMPLOYEE_FAILURES as error:
        return [Trouble(employee.kuerzel, "not_readable", explain(error).message)]
    if whole is None:
        return []
    troubles = []
    for row in whole.stored.pairs:
        if row.event_id is not None and row.event_id not in whole.sides.events and _in_window(row, whole.window):
            text = "Das Paar hat kein Ereignis im Kalender"
            troubles.append(Trouble(whole.kuerzel, "pair_without_event", text, row.frnr, row.event_id))
        if row.frnr is not None and row.frnr not in whole.sides.termine and _in_window(row, whole.window):
            text = "Das Paar hat keinen Termin in Advoware"
            troubles.append(Trouble(whole.kuerzel, "pair_without_termin", text, row.frnr, row.event_id))
    return troubles


def _in_window(row: CalendarPair, window: Window) -> bool:
    if row.starts_at is None:
        return False
    return row.starts_at >= window.start and (row.ends_at is None or row.ends_at <= window.end)


async def lookup(context: CalendarContext, *, frnr: int | None = None, event: str | None = None) -> list[CalendarPair]:
    """Return the living pairs of a Termin (one per calendar) or of an event."""

    def find(tx: Transaction) -> list[CalendarPair]:
        if frnr is not None:
            return tx.calendar_pairs.by_frnr(frnr)
        return tx.calendar_pairs.by_event(event) if event is not None else []

    return await context.store.read(find)


async def duplicates(context: CalendarContext, kuerzel: Sequence[str] = (), *, fix: bool = False) -> list[Trouble]:
    """Find Termine whose event stands twice in a calendar, equal in content; a fix deletes all but the paired one.

    A marked event that says something else is a person's copy, or a part of a split series: the sync takes it up.
    """
    wholes, troubles = await _over(context, kuerzel)
    for whole in wholes:
        for fr_nr, events in sorted(whole.by_number.items()):
            if len(events) < 2:
                continue
            row = whole.book.rows.get(fr_nr)
            keep = _the_one(context, whole, fr_nr, events, row)
            for extra in (one for one in events if one.id != keep.id and _equal(context, keep, one)):
                text = "Zweites Ereignis zum selben Termin"
                trouble = Trouble(whole.kuerzel, "duplicate", text, fr_nr, extra.id)
                troubles.append(await _delete(context, whole, extra, trouble) if fix else trouble)
    return troubles


def _equal(context: CalendarContext, one: Event, other: Event) -> bool:
    try:
        return read_event(one.raw, context.rules).form == read_event(other.raw, context.rules).form
    except UnreadableAppointmentError:
        return False


def _the_one(
    context: CalendarContext, whole: Whole, fr_nr: int, events: list[Event], row: CalendarPair | None
) -> Event:
    """Return the event to keep: the paired one, else one under an id of ours, else the first by id."""
    our_ids = _our_ids(context, whole, fr_nr)
    return min(events, key=lambda one: (row is None or one.id != row.event_id, one.id not in our_ids, one.id))


def _our_ids(context: CalendarContext, whole: Whole, fr_nr: int) -> dict[str, int]:
    decision = DecisionContext(whole.kuerzel, whole.window, context.rules, context.kanzlei)
    return {decision.new_event_id(fr_nr, generation): generation for generation in range(_GENERATIONS_TRIED)}


async def orphans(context: CalendarContext, kuerzel: Sequence[str] = (), *, fix: bool = False) -> list[Trouble]:
    """Find events with our mark inside the window whose Termin is gone; a fix deletes those that Advoware wrote.

    An event that came from Google is a person's own: it is only reported.
    """
    wholes, troubles = await _over(context, kuerzel)
    for whole in wholes:
        if not whole.sides.termine and len(whole.by_number) > context.rules.empty_list_tolerance:
            text = "Advoware meldet keinen einzigen Termin; es wird nichts gelöscht."
            troubles.append(Trouble(whole.kuerzel, "stopped", text))
            continue
        for fr_nr, events in sorted(whole.by_number.items()):
            if fr_nr in whole.sides.termine:
                continue
            for event in events:
                trouble = await _orphan(context, whole, fr_nr, event)
                if trouble is not None:
                    from_advoware = _source(event) is Source.ADVOWARE
                    troubles.append(await _delete(context, whole, event, trouble) if fix and from_advoware else trouble)
    return troubles


def _source(event: Event) -> Source | None:
    mark = read_mark(event.raw)
    return mark.source if mark is not None else None


async def _orphan(context: CalendarContext, whole: Whole, fr_nr: int, event: Event) -> Trouble | None:
    try:
        form = read_event(event.raw, context.rules).form
    except UnreadableAppointmentError:
        return None
    if not whole.window.surely_lists(form) or await whole.sides.fresh_termin(fr_nr) is not None:
        return None
    return Trouble(
        whole.kuerzel, "orphan", "Ereignis mit unserer Kennzeichnung ohne Termin in Advoware", fr_nr, event.id
    )


async def _delete(context: CalendarContext, whole: Whole, event: Event, trouble: Trouble) -> Trouble:
    async with employee_lease(context, whole.kuerzel) as lease:
        if lease is None:
            return trouble
        try:
            await lease.ensure()
            await whole.sides.delete_event(event.id, event.etag)
            row = whole.book.rows.get(trouble.fr_nr) if trouble.fr_nr is not None else None
            if row is not None and row.event_id == event.id and row.frnr is not None:
                await whole.book.close(row.frnr)
        except EMPLOYEE_FAILURES as error:
            return Trouble(whole.kuerzel, "not_mended", explain(error).message, trouble.fr_nr, event.id)
    return Trouble(trouble.kuerzel, trouble.kind, trouble.text, trouble.fr_nr, trouble.event, mended=True)


async def rebuild_pairs(context: CalendarContext, kuerzel: Sequence[str] = (), *, fix: bool = False) -> list[Trouble]:
    """Find marked events whose Termin has no pair; a fix stores the pair, without a base: the next sync merges it.

    The calendar itself is found again by its name if our database does not know it.
    """
    if fix:
        await _find_calendars(context, kuerzel)
    wholes, troubles = await _over(context, kuerzel)
    for whole in wholes:
        for fr_nr, events in sorted(whole.by_number.items()):
            if fr_nr in whole.book.rows or fr_nr not in whole.sides.termine:
                continue
            event = _the_one(context, whole, fr_nr, events, None)
            trouble = Trouble(whole.kuerzel, "unpaired", "Gekennzeichnetes Ereignis ohne Paar", fr_nr, event.id)
            troubles.append(await _pair(context, whole, fr_nr, event, trouble) if fix else trouble)
    return troubles


async def _find_calendars(context: CalendarContext, kuerzel: Sequence[str]) -> None:
    for employee in (await select(context, kuerzel)).employees:
        await fetch_employee(context, employee, SyncOptions())


async def _pair(context: CalendarContext, whole: Whole, fr_nr: int, event: Event, trouble: Trouble) -> Trouble:
    async with employee_lease(context, whole.kuerzel) as lease:
        if lease is None:
            return trouble
        generation = _our_ids(context, whole, fr_nr).get(event.id, 0)
        await whole.book.link(fr_nr, event.id, generation, _source(event) or Source.ADVOWARE)
    return Trouble(trouble.kuerzel, trouble.kind, trouble.text, fr_nr, event.id, mended=True)
