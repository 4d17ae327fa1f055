"""Events that a person moved between two calendars of ours: the Termin goes along before anything is deleted."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from vmh_sync.kalender.apply.advoware_writes import AdvowareWrites
from vmh_sync.kalender.decision.deadlines import SENT_BACK, is_held
from vmh_sync.kalender.decision.deletions import typed_since
from vmh_sync.kalender.decision.operations import (
    CreateAdvoware,
    Decision,
    DeleteGoogle,
    FieldChange,
    Finding,
    FindingKind,
    TakeOver,
    TakePair,
)
from vmh_sync.kalender.decision.reads import PairElsewhere
from vmh_sync.kalender.errors import AppointmentMoving, PlanAgain
from vmh_sync.kalender.form.advoware_form import read_termin
from vmh_sync.kalender.form.event_identity import ids_of_inserts
from vmh_sync.kalender.form.google_form import read_event
from vmh_sync.kalender.form.wire_termin import to_fields
from vmh_sync.kalender.model import CalendarRules
from vmh_sync.kalender.state.lease_names import lease_name
from vmh_sync.kalender.state.pair_rows import pair_state
from vmh_sync.store.store import Transaction
from vmh_sync.systems.google_calendar.errors import PreconditionFailedError

COLLEAGUE_WAIT_SECONDS = 20.0
"""How long the calendar that an event came to waits for the calendar that it left.

Two that wait for each other, as colleagues swapped events, must not give up together pass after pass: the one that
comes first in the alphabet waits ``SHORTER_WAIT_SECONDS`` and so makes way for the other one.
"""
SHORTER_WAIT_SECONDS = 5.0


def pairs_elsewhere(
    tx: Transaction, kanzlei: str, kuerzel: str, marked: Mapping[str, int], rules: CalendarRules
) -> dict[int, PairElsewhere]:
    """Return of each number the living pair in another employee's calendar that an event here may have come from.

    ``marked``: id of an event here that no pair here has → the number it carries. The pair of that very event is the
    one, else the only one that there is. Where no pair tells, the id itself does: whose calendar we put the event into.
    We were killed, and it was moved, before its pair was stored; or the colleague has it anew, as everybody has it.
    """
    if not marked:
        return {}
    rows = {fr_nr: [row for row in tx.calendar_pairs.by_frnr(fr_nr) if row.event_id] for fr_nr in {*marked.values()}}
    others = [state.kuerzel for state in tx.calendar_states.all() if state.kuerzel.upper() != kuerzel.upper()]
    unstored = {one for one in marked if not tx.calendar_pairs.ever_with_event(one)}
    pairs: dict[int, PairElsewhere] = {}
    for fr_nr, of in sorted(rows.items()):
        away = [row for row in of if row.kuerzel.upper() != kuerzel.upper()]
        left = [row for row in away if marked.get(str(row.event_id)) == fr_nr]
        if not left and len(of) == 1:
            left = away
        if len(left) == 1:
            pairs[fr_nr] = PairElsewhere(left[0].kuerzel, str(left[0].event_id), pair_state(left[0], rules))
    own = {fr_nr for fr_nr, of in rows.items() if any(row.kuerzel.upper() == kuerzel.upper() for row in of)}
    told = {fr_nr for fr_nr, of in rows.items() if of and not (fr_nr in own and fr_nr not in pairs)}
    unknown = {one: fr_nr for one, fr_nr in marked.items() if fr_nr not in told or one in unstored}
    for other in others:
        for event_id, fr_nr in unknown.items():
            if event_id in ids_of_inserts(kanzlei, other, fr_nr):
                pairs[fr_nr] = PairElsewhere(other, event_id)
    return pairs


@dataclass(slots=True, repr=False)
class Moves(AdvowareWrites):
    """Takes over what came from a colleague."""

    async def _take_over(self, operation: TakeOver) -> None:
        """Give the Termin to this employee, then the pair; under the leases of both calendars."""
        async with self._with_colleague(operation.from_kuerzel):
            instead = await self._instead_of(operation)
            if instead is not None:
                await self._do_instead(instead)
                return
            await self._reassign(operation)
            await self.book.take_over(operation.fr_nr, operation.event_id, operation.from_kuerzel)
        # From here on it is a pair like any other, also if its Termin is gone: what was edited meanwhile is merged.
        raise PlanAgain

    async def _instead_of(self, operation: TakeOver) -> Decision | None:
        """Return what is done instead of taking a Termin over, ``None`` where it is to be taken; writes nothing."""
        deadline, has_own = await self._is_deadline(operation.fr_nr), operation.fr_nr in self.book.rows
        # A deadline, and what is everybody's, is entered again at the colleague's although it was moved: no copy.
        if await self._lives_on(operation, with_copies=not (deadline or has_own)):
            return Decision(operation.otherwise)
        if deadline:
            return self._sent_back(operation)
        return await self._second(operation) if has_own else None

    async def _do_instead(self, decision: Decision) -> None:
        await self.book.lose(decision.findings)
        self.done.findings += decision.findings
        for one in decision.operations:
            if isinstance(one, CreateAdvoware):
                await self._create(one)
            elif isinstance(one, DeleteGoogle):
                try:
                    await self._delete_google(one)
                except PreconditionFailedError:
                    raise AppointmentMoving from None

    async def _lives_on(self, operation: TakeOver, *, with_copies: bool = True) -> bool:
        """Tell whether the appointment lives on at the colleague's: as what it was, or as what its pair went on as."""
        pair = self.book.pair_of(operation.from_kuerzel, operation.fr_nr) if with_copies else None
        for event_id in {operation.left_as or operation.event_id, *([pair.event_id] if pair is not None else [])}:
            if await self._lives_in(operation.from_kuerzel, event_id, operation.fr_nr):
                return True
        return False

    async def _take_pair(self, operation: TakePair) -> None:
        """Let the colleague's pair go on as ours, unless a pass of theirs has changed it meanwhile."""
        async with self._with_colleague(operation.from_kuerzel):
            if self.book.pair_of(operation.from_kuerzel, operation.fr_nr) != operation.pair:
                raise AppointmentMoving
            await self.book.take_over(operation.fr_nr, operation.event_id, operation.from_kuerzel)

    @asynccontextmanager
    async def _with_colleague(self, kuerzel: str) -> AsyncIterator[None]:
        """Hold a colleague's lease too."""
        first = self.decision.kuerzel.upper() < kuerzel.upper()
        wait = SHORTER_WAIT_SECONDS if first else COLLEAGUE_WAIT_SECONDS
        async with self.context.leases.hold(lease_name(kuerzel), wait=wait) as other:
            if other is None:
                raise AppointmentMoving
            yield

    async def _is_deadline(self, fr_nr: int) -> bool:
        if not self.context.rules.deadlines:
            return False
        record = await self.context.advoware.read_termin(fr_nr)
        termin = to_fields(record) if record is not None else None
        form = read_termin(termin, self.context.rules) if termin is not None else None
        return is_held(termin, form, self.context.rules)

    def _sent_back(self, operation: TakeOver) -> Decision:
        """A deadline stays with whom Advoware names: the event goes from here, its own calendar gets it again."""
        text = f"{SENT_BACK} {operation.from_kuerzel}"
        typed = self._typed_at_colleagues(operation)
        finding = Finding(FindingKind.DEADLINE, text, operation.fr_nr, operation.event_id, typed)
        return Decision((DeleteGoogle(operation.fr_nr, operation.event_id, text, confirm=False),), (finding,))

    async def _second(self, operation: TakeOver) -> Decision:
        """The appointment stands here already, in an event of its own: what was typed into the other one is told."""
        record = await self.context.advoware.read_termin(operation.fr_nr)
        if record is None or not self.sides.concerns(to_fields(record)):
            raise AppointmentMoving  # our own event of it could not be taken away before
        found: tuple[Finding, ...] = ()
        if lost := self._typed_at_colleagues(operation):
            text = f"{operation.reason}; der Termin steht hier schon: die Änderung in Google gilt nicht"
            found = (Finding(FindingKind.CONFLICT, text, operation.fr_nr, operation.event_id, lost),)
        return Decision((DeleteGoogle(operation.fr_nr, operation.event_id, operation.reason, confirm=False),), found)

    def _typed_at_colleagues(self, operation: TakeOver) -> tuple[FieldChange, ...]:
        """Return what was typed into an event that came from a colleague since it was agreed on there."""
        event = self.sides.events.get(operation.event_id)
        if event is None:
            return ()
        left = self.book.pair_of(operation.from_kuerzel, operation.fr_nr)
        base = left.base if left is not None else None
        return typed_since(read_event(event.raw, self.context.rules, base), base)

    async def _reassign(self, operation: TakeOver) -> None:
        """Put this employee in the colleague's place, if the Termin is still there."""
        async with self._alone(operation.fr_nr):
            await self.lease.ensure()
            record = await self.context.advoware.read_termin(operation.fr_nr)
            if record is None:
                return
            termin, old = to_fields(record), operation.from_kuerzel.strip().upper()
            owners = {"anwalt": termin.anwalt, "sb": termin.sb}
            values = {
                name: self.decision.kuerzel for name, owner in owners.items() if (owner or "").strip().upper() == old
            }
            if values:
                self._count("advoware", operation)
                await self.context.advoware.replace_termin(record, values)
        await self.sides.fresh_termin(operation.fr_nr)
