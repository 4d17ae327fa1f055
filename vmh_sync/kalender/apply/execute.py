"""Carries out one employee's plan: every item for itself, in the order of its operations.

The pure core says what; this says how it is done safely: confirmed reads before deletions, If-Match before updates,
an intent before a creation, and planning again when a side has moved meanwhile (specification, kalender.md 1 and 5).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from vmh_sync.kalender.apply.agreement import Done
from vmh_sync.kalender.apply.odd_series import OddSeries
from vmh_sync.kalender.decision.employee_plan import PlanItem
from vmh_sync.kalender.decision.operations import (
    BringAlong,
    ClosePair,
    CreateAdvoware,
    Decision,
    DeleteAdvoware,
    DeleteGoogle,
    InsertGoogle,
    LinkFound,
    LinkPair,
    MarkNotRepresentable,
    Operation,
    RestoreEvent,
    SaveBase,
    TakeOver,
    TakePair,
    UpdateAdvoware,
    UpdateGoogle,
)
from vmh_sync.kalender.decision.reads import EmployeeReads, GoogleRead
from vmh_sync.kalender.errors import AppointmentMoving, PlanAgain
from vmh_sync.kalender.plan import plan_employee
from vmh_sync.kalender.reading.delta_gaps import copies_of
from vmh_sync.kalender.state.pair_rows import pending
from vmh_sync.store.errors import PairTaken, StaleRow
from vmh_sync.systems.google_calendar.errors import AlreadyDeletedError, PreconditionFailedError

ROUNDS = 4


@dataclass(slots=True, repr=False)
class Executor(OddSeries):
    """Carries out the items of one employee, under that employee's lease.

    ``exactly``: a person approved these operations; when a side has moved before the first of them, nothing is done.
    """

    exactly: bool = False

    async def run(self, item: PlanItem) -> Done:
        """Carry out one item; plans again, at most :data:`ROUNDS` times, when a side has moved.

        Raises the errors of the clients and the store, ``LeaseLost`` and :class:`AppointmentMoving`. What was done
        until then is stored.
        """
        self.done = Done(findings=item.decision.findings)
        operations: tuple[Operation, ...] = item.decision.operations
        for _ in range(ROUNDS):
            try:
                await self.lease.ensure()
                await self._stay(operations)
                # The losing value is on record before it is overwritten (specification, sync-semantics.md 3).
                await self.book.lose(self.done.findings)
                for place, operation in enumerate(operations):
                    await self._apply(operation, operations[place + 1 :])
                await self.book.applied(self.done.operations)
                return self.done
            except (PlanAgain, PreconditionFailedError, AlreadyDeletedError):
                operations = await self._plan_again(item)
            except (StaleRow, PairTaken):
                # Our own database moved: what it says now is planned from.
                await self.book.reload()
                operations = await self._plan_again(item)
        raise AppointmentMoving

    async def foresee(self, item: PlanItem) -> PlanItem:
        """Return what :meth:`run` makes of an item; raises as it does where something is in the way. Writes nothing."""
        await self._stay(item.decision.operations)
        operations, findings = list[Operation](), item.decision.findings
        for operation in item.decision.operations:
            instead = None
            if isinstance(operation, TakeOver):
                instead = await self._instead_of(operation)
            elif isinstance(operation, InsertGoogle) and operation.replaces is None:
                instead = await self._comes_along(operation)
            operations += (operation,) if instead is None else instead.operations
            findings += () if instead is None else instead.findings
        return replace(item, decision=Decision(tuple(operations), findings))

    async def _stay(self, operations: Sequence[Operation]) -> None:
        """Raise :class:`.MovedAway` where an event is taken for gone that lives on in a colleague's calendar."""
        for place, operation in enumerate(operations):
            match operation:
                case InsertGoogle(stays=False):
                    await self._stay_if_moved(operation.fr_nr, operation.replaces)
                case DeleteAdvoware():
                    await self._stay_if_moved(operation.fr_nr, operation.event_id)
                case ClosePair() if place == len(operations) - 1:
                    await self._stay_if_moved(operation.fr_nr, operation.event_id)

    async def _apply(self, operation: Operation, later: Sequence[Operation] = ()) -> None:
        match operation:
            case InsertGoogle():
                await self._insert_once(operation)
            case UpdateGoogle():
                await self._update_google(operation)
            case RestoreEvent():
                await self._restore(operation)
            case UpdateAdvoware():
                await self._update_advoware(operation, last=not any(isinstance(one, UpdateGoogle) for one in later))
            case TakeOver():
                await self._take_over(operation)
            case CreateAdvoware():
                await self._create(operation)
            case DeleteGoogle():
                await self._delete_or_leave(operation)
            case DeleteAdvoware():
                await self._delete_advoware(operation)
            case BringAlong():
                raise AssertionError("never planned: an insert becomes it")
            case _:
                await self._note(operation)

    async def _insert_once(self, operation: InsertGoogle) -> None:
        """Insert an event, unless that of the colleague from whom the Termin was taken comes along."""
        if operation.replaces is None:
            await self._bring_along(operation)
        await self._insert(operation)

    async def _note(
        self, operation: TakePair | LinkPair | LinkFound | SaveBase | ClosePair | MarkNotRepresentable
    ) -> None:
        """Write to our own table only."""
        self.done.noted = True
        match operation:
            case TakePair():
                await self._take_pair(operation)
            case LinkPair():
                fr_nr, source = operation.fr_nr, operation.source
                await self.book.link(fr_nr, operation.event_id, operation.generation, source, operation.base)
            case LinkFound():
                await self._link_found(operation)
            case SaveBase():
                await self._agree_as_read(operation.fr_nr, operation.event_id)
            case ClosePair():
                await self.book.close(operation.fr_nr)
            case MarkNotRepresentable():
                await self._hinder(operation)

    async def _link_found(self, operation: LinkFound) -> None:
        event = self.sides.events.get(operation.event_id)
        etag, source = event.etag if event is not None else "", operation.source
        await self.book.agree(
            operation.fr_nr, operation.base, etag, event_id=operation.event_id, generation=0, source=source
        )

    async def _plan_again(self, item: PlanItem) -> tuple[Operation, ...]:
        if self.exactly and not self.done.writes:
            raise AppointmentMoving
        row = next((r for r in self.book.rows.values() if item.event_id and r.event_id == item.event_id), None)
        row = row or (self.book.rows.get(item.fr_nr) if item.fr_nr is not None else None)
        fr_nr = row.frnr if row is not None else item.fr_nr or self.resumed.get(item.event_id or "")
        event_id = (row.event_id if row is not None else None) or item.event_id
        events: tuple[Mapping[str, object], ...] = ()
        if event_id is not None:
            event = await self.sides.fresh_event(event_id)
            if event is not None:
                events = (event.raw, *self.sides.exceptions.get(event_id, ()))
            else:
                events = await self._what_is_left(event_id, fr_nr)
        if fr_nr is not None:
            self._agreed.pop(fr_nr, None)
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

    async def _what_is_left(self, event_id: str, fr_nr: int | None) -> tuple[Mapping[str, object], ...]:
        """Tell that an event is gone, and the copies of it that people keep."""
        client, calendar = self.context.google.client, self.sides.calendar_id
        gone = {"id": event_id, "status": "cancelled"}
        if fr_nr is None:
            return (gone,)
        found = await self.context.google.run(lambda: copies_of(client, calendar, fr_nr))
        # One that became an appointment of its own carries the mark until it could be marked anew.
        copies = [one for one in found if not (self.book.is_of_another(one.id, fr_nr) or one.id in self.book.intents)]
        self.sides.events |= {one.id: one for one in copies}
        return (gone, *(one.raw for one in copies))
