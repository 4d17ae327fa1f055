"""Series that Advoware cannot hold and whose Termin is given to a colleague: the event goes along as it is.

The colleague would get the plain series while a person's odd one stays where it was, and the appointment would stand
twice; plain alone would lose what the person said (specification, kalender.md 4 and 5).
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from vmh_sync.kalender.apply.moves import Moves
from vmh_sync.kalender.decision.operations import (
    BringAlong,
    Decision,
    DeleteGoogle,
    FieldChange,
    InsertGoogle,
    MarkNotRepresentable,
)
from vmh_sync.kalender.errors import PlanAgain, StaysWithColleague
from vmh_sync.kalender.form.google_form import deviates, read_event
from vmh_sync.kalender.form.wire_termin import to_fields
from vmh_sync.kalender.model import PairState, Source, TerminFields
from vmh_sync.kalender.reading.live_sides import concerns
from vmh_sync.systems.google_calendar.errors import (
    AlreadyDeletedError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
)


@dataclass(slots=True, repr=False)
class OddSeries(Moves):
    """Brings odd series along, and leaves them where a colleague's pass will fetch them."""

    async def _bring_along(self, operation: InsertGoogle) -> None:
        """Move the event here instead of inserting a plain one, if whom the Termin was taken from has an odd one.

        Raises :class:`PlanAgain` when it did, :class:`StaysWithColleague` when Google does not let the event go.
        """
        fr_nr = operation.fr_nr
        async for kuerzel, pair, calendar, obstacle in self._odd_ones(operation):
            async with self._with_colleague(kuerzel):
                if self.book.pair_of(kuerzel, fr_nr) != pair or await self.sides.fresh_termin(fr_nr) is None:
                    raise PlanAgain
                await self._fetch_event(pair, calendar, kuerzel)
                await self.book.take_over(fr_nr, pair.event_id, kuerzel)
                await self.book.hinder(fr_nr, obstacle)
            raise PlanAgain

    async def _comes_along(self, operation: InsertGoogle) -> Decision | None:
        """Return that an odd event will be moved here instead of this insert; ``None`` where there is none."""
        async for kuerzel, pair, _, _ in self._odd_ones(operation):
            return Decision((_brought(pair, kuerzel),))
        return None

    async def _odd_ones(self, operation: InsertGoogle) -> AsyncIterator[tuple[str, PairState, str, str]]:
        """Yield of whom the Termin was taken from: Kürzel, pair, calendar, why Advoware cannot hold the event."""
        termin = self.sides.termine.get(operation.fr_nr)
        for kuerzel, pair in self.book.elsewhere(operation.fr_nr).items():
            if termin is None or concerns(termin, kuerzel):
                continue
            calendar = await self._calendar_of(kuerzel)
            obstacle = await self._obstacle_of(calendar, pair) if calendar is not None else None
            if calendar is not None and obstacle is not None:
                yield kuerzel, pair, calendar, obstacle

    async def _obstacle_of(self, calendar: str, pair: PairState) -> str | None:
        """Return what Advoware cannot hold of a colleague's event, as it is now."""
        event = await self._living_in(calendar, pair.event_id, pair.fr_nr)
        if event is None or not event.recurrence:
            return None
        read = read_event(event.raw, self.context.rules, pair.base)
        if read.obstacle is not None:
            return read.obstacle
        client, master = self.context.google.client, read.form
        occurrences = await self.context.google.run(
            lambda: client.instances(calendar, pair.event_id, show_deleted=True)
        )
        odd = any(one.is_exception and deviates(one.raw, master, self.context.rules) for one in occurrences)
        return "moved_occurrence" if odd else None

    async def _fetch_event(self, pair: PairState, calendar: str, kuerzel: str) -> None:
        client, destination = self.context.google.client, self.sides.calendar_id
        await self._before_write("google", _brought(pair, kuerzel))
        try:
            await self.context.google.run(lambda: client.move_event(calendar, pair.event_id, destination))
        except (NotFoundError, AlreadyDeletedError):
            raise PlanAgain from None  # deleted meanwhile, or moved by us: the answer was lost
        except (ForbiddenError, InvalidRequestError):
            self.done.writes["google"] -= 1
            self.done.operations.pop()
            raise StaysWithColleague(kuerzel) from None

    async def _delete_or_leave(self, operation: DeleteGoogle) -> None:
        """Leave an odd one where the Termin went to a colleague who has no event of it yet: that one's pass fetches it.

        Any other one is deleted.
        """
        termin = await self._with_whom(operation.fr_nr) if operation.obstacle is not None else None
        fetched = (
            termin is not None
            and not self._has_own(termin)
            and any(concerns(termin, one) for one in self.book.other_employees())
        )
        if not fetched:
            await self._delete_google(operation)
        elif operation.obstacle is not None:
            await self.book.hinder(operation.fr_nr, operation.obstacle)

    async def _hinder(self, operation: MarkNotRepresentable) -> None:
        """Note that Advoware cannot hold it. Where a colleague has the series already it goes, and its rule is told."""
        fr_nr, event = operation.fr_nr, self.sides.events.get(operation.event_id)
        termin = await self._with_whom(fr_nr) if fr_nr not in self.sides.termine else None
        if termin is not None and self._has_own(termin):
            rule = list(event.recurrence) if event is not None else []
            await self._leave_to_colleague(fr_nr, operation.event_id, (FieldChange("recurrence", rule, None),))
            return
        if fr_nr not in self.book.rows:
            await self.book.link(fr_nr, operation.event_id, 0, Source.ADVOWARE)
        await self.book.hinder(fr_nr, operation.obstacle)

    async def _with_whom(self, fr_nr: int) -> TerminFields | None:
        """Return a Termin that left this calendar; ``None`` if it is gone. Raises :class:`PlanAgain` if it is back."""
        record = await self.context.advoware.read_termin(fr_nr)
        if record is not None and self.sides.concerns(to_fields(record)):
            raise PlanAgain
        return to_fields(record) if record is not None else None

    def _has_own(self, termin: TerminFields) -> bool:
        return any(concerns(termin, kuerzel) for kuerzel in self.book.elsewhere(termin.fr_nr))


def _brought(pair: PairState, kuerzel: str) -> BringAlong:
    reason = f"Mit dem Termin aus dem Kalender {kuerzel} hierher verschoben: in Advoware nicht darstellbar"
    return BringAlong(pair.fr_nr, pair.event_id, kuerzel, reason)
