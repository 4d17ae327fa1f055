"""Carries out one employee's plan: every item for itself, in the order of its operations.

The pure core says what; this says how it is done safely: confirmed reads before deletions, If-Match before updates,
an intent before a creation, and planning again when a side has moved meanwhile (specification, kalender.md 1 and 5).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from vmh_sync.kalender.advoware_form import read_termin
from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.google_form import OUR_KEYS, read_event, read_mark, to_event
from vmh_sync.kalender.live_sides import LiveSides
from vmh_sync.kalender.model import Appointment, BaseForm, Decoration, Source, TerminFields
from vmh_sync.kalender.operations import (
    ClosePair,
    CreateAdvoware,
    DeleteAdvoware,
    DeleteGoogle,
    Finding,
    InsertGoogle,
    LinkPair,
    MarkNotRepresentable,
    Operation,
    SaveBase,
    UpdateAdvoware,
    UpdateGoogle,
)
from vmh_sync.kalender.pair_book import PairBook
from vmh_sync.kalender.pair_rows import pending
from vmh_sync.kalender.plan import PlanItem, plan_employee
from vmh_sync.kalender.reads import EmployeeReads, GoogleRead, PendingCreate
from vmh_sync.kalender.resume import stamp
from vmh_sync.kalender.sides import DecisionContext
from vmh_sync.kalender.wire_termin import to_fields
from vmh_sync.runtime.context import OwnedLease
from vmh_sync.systems.advoware.errors import Rejected
from vmh_sync.systems.google_calendar.errors import (
    AlreadyDeletedError,
    DuplicateError,
    NotFoundError,
    PreconditionFailedError,
)
from vmh_sync.systems.google_calendar.events import Event, WireContent

ROUNDS = 4
_GENERATIONS = 50


class AppointmentMoving(Exception):
    """Somebody keeps changing the appointment while it is being synced."""


class CreationUnsettled(Exception):
    """Whether an announced Termin was created is not known yet; too early to create it again."""


class _PlanAgain(Exception):
    """What was planned does not fit any more."""


@dataclass(slots=True, repr=False)
class Done:
    """What became of one item."""

    writes: Counter[str] = field(default_factory=Counter)
    operations: list[Operation] = field(default_factory=list)
    findings: tuple[Finding, ...] = ()
    noted: bool = False  # something was written to our own table

    @property
    def changed(self) -> bool:
        """Whether anything was written anywhere."""
        return self.noted or bool(self.writes)


@dataclass(slots=True, repr=False)
class Executor:
    """Carries out the items of one employee, under that employee's lease."""

    context: CalendarContext
    decision: DecisionContext
    sides: LiveSides
    lease: OwnedLease
    book: PairBook
    done: Done = field(default_factory=Done)

    async def run(self, item: PlanItem) -> Done:
        """Carry out one item; plans again, at most :data:`ROUNDS` times, when a side has moved.

        Raises the errors of the clients and the store, ``LeaseLost``, :class:`AppointmentMoving` and
        :class:`CreationUnsettled`. What was done until then is stored.
        """
        self.done = Done(findings=item.decision.findings)
        operations: tuple[Operation, ...] = item.decision.operations
        for _ in range(ROUNDS):
            try:
                for operation in operations:
                    await self._apply(operation)
                await self.book.audit(self.done.operations, self.done.findings)
                return self.done
            except (_PlanAgain, PreconditionFailedError, AlreadyDeletedError):
                operations = await self._plan_again(item)
        raise AppointmentMoving

    async def _apply(self, operation: Operation) -> None:
        match operation:
            case InsertGoogle():
                await self._insert(operation)
            case UpdateGoogle():
                await self._update_google(operation)
            case UpdateAdvoware():
                await self._update_advoware(operation)
            case CreateAdvoware():
                await self._create(operation)
            case DeleteGoogle():
                await self._delete_google(operation)
            case DeleteAdvoware():
                await self._delete_advoware(operation)
            case _:
                await self._note(operation)

    async def _note(self, operation: LinkPair | SaveBase | ClosePair | MarkNotRepresentable) -> None:
        """Write to our own table only."""
        self.done.noted = True
        match operation:
            case LinkPair():
                await self.book.link(operation.fr_nr, operation.event_id, operation.generation, operation.source)
            case SaveBase():
                await self._settle(operation)
            case ClosePair():
                await self.book.close(operation.fr_nr)
            case MarkNotRepresentable():
                if operation.fr_nr not in self.book.rows:
                    await self.book.link(operation.fr_nr, operation.event_id, 0, Source.ADVOWARE)
                await self.book.hinder(operation.fr_nr, operation.obstacle)

    async def _before_write(self, side: str, operation: Operation) -> None:
        await self.lease.ensure()
        self.done.writes[side] += 1
        self.done.operations.append(operation)

    # Google

    async def _insert(self, operation: InsertGoogle) -> None:
        if operation.confirm and operation.replaces is not None and await self.sides.fresh_event(operation.replaces):
            raise _PlanAgain
        content = self._content(operation, operation.form)
        for generation in range(operation.generation, operation.generation + _GENERATIONS):
            event_id = self.decision.new_event_id(operation.fr_nr, generation)
            await self.lease.ensure()
            try:
                event = await self.sides.insert_event(event_id, content)
            except DuplicateError:
                await self._adopt_own(operation, event_id, generation)
                continue
            self.done.writes["google"] += 1
            self.done.operations.append(operation)
            await self._agree(operation.fr_nr, event, operation.anonymised, operation.decoration, generation)
            return
        raise AppointmentMoving

    async def _adopt_own(self, operation: InsertGoogle, event_id: str, generation: int) -> None:
        """The id is taken: by our own living event (a crash before the pair row), or by a deleted one."""
        event = await self.sides.fresh_event(event_id)
        mark = read_mark(event.raw) if event is not None else None
        if mark is not None and mark.fr_nr == operation.fr_nr:
            await self.book.link(operation.fr_nr, event_id, generation, operation.source)
            raise _PlanAgain

    async def _update_google(self, operation: UpdateGoogle) -> None:
        current = self.sides.events.get(operation.event_id)
        if current is None:
            current = await self.sides.fresh_event(operation.event_id)
            if current is None or self._differs(current, self._expected(operation)):
                raise _PlanAgain
        await self._before_write("google", operation)
        try:
            event = await self.sides.update_event(current, self._content(operation))
        except NotFoundError:
            raise _PlanAgain from None
        await self._agree(operation.fr_nr, event, operation.anonymised, operation.decoration, None)

    def _expected(self, operation: UpdateGoogle) -> Appointment | None:
        """Return what the event has to say for the plan to fit, ``None`` if nothing is known about it."""
        pair = self.book.state(operation.fr_nr)
        return pair.base.google if pair is not None and pair.base is not None else None

    def _differs(self, event: Event, expected: Appointment | None) -> bool:
        return expected is not None and read_event(event.raw, self.context.rules).form != expected

    async def _delete_google(self, operation: DeleteGoogle) -> None:
        if operation.confirm and await self.sides.fresh_termin(operation.fr_nr) is not None:
            raise _PlanAgain
        known, row = self.sides.events.get(operation.event_id), self.book.rows.get(operation.fr_nr)
        etag = known.etag if known is not None else (row.etag if row is not None else None)
        await self._before_write("google", operation)
        await self.sides.delete_event(operation.event_id, etag)
        await self.book.close(operation.fr_nr)

    def _content(self, operation: InsertGoogle | UpdateGoogle, form: Appointment | None = None) -> WireContent:
        body = to_event(
            form or operation.form,
            self.context.rules,
            fr_nr=operation.fr_nr,
            source=operation.source,
            anonymised=operation.anonymised,
            decoration=operation.decoration,
        )
        return WireContent(body, OUR_KEYS)

    # Advoware

    async def _update_advoware(self, operation: UpdateAdvoware) -> None:
        planned = self.sides.termine.get(operation.fr_nr)
        record = await self.sides.fresh_termin(operation.fr_nr)
        if record is None or planned is None or self._moved(planned, operation.fr_nr):
            raise _PlanAgain
        await self._before_write("advoware", operation)
        written = await self.context.advoware.replace_termin(record, operation.values)
        if written is not None:
            self.sides.termine[operation.fr_nr] = to_fields(written)
        elif await self.sides.fresh_termin(operation.fr_nr) is None:
            raise _PlanAgain
        await self._agree_as_read(operation.fr_nr, operation.event_id)

    def _moved(self, planned: TerminFields, fr_nr: int) -> bool:
        rules = self.context.rules
        return read_termin(planned, rules) != read_termin(self.sides.termine[fr_nr], rules)

    async def _delete_advoware(self, operation: DeleteAdvoware) -> None:
        if operation.confirm and await self.sides.fresh_event(operation.event_id) is not None:
            raise _PlanAgain
        planned = self.sides.termine.get(operation.fr_nr)
        record = await self.sides.fresh_termin(operation.fr_nr)
        if record is not None:
            if planned is None or self._moved(planned, operation.fr_nr):
                raise _PlanAgain
            await self._before_write("advoware", operation)
            await self.context.advoware.delete_termin(operation.fr_nr)
            self.sides.termine.pop(operation.fr_nr, None)
        await self.book.close(operation.fr_nr)

    async def _create(self, operation: CreateAdvoware) -> None:
        if operation.replaces_fr_nr is not None and await self._went_elsewhere(operation):
            return
        intent = self.book.intents.get(operation.event_id)
        sent = intent.sent_at if intent is not None else None
        if sent is not None and self.context.clock.now() - sent < self.context.settle:
            raise CreationUnsettled
        await self.book.intend(PendingCreate(operation.event_id, operation.form))
        await self._before_write("advoware", operation)
        try:
            created = await self.context.advoware.create_termin(operation.values)
        except Rejected:
            await self.book.abandon(operation.event_id)
            raise
        await self.book.created(operation.event_id, created.key, replaces=operation.replaces_fr_nr)
        if created.record is not None:
            self.sides.termine[created.key] = to_fields(created.record)
        elif await self.sides.fresh_termin(created.key) is None:
            raise AppointmentMoving
        await self._stamp(operation, created.key)

    async def _stamp(self, operation: CreateAdvoware, fr_nr: int) -> None:
        """Mark the event, unless somebody has changed it since: then the next round merges that."""
        termin = self.sides.termine[fr_nr]
        event = self.sides.events.get(operation.event_id) or await self.sides.fresh_event(operation.event_id)
        base = BaseForm(read_termin(termin, self.context.rules), operation.form)
        etag = event.etag if event is not None else ""
        await self.book.agree(fr_nr, base, etag, event_id=operation.event_id, generation=0, source=Source.GOOGLE)
        try:
            await self._apply(stamp(operation.event_id, termin, operation.form, self.decision))
        except (PreconditionFailedError, AlreadyDeletedError):
            raise _PlanAgain from None

    async def _went_elsewhere(self, operation: CreateAdvoware) -> bool:
        """Look whether the Termin lives on with a colleague: then it leaves this calendar and is not doubled."""
        fr_nr = operation.replaces_fr_nr
        if fr_nr is None or operation.event_id in self.book.intents:
            return False
        record = await self.context.advoware.read_termin(fr_nr)
        if record is None:
            return False
        if self.sides.concerns(to_fields(record)):
            raise _PlanAgain
        reason = "In Advoware einem anderen Kürzel zugeordnet"
        await self._delete_google(DeleteGoogle(fr_nr, operation.event_id, reason, confirm=False))
        return True

    # The agreed state

    async def _settle(self, operation: SaveBase) -> None:
        """Store the agreed state; an event that a crash left without our mark gets it now."""
        event, termin = self.sides.events.get(operation.event_id), self.sides.termine.get(operation.fr_nr)
        if event is None or termin is None or read_mark(event.raw) is not None:
            await self._agree_as_read(operation.fr_nr, operation.event_id)
            return
        form = read_event(event.raw, self.context.rules).form
        await self._update_google(stamp(operation.event_id, termin, form, self.decision))

    async def _agree_as_read(self, fr_nr: int, event_id: str) -> None:
        """Store what both sides say now, as far as a side was not read: what it last said."""
        pair = self.book.state(fr_nr)
        old = pair.base if pair is not None else None
        event = self.sides.events.get(event_id)
        if event is None and old is not None:
            base = BaseForm(self._form(fr_nr), old.google, old.anonymised, old.decoration)
            await self._store_base(fr_nr, event_id, base, "")
            return
        event = event or await self.sides.fresh_event(event_id)
        if event is None:
            raise _PlanAgain
        read = read_event(event.raw, self.context.rules)
        anonymised = old.anonymised if old is not None else bool(read.mark and read.mark.anonymised)
        decoration = old.decoration if old is not None else read.decoration
        await self._store_base(
            fr_nr, event_id, BaseForm(self._form(fr_nr), read.form, anonymised, decoration), event.etag
        )

    async def _agree(
        self, fr_nr: int, event: Event, anonymised: bool, decoration: Decoration, generation: int | None
    ) -> None:
        form = read_event(event.raw, self.context.rules).form
        base = BaseForm(self._form(fr_nr), form, anonymised, decoration)
        await self._store_base(fr_nr, event.id, base, event.etag, generation)

    async def _store_base(
        self, fr_nr: int, event_id: str, base: BaseForm, etag: str, generation: int | None = None
    ) -> None:
        row = self.book.rows.get(fr_nr)
        source = Source(row.source_system) if row is not None else Source.ADVOWARE
        await self.book.agree(fr_nr, base, etag, event_id=event_id, generation=generation, source=source)

    def _form(self, fr_nr: int) -> Appointment:
        if fr_nr not in self.sides.termine:
            raise _PlanAgain
        return read_termin(self.sides.termine[fr_nr], self.context.rules)

    # Planning one item again

    async def _plan_again(self, item: PlanItem) -> tuple[Operation, ...]:
        row = next((r for r in self.book.rows.values() if item.event_id and r.event_id == item.event_id), None)
        row = row or (self.book.rows.get(item.fr_nr) if item.fr_nr is not None else None)
        fr_nr = row.frnr if row is not None else item.fr_nr
        event_id = (row.event_id if row is not None else None) or item.event_id
        events: tuple[Mapping[str, object], ...] = ()
        if event_id is not None:
            event = await self.sides.fresh_event(event_id)
            events = ({"id": event_id, "status": "cancelled"},) if event is None else (event.raw,)
        if fr_nr is not None:
            await self.sides.fresh_termin(fr_nr)
        termin = self.sides.termine.get(fr_nr) if fr_nr is not None else None
        pair = self.book.state(fr_nr)
        intents = pending((i for key, i in self.book.intents.items() if key == event_id), self.context.rules)
        reads = EmployeeReads(
            termine=(termin,) if termin is not None else (),
            events=events,
            pairs=(pair,) if pair is not None else (),
            advoware_complete=not intents,
            google_read=GoogleRead.DELTA,
            intents=intents,
            next_generations={fr_nr: await self.book.next_generation(fr_nr)} if fr_nr is not None else {},
        )
        plan = plan_employee(reads, self.decision)
        self.done.findings = plan.all_findings
        return tuple(operation for one in plan.executable for operation in one.decision.operations)
