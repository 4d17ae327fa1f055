"""The writes to Google: inserts that cannot double, updates and deletions with If-Match (kalender.md 1)."""

from dataclasses import dataclass, replace

from vmh_sync.kalender.apply.agreement import Agreement
from vmh_sync.kalender.apply.event_update import event_changes
from vmh_sync.kalender.decision.operations import (
    DeleteGoogle,
    Finding,
    FindingKind,
    InsertGoogle,
    RestoreEvent,
    UpdateGoogle,
)
from vmh_sync.kalender.errors import AppointmentMoving, MovedAway, PlanAgain
from vmh_sync.kalender.form.fixed_content import CONTENT, is_fixed
from vmh_sync.kalender.form.google_form import OUR_KEYS, read_event, read_mark, to_event
from vmh_sync.kalender.model import Appointment
from vmh_sync.kalender.reading.colleagues import event_at
from vmh_sync.kalender.reading.live_sides import concerns
from vmh_sync.kalender.reading.moved_away import Gone, is_of
from vmh_sync.systems.google_calendar.errors import DuplicateError, ForbiddenError, MayNotInviteError, NotFoundError
from vmh_sync.systems.google_calendar.event_changes import EventChanges
from vmh_sync.systems.google_calendar.events import Event, WireContent

_GENERATIONS = 50
GUESTS_GONE = (
    "Nur die Gäste sind nicht wieder eingetragen: einladen kann nur ein Mensch; bitte in Google von Hand berichtigen"
)


@dataclass(slots=True, repr=False)
class GoogleWrites(Agreement):
    """Carries out the operations that write to Google, and leaves alone what went to a colleague."""

    async def _insert(self, operation: InsertGoogle) -> None:
        if operation.confirm and operation.replaces is not None and await self.sides.fresh_event(operation.replaces):
            raise PlanAgain
        content = self._content(operation)
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
            await self._agree(
                operation.fr_nr, event, operation.anonymised, operation.decoration, generation, sent=content.body
            )
            return
        raise AppointmentMoving

    async def _adopt_own(self, operation: InsertGoogle, event_id: str, generation: int) -> None:
        """The id is taken: by our event, living here or moved (a crash before the pair row), or by a deleted one.

        Its id says that it is ours, also where a client has dropped the mark; another number's it may be by now.
        """
        event = await self.sides.fresh_event(event_id)
        mark = read_mark(event.raw) if event is not None else None
        another = (mark is not None and mark.fr_nr != operation.fr_nr) or self.book.is_of_another(
            event_id, operation.fr_nr
        )
        if event is not None and not another:
            await self.book.link(operation.fr_nr, event_id, generation, operation.source)
            raise PlanAgain
        if not operation.stays:
            await self._stay_if_moved(operation.fr_nr, event_id)

    async def _stay_if_moved(self, fr_nr: int, event_id: str | None) -> None:
        """Raise :class:`MovedAway` if a deleted event lives on in a colleague's calendar: that one takes it over."""
        if event_id is None:
            return
        termin, pair = self.sides.termine.get(fr_nr), self.book.state(fr_nr)
        shared = (lambda kuerzel: concerns(termin, kuerzel)) if termin is not None else (lambda kuerzel: False)
        base = pair.base if pair is not None and pair.event_id == event_id else None
        gone = Gone(self.context, self.sides, event_id, fr_nr, base)
        for kuerzel in self.book.colleagues(fr_nr, event_id, shared):
            calendar = await self._calendar_of(kuerzel)
            if calendar is not None and await gone.lives_on_in(calendar, kuerzel):
                raise MovedAway(kuerzel)

    async def _lives_in(self, kuerzel: str, event_id: str, fr_nr: int) -> bool:
        """Tell whether the event lives in a calendar as this Termin's."""
        calendar = await self._calendar_of(kuerzel)
        event = await event_at(self.context, kuerzel, calendar, event_id) if calendar is not None else None
        return event is not None and is_of(event, fr_nr)

    async def _calendar_of(self, kuerzel: str) -> str | None:
        directory, calendar = self.context.google.directory, self.book.calendar_of(kuerzel)
        if calendar is None:  # whoever made it died, or got no answer, before its id was stored
            calendar = await self.context.google.run(lambda: directory.look_up(kuerzel))
        return calendar

    async def _living_in(self, calendar: str, event_id: str, fr_nr: int) -> Event | None:
        """Return the event if it lives there as this Termin's: a guest's copy has the same id, not our mark."""
        client = self.context.google.client
        try:
            event = await self.context.google.run(lambda: client.get_event(calendar, event_id))
        except (NotFoundError, ForbiddenError):
            return None
        return event if is_of(event, fr_nr) else None

    async def _update_google(self, operation: UpdateGoogle) -> None:
        current = self.sides.events.get(operation.event_id)
        if current is None:
            current = await self.sides.fresh_event(operation.event_id)
            if current is None or self._differs(current, self._expected(operation)):
                raise PlanAgain
        if is_fixed(current.raw) and any(change.name in CONTENT for change in operation.changes):
            # The delta did not name the event, so the plan could not know that only its organiser may change it.
            raise PlanAgain
        await self._before_write("google", operation)
        try:
            pair = self.book.state(operation.fr_nr)
            base = pair.base if pair is not None else None
            changes = event_changes(operation, current.raw, self.context.rules, base)
            event = await self.sides.update_event(current, changes)
        except NotFoundError:
            raise PlanAgain from None
        await self._agree(operation.fr_nr, event, operation.anonymised, operation.decoration, None)

    async def _restore(self, operation: RestoreEvent) -> None:
        """Put an event back; what both sides agreed on stays, so that an edit in Advoware still goes to Google."""
        current, pair = self.sides.events.get(operation.event_id), self.book.state(operation.fr_nr)
        if current is None or pair is None or pair.base is None:
            raise PlanAgain
        await self._before_write("google", operation)
        changes = EventChanges(operation.values, operation.properties, OUR_KEYS)
        guarded: dict[str, object] | None = None
        try:
            event = await self.sides.update_event(current, changes)
        except NotFoundError:
            raise PlanAgain from None
        except MayNotInviteError:
            # Only a person brings the guests back: that is told once, and all else is put back.
            rest = {name: value for name, value in operation.values.items() if name != "attendees"}
            await self.lease.ensure()
            event = await self.sides.update_event(current, replace(changes, values=rest))
            # About the same fields, so that both are told in one task.
            told = tuple(
                replace(one, old=one.new, new=one.old) if one.name == "attendees" else one for one in operation.changes
            )
            finding = Finding(FindingKind.DEADLINE, GUESTS_GONE, operation.fr_nr, operation.event_id, told)
            await self.book.lose((finding,))
            self.done.findings += (finding,)
            guarded = self._guarded(operation.fr_nr, pair.base, event)
        await self._store_base(operation.fr_nr, event.id, pair.base, event.etag, guarded=guarded)

    def _expected(self, operation: UpdateGoogle | DeleteGoogle) -> Appointment | None:
        """Return what the event has to say for the plan to fit, ``None`` if nothing is known about it."""
        pair = self.book.state(operation.fr_nr)
        return pair.base.google if pair is not None and pair.base is not None else None

    def _differs(self, event: Event, expected: Appointment | None) -> bool:
        return expected is not None and read_event(event.raw, self.context.rules).form != expected

    async def _delete_google(self, operation: DeleteGoogle) -> None:
        if operation.confirm and await self.sides.fresh_termin(operation.fr_nr) is not None:
            raise PlanAgain
        known, row = self.sides.events.get(operation.event_id), self.book.rows.get(operation.fr_nr)
        if row is not None and row.event_id != operation.event_id:
            row = None  # it came from a colleague's calendar; the pair has an event of its own
        etag = known.etag if known is not None else (row.etag if row is not None else None)
        if not etag:
            event = await self.sides.fresh_event(operation.event_id)
            if event is not None and self._differs(event, self._expected(operation)):
                raise PlanAgain
            etag = event.etag if event is not None else None
        await self._before_write("google", operation)
        deleted = await self.sides.delete_event(operation.event_id, etag)
        if row is not None:
            if not deleted:  # a person was quicker, and may have moved it: without its pair it would be a copy there
                await self._stay_if_moved(operation.fr_nr, operation.event_id)
            await self.book.close(operation.fr_nr)

    def _content(self, operation: InsertGoogle) -> WireContent:
        body = to_event(
            operation.form,
            self.context.rules,
            fr_nr=operation.fr_nr,
            source=operation.source,
            anonymised=operation.anonymised,
            decoration=operation.decoration,
        )
        return WireContent(body, OUR_KEYS)
