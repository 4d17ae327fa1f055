"""Whether an event that is gone from its calendar lives on in a colleague's: moved there, or made there anew.

Moved it keeps its id and our mark; some clients make it anew without either, and people copy it with the mark and
delete the first one (:mod:`.unmarked_moves`). Either way it was changed there when it was deleted here, so that one
list of what was changed since then tells, for all deletions of a pass together (kalender.md 1: the quota is one for
the whole firm).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from vmh_sync.kalender.changed_lately import Living
from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.form.google_form import read_mark
from vmh_sync.kalender.model import BaseForm
from vmh_sync.kalender.pairing.made_anew import says_what
from vmh_sync.kalender.reading.colleagues import asked
from vmh_sync.kalender.reading.live_sides import LiveSides
from vmh_sync.kalender.reading.unmarked_moves import created_at, made_for, unmarked
from vmh_sync.store.store import Transaction
from vmh_sync.systems.google_calendar.client import LIST
from vmh_sync.systems.google_calendar.errors import Answer, UnreadableEventError
from vmh_sync.systems.google_calendar.events import Event

LOOKED_BACK = timedelta(days=7)
"""How far before a deletion a colleague's changes are read, so that one read does for all that a pass finds deleted."""


def is_of(event: Event, fr_nr: int) -> bool:
    """Tell whether an event lives as this Termin's: a guest's copy has the same id, not our mark."""
    mark = read_mark(event.raw)
    return not event.cancelled and mark is not None and mark.fr_nr == fr_nr


@dataclass(frozen=True, slots=True, repr=False)
class Gone:
    """An event that is gone from the calendar of ``sides``; ``base``: what was agreed on, if it was paired."""

    context: CalendarContext
    sides: LiveSides
    event_id: str
    fr_nr: int
    base: BaseForm | None

    async def lives_on_in(self, calendar: str, kuerzel: str) -> bool:
        """Tell whether it lives on in the calendar of a colleague.

        Raises ``UnreadableEventError`` if it stands there and nobody can say as what, :class:`.ColleagueUnreachable`
        if nobody can say whether it does. The lost calendar of who has left is nobody's: nothing was moved there.
        """
        gone = await self.sides.deleted_at(self.event_id)
        since, client = self._since(gone), self.context.google.client

        async def read() -> Living:
            # Google's clock may be ahead of ours: what is known to be deleted was deleted before this question.
            known = (moment for moment in self.sides.deleted.values() if moment is not None)
            asked_at = max([self.context.clock.now(), *known])
            events = await asked(self.context, kuerzel, calendar, lambda: client.changed_since(calendar, since))
            return _living(asked_at, events or ())

        living = await self.context.lately.of(calendar, since, gone, read)
        if self.event_id in living.unreadable:
            raise UnreadableEventError(LIST.name, Answer(200, "unreadableEvent"))
        return (self.event_id, self.fr_nr) in living.marked or await self._stands_anew(living.made, gone)

    def _since(self, gone: datetime | None) -> datetime | None:
        """Return a moment before the first deletion that is known; ``None`` where nobody can say: all is read then."""
        if gone is None:
            return None
        first = min(moment for moment in self.sides.deleted.values() if moment is not None)
        return (first - LOOKED_BACK).replace(hour=0, minute=0, second=0, microsecond=0)

    async def _stands_anew(self, events: Iterable[tuple[datetime, Event]], gone: datetime | None) -> bool:
        """Tell whether an event that nobody has taken yet says there what this one said here, and was made for it."""
        base = self.base
        if base is None or gone is None:
            return False
        made = (event for created, event in events if made_for(created, gone))
        loose = unmarked(made, self.context.rules, or_marked=self.fr_nr.__eq__)
        same = [one.event_id for one in loose if says_what(one, base, self.fr_nr)]
        return bool(same) and await self.context.store.read(_any_is_nobodys, same)


def _living(asked_at: datetime, events: Iterable[Event]) -> Living:
    marked, made, unreadable = set[tuple[str, int]](), list[tuple[datetime, Event]](), set[str]()
    for event in events:
        if event.raw.keys() <= {"id", "recurringEventId"}:
            unreadable.add(event.id)
            continue
        if (mark := read_mark(event.raw)) is not None:
            marked.add((event.id, mark.fr_nr))
        if (created := created_at(event)) is not None:
            made.append((created, event))
    return Living(asked_at, frozenset(marked), tuple(made), frozenset(unreadable))


def _any_is_nobodys(tx: Transaction, event_ids: Iterable[str]) -> bool:
    return any(not tx.calendar_pairs.by_event(one) for one in event_ids)
