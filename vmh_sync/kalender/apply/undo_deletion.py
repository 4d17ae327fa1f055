"""Enters a Termin again that was deleted, once: nothing is doubled (engine/writing/create_once.py)."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from vmh_sync.coordination.leases import Lease
from vmh_sync.engine.writing.create_once import CreateOrder, Creation, create_once
from vmh_sync.engine.writing.undo import UndoRefused
from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.decision.reads import PendingCreate
from vmh_sync.kalender.form.advoware_form import read_termin
from vmh_sync.kalender.form.advoware_overlay import new_termin, overlay
from vmh_sync.kalender.form.window import Window, window_at
from vmh_sync.kalender.form.wire_termin import laid_over, to_fields
from vmh_sync.kalender.model import (
    FLOWING_FIELDS,
    Appointment,
    TerminFields,
    UnreadableAppointmentError,
    changed_fields,
)
from vmh_sync.kalender.pairing.resume import created_by, may_be
from vmh_sync.kalender.state.audit_values import termin_of
from vmh_sync.kalender.state.pair_rows import ENTITY, intent_key, pending
from vmh_sync.store.history.audit import Change
from vmh_sync.store.pairs.intents import Intent
from vmh_sync.sync.base import Side
from vmh_sync.systems.advoware.records import Created, Termin

UNDO_ENTITY = f"{ENTITY}_undo"
"""Whose intents these are: no pass goes on with them, only the same undo does."""


@dataclass(frozen=True, slots=True, repr=False)
class Reentry:
    """One deleted Termin: who had it, what it said, and the change that is taken back."""

    context: CalendarContext
    lease: Lease
    kuerzel: str
    fr_nr: int
    form: Appointment
    change: Change
    kept: object

    async def look(self) -> None:
        """Make sure that it is gone. Raises :class:`UndoRefused`."""
        if await self.context.advoware.read_termin(self.fr_nr) is not None:
            raise UndoRefused("Den Termin gibt es in Advoware noch; bitte dort von Hand ändern.")

    async def create(self) -> Creation[Created[Termin]]:
        """Enter it; the intent is settled by whoever notes the undo. Raises :class:`UndoRefused` and client errors."""
        values = self._values()
        before = frozenset(one.fr_nr for one in await self._listed())

        async def post() -> Created[Termin]:
            await self.lease.ensure()
            return await self.context.advoware.create_termin(values)

        return await create_once(
            self.context,
            CreateOrder(
                system=Side.ADVOWARE,
                entity=UNDO_ENTITY,
                espo_id=self.kuerzel,
                claim=f"undo-{self.change.id}",
                natural_key=intent_key(
                    PendingCreate(f"undo-{self.change.id}", self.form, known=before, newest=max(before, default=0))
                ),
                payload=values,
                post=post,
                find=self._find,
                look_first=self.typed_again,
            ),
        )

    def _values(self) -> dict[str, str | int]:
        rules, said = self.context.rules, termin_of(self.kept) or termin_of(self._removed_by_undo())
        if not said:
            return new_termin(self.form, self.kuerzel, rules)
        return said | overlay(laid_over(TerminFields(0), said), self.form, FLOWING_FIELDS, rules)

    def _removed_by_undo(self) -> object:
        """What an undo deleted, it noted in full; the pass that carried that to Google knows less."""
        with self.context.store.reading() as tx:
            rows = tx.audit.for_record(str(self.change.espo_id))
        return next((row.old for row in rows if row.kind == "undo" and termin_of(row.old)), None)

    async def typed_again(self) -> Created[Termin] | None:
        """Return ``None``. Raises :class:`UndoRefused` when a person has entered the same again."""
        for one in await self._listed():
            with suppress(UnreadableAppointmentError):
                form = read_termin(to_fields(one), self.context.rules)
                if not changed_fields(form, self.form) & FLOWING_FIELDS:
                    raise UndoRefused(f"Der Termin steht schon wieder in Advoware (frNr {one.fr_nr}).")
        return None

    async def _find(self, intent: Intent) -> Created[Termin] | None:
        (sent,) = pending([intent], self.context.rules)
        found = {one.fr_nr: one for one in await self._listed() if one.fr_nr > 0}
        forms: dict[int, Appointment | None] = dict.fromkeys(found)
        for fr_nr, one in found.items():
            with suppress(UnreadableAppointmentError):
                forms[fr_nr] = read_termin(to_fields(one), self.context.rules)
        number = created_by(sent, forms)
        maybe = [one for one, form in forms.items() if number is None and may_be(sent, one, form, self._window)]
        if maybe:
            numbers = ", ".join(str(one) for one in sorted(maybe))
            raise UndoRefused(f"Vielleicht steht er schon wieder in Advoware (frNr {numbers}); bitte nachsehen.")
        return Created(key=number, record=found[number]) if number is not None else None

    @property
    def _window(self) -> Window:
        return window_at(self.context.clock.now(), self.context.rules)

    async def _listed(self) -> Sequence[Termin]:
        window = self._window.wide()
        return await self.context.advoware.list_termine(self.kuerzel, window.start, window.end)
