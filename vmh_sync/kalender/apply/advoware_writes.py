"""The writes to Advoware: looked at directly before, alone, compared afterwards (sync-semantics.md 3)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from vmh_sync.engine.writing.create_once import CreateOrder, create_once
from vmh_sync.kalender.apply.google_writes import GoogleWrites
from vmh_sync.kalender.decision.deletions import typed_since
from vmh_sync.kalender.decision.operations import (
    CreateAdvoware,
    DeleteAdvoware,
    DeleteGoogle,
    FieldChange,
    Finding,
    FindingKind,
    UpdateAdvoware,
)
from vmh_sync.kalender.decision.read_back import ReadBack, compare
from vmh_sync.kalender.decision.reads import PendingCreate
from vmh_sync.kalender.errors import AppointmentMoving, PlanAgain
from vmh_sync.kalender.form.advoware_form import read_termin
from vmh_sync.kalender.form.anonymise import shown_form
from vmh_sync.kalender.form.google_form import read_event
from vmh_sync.kalender.form.wire_termin import laid_over, to_fields
from vmh_sync.kalender.model import (
    FLOWING_FIELDS,
    Appointment,
    BaseForm,
    Source,
    TerminFields,
    UnreadableAppointmentError,
    changed_fields,
)
from vmh_sync.kalender.pairing.resume import base_as_sent, created_by, may_be, stamp
from vmh_sync.kalender.reading.live_sides import concerns
from vmh_sync.kalender.state.pair_rows import ENTITY, intent_key, pending
from vmh_sync.store.pairs.intents import Intent
from vmh_sync.sync.base import Side
from vmh_sync.systems.advoware.errors import NotDeleted
from vmh_sync.systems.advoware.records import Created, Termin
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.google_calendar.errors import AlreadyDeletedError, PreconditionFailedError
from vmh_sync.systems.spoilt_row import SpoiltRow

TERMIN_WAIT_SECONDS = 30.0
"""How long a writer of one calendar waits for the writer of another one that holds the same Termin."""


@dataclass(slots=True, repr=False)
class AdvowareWrites(GoogleWrites):
    """Carries out the operations that write to Advoware.

    ``resumed``: event id → number of a Termin that an earlier POST made and the plan did not know.
    """

    resumed: dict[str, int] = field(default_factory=dict)

    async def _update_advoware(self, operation: UpdateAdvoware, *, last: bool) -> None:
        """Write a change, noted before it leaves: nobody's edit is seen in what nobody heard of."""
        fr_nr = operation.fr_nr
        earlier, left = self.book.state(fr_nr), list[bool]()
        await self.book.sending(fr_nr, {one.name: one.new for one in operation.changes})
        try:
            await self._set_advoware(operation, left)
        except (PlanAgain, AppointmentMoving, ForeignSystemError):
            if not left:
                await self.book.not_sent(fr_nr, earlier)
            raise
        if last:
            # With a write to Google still to come both sides agree only after that one.
            await self._agree_as_read(fr_nr, operation.event_id)

    async def _set_advoware(self, operation: UpdateAdvoware, left: list[bool]) -> None:
        """GET, compare and PUT back to back, alone: one Termin may stand in several employees' calendars.

        ``left`` is filled when something may have arrived there.
        """
        before = await self._put(operation, left)
        sent = laid_over(before, operation.values)
        await self._compare_read_back(operation.fr_nr, sent, read_termin(before, self.context.rules))

    async def _put(self, operation: UpdateAdvoware, left: list[bool]) -> TerminFields:
        """Return what stood there before."""
        fr_nr = operation.fr_nr
        async with self._alone(fr_nr):
            planned = self.sides.termine.get(fr_nr)
            await self.lease.ensure()
            record = await self.sides.fresh_termin(fr_nr)
            if record is None or planned is None or self._moved(planned, fr_nr):
                raise PlanAgain
            before = to_fields(record)
            self._count("advoware", operation)
            left.append(True)
            try:
                written = await self.context.advoware.replace_termin(record, operation.values)
            except ForeignSystemError as error:
                if error.certainly_not_done:
                    left.clear()
                raise
            if written is not None:
                self.sides.termine[fr_nr] = to_fields(written)
            elif await self.sides.fresh_termin(fr_nr) is None:
                raise PlanAgain
        return before

    async def _compare_read_back(self, fr_nr: int, sent: TerminFields, before: Appointment | None) -> ReadBack:
        """Take what was sent for agreed; what the server left as it was is told, what differs is somebody's edit."""
        rules = self.context.rules
        wanted, answer = read_termin(sent, rules), read_termin(self.sides.termine[fr_nr], rules)
        read = compare(wanted, answer, before)
        self._agreed[fr_nr] = read.agreed
        if read.ignored:
            names = sorted(read.ignored)
            lost = tuple(FieldChange(name, getattr(wanted, name), getattr(answer, name)) for name in names)
            text = "Advoware hat die Änderung nicht übernommen"
            finding = Finding(FindingKind.IGNORED, text, fr_nr, None, lost)
            await self.book.lose((finding,))
            self.done.findings += (finding,)
        return read

    @asynccontextmanager
    async def _alone(self, fr_nr: int) -> AsyncIterator[None]:
        async with self.context.leases.hold(f"termin:{fr_nr}", wait=TERMIN_WAIT_SECONDS) as lease:
            if lease is None:
                raise AppointmentMoving
            yield

    def _moved(self, planned: TerminFields, fr_nr: int) -> bool:
        rules = self.context.rules
        return read_termin(planned, rules) != read_termin(self.sides.termine[fr_nr], rules)

    async def _delete_advoware(self, operation: DeleteAdvoware) -> None:
        if operation.confirm and await self.sides.fresh_event(operation.event_id) is not None:
            raise PlanAgain
        termin = self.sides.termine.get(operation.fr_nr)
        if termin is not None and any(not concerns(termin, one) for one in self.book.elsewhere(operation.fr_nr)):
            # It came back from a colleague whose pair is still there: the event went with it and was deleted by nobody.
            await self.book.leave(operation.fr_nr)
            raise PlanAgain
        try:
            await self._drop_termin(operation)
        except NotDeleted:
            # Its pair stays: without one it would be entered in Google again, as if nobody had deleted it.
            await self.book.keep(operation.fr_nr)
            raise
        await self.book.close(operation.fr_nr)

    async def _drop_termin(self, operation: DeleteAdvoware) -> None:
        """GET, compare and DELETE back to back, alone; one that is gone already is fine."""
        async with self._alone(operation.fr_nr):
            planned = self.sides.termine.get(operation.fr_nr)
            await self.lease.ensure()
            record = await self.sides.fresh_termin(operation.fr_nr)
            if record is not None:
                if planned is None or self._moved(planned, operation.fr_nr):
                    raise PlanAgain
                self._count("advoware", operation)
                await self.context.advoware.delete_termin(operation.fr_nr)
                if await self.sides.fresh_termin(operation.fr_nr) is not None:
                    raise NotDeleted(f"DELETE Termine {operation.fr_nr} answered, and it stands there")

    async def _create(self, operation: CreateAdvoware) -> None:
        if operation.replaces_fr_nr is not None and await self._went_elsewhere(operation):
            return
        creation = await create_once(self.context, self._order(operation))
        created = creation.record
        if creation.earlier and created.record is not None:
            # It arrived after the list was read: what was sent then, not what is planned now, is what both agreed on.
            self.sides.termine[created.key] = to_fields(created.record)
            self.book.intents[operation.event_id] = creation.intent
            self.resumed[operation.event_id] = created.key
            raise PlanAgain
        base = None
        if created.record is not None:
            self.sides.termine[created.key] = to_fields(created.record)
            # Stored with the pair: whoever comes after us, if we die here, tells an edit from what was sent.
            with suppress(UnreadableAppointmentError):
                base = base_as_sent(self._form(created.key), operation.form)
        replaces = operation.replaces_fr_nr
        await self.book.created(creation.intent, operation.event_id, created.key, replaces=replaces, base=base)
        if created.record is None and await self.sides.fresh_termin(created.key) is None:
            raise AppointmentMoving
        await self._compare_read_back(created.key, laid_over(TerminFields(created.key), operation.values), None)
        await self._stamp(operation, created.key)

    def _order(self, operation: CreateAdvoware) -> CreateOrder[Created[Termin]]:
        async def post() -> Created[Termin]:
            await self._before_write("advoware", operation)
            return await self.context.advoware.create_termin(operation.values)

        return CreateOrder(
            system=Side.ADVOWARE,
            entity=ENTITY,
            espo_id=self.book.kuerzel,
            claim=operation.event_id,
            natural_key=intent_key(
                PendingCreate(
                    operation.event_id,
                    operation.form,
                    known=self._nobodys(),
                    newest=max([*self.sides.termine, *self.book.rows], default=0),
                )
            ),
            payload=operation.values,
            post=post,
            find=self._find_created,
        )

    async def _find_created(self, intent: Intent) -> Created[Termin] | None:
        """Look for what was sent in Advoware's list: the plan's list may be older than its arrival.

        Raises :class:`AppointmentMoving` if it may be one that the plan has not seen: the next plan asks about it.
        """
        (sent,) = pending([intent], self.context.rules)
        rules, window = self.context.rules, self.decision.window.wide()
        spoilt: list[SpoiltRow] = []
        listed = await self.context.advoware.list_termine(self.decision.kuerzel, window.start, window.end, spoilt)
        found = {one.fr_nr: one for one in listed if one.fr_nr > 0 and one.fr_nr not in self.book.rows}
        forms: dict[int, Appointment | None] = dict.fromkeys(found)
        for fr_nr, record in found.items():
            with suppress(UnreadableAppointmentError):
                forms[fr_nr] = read_termin(to_fields(record), rules)
        number = created_by(sent, forms)
        if number is None and spoilt:
            raise spoilt[0].error  # the one that cannot be read may be it
        unseen = found.keys() - self._nobodys()
        if number is None and any(may_be(sent, one, forms[one], self.decision.window) for one in unseen):
            raise AppointmentMoving
        return Created(key=number, record=found[number]) if number is not None else None

    def _nobodys(self) -> frozenset[int]:
        """Return the numbers that the plan has seen and that belong to no pair here."""
        return frozenset(fr_nr for fr_nr in self.sides.termine if fr_nr > 0 and fr_nr not in self.book.rows)

    async def _stamp(self, operation: CreateAdvoware, fr_nr: int) -> None:
        """Mark the event, unless somebody has changed it since: then the next round merges that."""
        termin, rules = self.sides.termine[fr_nr], self.context.rules
        event = self.sides.events.get(operation.event_id) or await self.sides.fresh_event(operation.event_id)
        said = read_event(event.raw, rules) if event is not None else None
        anonymised = said is not None and said.mark is not None and said.mark.anonymised
        base = BaseForm(self._form(fr_nr), shown_form(operation.form, anonymised=anonymised, rules=rules), anonymised)
        etag = event.etag if event is not None else ""
        await self.book.agree(fr_nr, base, etag, event_id=operation.event_id, generation=0, source=Source.GOOGLE)
        if said is None or changed_fields(said.form, base.google) & FLOWING_FIELDS:
            raise PlanAgain
        try:
            await self._update_google(stamp(operation.event_id, termin, operation.form, self.decision))
        except (PreconditionFailedError, AlreadyDeletedError):
            raise PlanAgain from None

    async def _went_elsewhere(self, operation: CreateAdvoware) -> bool:
        """Look whether the Termin lives on with a colleague: then it leaves this calendar and is not doubled."""
        fr_nr = operation.replaces_fr_nr
        if fr_nr is None or operation.event_id in self.book.intents:
            return False
        record = await self.context.advoware.read_termin(fr_nr)
        if record is None:
            return False
        if self.sides.concerns(to_fields(record)):
            raise PlanAgain
        await self._leave_to_colleague(fr_nr, operation.event_id)
        return True

    async def _leave_to_colleague(self, fr_nr: int, event_id: str, also: tuple[FieldChange, ...] = ()) -> None:
        """Delete the event of a Termin that a colleague has now; what was typed into it, and ``also``, is told."""
        reason, pair = "In Advoware einem anderen Kürzel zugeordnet", self.book.state(fr_nr)
        base = pair.base if pair is not None else None
        event = self.sides.events.get(event_id)
        said = read_event(event.raw, self.context.rules) if event is not None else None
        edits = typed_since(said, base) if said is not None else ()
        edits = tuple(edit for edit in edits if edit.name not in {one.name for one in also}) + also
        if edits:
            text = f"{reason}, in Google noch geändert: gelöscht"
            finding = Finding(FindingKind.DELETED_AGAINST_CHANGE, text, fr_nr, event_id, edits)
            await self.book.lose((finding,))
            self.done.findings += (finding,)
        await self.book.leave(fr_nr)
        await self._delete_google(DeleteGoogle(fr_nr, event_id, reason, confirm=False))
