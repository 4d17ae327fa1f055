"""Several employees in one run: the four stages, each employee for itself, a bounded number at once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from vmh_sync.background import all_of
from vmh_sync.engine.passes.approved_plan import approved_plan
from vmh_sync.engine.writing.failure import Failure
from vmh_sync.kalender.audits.deadline_list import caught, counted
from vmh_sync.kalender.calendars import Calendars
from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.decision.employee_plan import PlanItem
from vmh_sync.kalender.decision.operations import Finding, FindingKind
from vmh_sync.kalender.employee import sync_employee as stages
from vmh_sync.kalender.employee.employee_work import EmployeeWork, SyncOptions
from vmh_sync.kalender.employee.progress import WORTH_TELLING, LoadProgress, Watcher
from vmh_sync.kalender.model import CalendarRules
from vmh_sync.kalender.reading.employees import select
from vmh_sync.kalender.reading.push import stop_channels_of_others, take_rung
from vmh_sync.kalender.state.pair_rows import record_id
from vmh_sync.kalender.telling.notice_texts import as_logged, label, labels, task_kind
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync.sync.reporting.words_de import CALENDAR_ACTIONS, CALENDAR_FINDINGS, word

RUNG_WAIT_SECONDS = 60.0
"""A calendar that rings while another pass is at it is synced after that pass, which may have read it before."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True, repr=False)
class CalendarBatch:
    """The employees of a run on their way through the ops.

    ``gone`` are Kürzel that are not active in Advoware, ``unreadable`` entries of its list that cannot be used.
    ``deadlines``: how many Termine each of the firm's rules for deadlines catches.
    """

    how: SyncOptions
    show_values: bool = False
    works: list[EmployeeWork] = field(default_factory=list)
    gone: tuple[str, ...] = ()
    unreadable: tuple[str | None, ...] = ()
    named: bool = False
    started: float = 0.0
    rules: CalendarRules = field(default_factory=CalendarRules)
    deadlines: dict[str, int] = field(default_factory=dict)

    @property
    def outcomes(self) -> list[RecordOutcome]:
        """Return how every appointment, every failed employee and every Kürzel that left ended."""
        done = [outcome for work in self.works for outcome in work.outcomes]
        return done + [_unreadable(name) for name in self.unreadable] + [self._left(name) for name in self.gone]

    def _left(self, name: str) -> RecordOutcome:
        text = f"Kalender {name}: Das Kürzel ist in Advoware nicht (mehr) aktiv; der Kalender bleibt, wie er ist."
        result = Result.FAILED if self.named else Result.SKIPPED
        return RecordOutcome(name, result, error=text, error_class="EmployeeGone", retryable=False)

    def rows(self) -> list[dict[str, object]]:
        """Return what a dry run shows: one row per operation and finding."""
        return [
            {"kuerzel": work.kuerzel, **row}
            for work in self.works
            if work.plan is not None
            for row in work.plan.rows(show_values=self.show_values)
        ]

    @property
    def lost(self) -> list[dict[str, object]]:
        """Return what did not prevail (in a dry run: what would not), one row each; no content.

        Whose calendar, which number and event, which fields; ``audit`` is what ``audit show`` knows it by.
        """
        return [
            {
                "kuerzel": work.kuerzel,
                "frNr": one.fr_nr,
                "event": one.event_id,
                "kind": str(one.kind),
                "text": one.text,
                "fields": [change.name for change in one.changes],
                "audit": record_id(work.kuerzel, one.fr_nr, one.event_id),
            }
            for work in self.works
            for one in (_planned_losers(work) if self.how.dry_run else work.lost)
        ]

    @property
    def lost_lines(self) -> list[str]:
        """Return one German line for each of them."""
        return [
            f"{row['kuerzel']}, frNr {row['frNr']}, Ereignis {row['event']}: {row['text']}{_fields(row)}; der "
            f"unterlegene Wert steht unter vmh-sync audit show {row['audit']} --values"
            for row in self.lost
        ]

    @property
    def new_calendars(self) -> list[str]:
        """Return whose calendar is not in the service account's list: a pass would create it."""
        return [work.kuerzel for work in self.works if work.google is not None and work.google.to_create]

    @property
    def foreseen(self) -> list[str]:
        """Return what a dry run has to say about them, in German."""
        if not self.new_calendars:
            return []
        return [
            f"Nicht in der Liste des Dienstkontos, ein Kalender würde angelegt: {', '.join(self.new_calendars)}. Gibt "
            "es ihn schon und er ist nur freigegeben, bitte vorher seine Kalender-ID in GOOGLE_CALENDAR_IDS eintragen: "
            "Sonst stehen dort zwei."
        ]

    @property
    def waiting(self) -> list[dict[str, object]]:
        """Return what goes to Advoware as soon as it may be written: new, missing there, or changed by an organiser."""
        return [
            {
                "kuerzel": work.kuerzel,
                "frNr": item.fr_nr,
                "event": item.event_id,
                "reason": item.decision.findings[0].text,
                "audit": record_id(work.kuerzel, item.fr_nr, item.event_id),
            }
            for work in self.works
            if work.plan is not None
            for item in work.plan.items
            if _is_held_back(item)
        ]

    @property
    def tasks(self) -> dict[str, int]:
        """Return how many tasks were written for people, and how many wait for EspoCRM."""
        deliveries = [work.delivery for work in self.works]
        return {"written": sum(one.told for one in deliveries), "waiting": sum(one.waiting for one in deliveries)}

    @property
    def undelivered(self) -> list[str]:
        """Return one German line per employee whose tasks could not be written, or not be read for answers."""
        return [
            f"Kalender {work.kuerzel}: {work.delivery.what_waits}: {work.delivery.reason}"
            for work in self.works
            if work.delivery.reason is not None
        ]

    @property
    def broken(self) -> Failure | None:
        """Return the failure that lies with a system or a setting and so concerns everybody, if there is one."""
        return next((w.failure for w in self.works if w.failure is not None and w.failure.concerns_all), None)


_HELD_BACK = frozenset({FindingKind.WRITE_PROTECTED, FindingKind.MISSING_IN_ADVOWARE})


def _is_held_back(item: PlanItem) -> bool:
    return not item.decision.operations and any(one.kind in _HELD_BACK for one in item.decision.findings)


def _planned_losers(work: EmployeeWork) -> list[Finding]:
    found = work.plan.all_findings if work.plan is not None else ()
    return [one for one in found if task_kind(one) is not None]


def _fields(row: Mapping[str, object]) -> str:
    told = fields_told(row)
    return f" (Felder: {told})" if told else ""


def fields_told(row: Mapping[str, object]) -> str:
    """Return the fields of a row as people read them, with their values where the row has them."""
    values, fields = row.get("values"), row["fields"]
    if isinstance(values, Mapping):
        return ", ".join(
            f"{label(name)}: {as_logged(name, old)} → {as_logged(name, new)}" for name, (old, new) in values.items()
        )
    return labels(map(str, fields)) if isinstance(fields, list) else str(fields)


PLAN_HEADINGS = ("Kürzel", "frNr", "Ereignis", "Was", "Grund", "Felder")


def planned_in_words(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a row of a plan as people read it, under :data:`PLAN_HEADINGS`."""
    return (
        str(row["kuerzel"]),
        str(row["frNr"] or ""),
        "" if row["frNr"] else str(row["event"] or ""),
        word(CALENDAR_ACTIONS | CALENDAR_FINDINGS, row["what"]),
        str(row["reason"]),
        fields_told(row),
    )


async def fetch(
    context: CalendarContext, calendars: Calendars, *, keeps_delays: bool = False, stops_channels: bool = True
) -> CalendarBatch:
    """Choose the employees and read both sides of each.

    ``keeps_delays``: no person has asked for it. ``stops_channels``: it runs in the house, not on the console.

    Raises the client's errors if Advoware lists no employees, ``NoPlan`` for a plan that nobody approved.
    """
    plan = (
        await asyncio.to_thread(approved_plan, context.store, context.clock, calendars.plan) if calendars.plan else None
    )
    named = calendars.named()
    approved = plan.records if plan is not None else None
    how = SyncOptions(
        calendars.full_content if plan is None else plan.asked.get("full_content"),
        calendars.dry_run,
        calendars.allow_mass_change,
        approved=approved,
        keeps_delays=keeps_delays,
        stops_channels=stops_channels,
    )
    if calendars.rung:
        named = await take_rung(context)
        how = replace(how, wait_seconds=RUNG_WAIT_SECONDS)
        if not named:
            return CalendarBatch(how, calendars.show_values)
    chosen = await select(context, named)
    batch = CalendarBatch(how, calendars.show_values, gone=chosen.gone, named=bool(named) and not calendars.rung)
    batch.unreadable = chosen.unreadable
    if chosen.everybody is not None and how.stops_channels and not how.dry_run:
        await stop_channels_of_others(context, chosen.everybody)
    batch.works = await each(context, chosen.employees, lambda employee: stages.fetch(context, employee, how))
    batch.rules = context.rules
    return batch


def _unreadable(kuerzel: str | None) -> RecordOutcome:
    whose = f"Der Eintrag des Mitarbeiters {kuerzel}" if kuerzel is not None else "Der Eintrag eines Mitarbeiters"
    text = f"{whose} in Advoware ist nicht lesbar; sein Kalender bleibt, wie er ist. Bitte den Eintrag dort prüfen."
    return RecordOutcome(kuerzel or "?", Result.FAILED, error=text, error_class="UnreadableEmployee")


def map_fields(batch: CalendarBatch) -> CalendarBatch:
    """Bring both sides of each employee into normal form."""
    for work in batch.works:
        stages.map_fields(work)
    if batch.rules.deadlines:
        read = (work.reads.termine for work in batch.works if work.reads is not None)
        batch.deadlines = counted((caught(termine, batch.rules) for termine in read), batch.rules)
    return batch


def diff(batch: CalendarBatch) -> CalendarBatch:
    """Plan each employee."""
    for work in batch.works:
        stages.plan(work)
    return batch


async def write(
    context: CalendarContext,
    batch: CalendarBatch,
    told: Callable[[EmployeeWork], None] = lambda work: None,
    progress: Watcher = lambda progress: None,
) -> CalendarBatch:
    """Carry each plan out; ``told`` hears of each employee that is done, ``progress`` how far a long load is."""
    plans = {} if batch.how.dry_run else {one.kuerzel: one.plan.writing for one in batch.works if one.plan is not None}
    load = LoadProgress(
        plans, clock=context.clock, per_minute=context.quota_per_minute, zone=context.rules.zone, told=progress
    )
    load.begin()

    async def one(work: EmployeeWork) -> None:
        await stages.write(context, work, batch.how, load)
        if not work.busy:
            done(work)

    def done(work: EmployeeWork) -> None:
        load.ended(work.kuerzel)
        told(work)

    # Who waits for an edit does not wait behind the first loads of others.
    await each(context, sorted(batch.works, key=_is_long), one)
    for work in [work for work in batch.works if work.busy]:
        # A colleague's calendar that took over an event held it for a moment; who is busy elsewhere is skipped.
        work.outcomes.clear()
        await stages.write(context, work, batch.how, load)
        done(work)
    return batch


def _is_long(work: EmployeeWork) -> bool:
    return work.plan is not None and work.plan.writing >= WORTH_TELLING


async def each(context: CalendarContext, items: Sequence[T], work: Callable[[T], Awaitable[R]]) -> list[R]:
    """Work on all items in order, at most ``employees_at_once`` at the same time; results in the same order."""
    places = asyncio.Semaphore(context.settings.employees_at_once)

    async def one(item: T) -> R:
        async with places:
            return await work(item)

    return list(await all_of(*(one(item) for item in items)))
