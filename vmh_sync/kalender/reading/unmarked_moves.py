"""Events that a client moved to a colleague by making them anew there: our mark is lost, only the content tells.

The one at the colleague's says what the deleted one said (start, end, title and series, as at first contact:
kalender.md 5), and was made when that was deleted. As long as the first one lives, or when it had stood beside it, it
is an appointment of its own: two who go to the same hearing.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from vmh_sync.engine.failures.isolation import isolated
from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.decision.reads import PairElsewhere
from vmh_sync.kalender.errors import ColleagueUnreachable
from vmh_sync.kalender.form.google_form import ReadEvent, read_event, read_mark
from vmh_sync.kalender.model import CalendarRules, PairState, UnreadableAppointmentError
from vmh_sync.kalender.pairing.made_anew import says_the_same
from vmh_sync.kalender.reading.colleagues import event_at
from vmh_sync.kalender.state.pair_rows import Stored, pair_state
from vmh_sync.store.store import Transaction
from vmh_sync.systems.google_calendar.events import Event

WAITS_FOR_A_CALENDAR = timedelta(days=1)
"""So long an event that may have come from a calendar which cannot be reached is nobody's yet."""

MADE_WITHIN = timedelta(hours=1)
"""So close together a client makes an event anew and deletes the first one; both moments are of Google's clock."""


async def events_made_anew(
    context: CalendarContext, stored: Stored, events: Iterable[Event], listed: Collection[int]
) -> dict[str, PairElsewhere]:
    """Return of each new event here the colleague's pair whose event it was: that one is gone from its calendar.

    ``listed``: numbers of the employee's own Termine; a Termin of several people is not moved. Costs a call only where
    a colleague has the same at the same time. Raises the client's errors.
    """
    if stored.full_read_at is None:
        return {}  # what stands there may have stood there for years
    paired = {row.event_id for row in stored.pairs} | {str(one.natural_key["event_id"]) for one in stored.intents}
    new = (event for event in events if event.id not in paired)
    loose = list(unmarked(new, context.rules, or_marked=lambda fr_nr: fr_nr > 0 and fr_nr not in listed))
    if not loose:
        return {}
    starts = {event.form.start.astimezone(UTC) for event in loose}
    made = {event.id: created_at(event) for event in events}
    kuerzel = stored.state.kuerzel
    found = await context.store.read(_at_colleagues, kuerzel, starts, context.rules)
    others = [(of, pair) for of, pair in found if pair.fr_nr not in listed and pair.fr_nr > 0]
    came: dict[str, PairElsewhere] = {}
    for event in loose:
        # Moved with its id it needs no telling.
        same = [(of, one) for of, one in others if one.event_id != event.event_id and says_the_same(event, one)]
        if len(same) != 1:
            continue
        try:
            gone = await _gone_at(context, *same[0])
        except ColleagueUnreachable:
            gone = await _gone_at_most(context, same[0][0], made.get(event.event_id))
        if made_for(made.get(event.event_id), gone):
            came[event.event_id] = PairElsewhere(same[0][0], same[0][1].event_id, same[0][1])
            others.remove(same[0])
    return came


def unmarked(
    events: Iterable[Event], rules: CalendarRules, *, or_marked: Callable[[int], bool] = lambda fr_nr: False
) -> Iterator[ReadEvent]:
    """Yield the living events that carry no mark of ours, or one of these numbers, and that Advoware could hold."""
    for event in events:
        mark = read_mark(event.raw)
        if event.cancelled or event.is_exception or (mark is not None and not or_marked(mark.fr_nr)):
            continue
        read: ReadEvent | None = None
        with isolated(f"event {event.id}", lambda error: None, foreseen=(UnreadableAppointmentError,)):
            read = read_event(event.raw, rules)
        if read is not None and read.obstacle is None and read.ours_to_take:
            yield read


def _at_colleagues(
    tx: Transaction, kuerzel: str, starts: Collection[datetime], rules: CalendarRules
) -> list[tuple[str, PairState]]:
    rows = [row for row in tx.calendar_pairs.starting_at(starts) if row.kuerzel.upper() != kuerzel.upper()]
    return [(row.kuerzel, pair) for row in rows if (pair := pair_state(row, rules)) is not None]


async def _gone_at(context: CalendarContext, kuerzel: str, pair: PairState) -> datetime | None:
    state = await context.store.read(lambda tx: tx.calendar_states.get(kuerzel))
    calendar = state.calendar_id if state is not None else None
    event = await event_at(context, kuerzel, calendar, pair.event_id) if calendar is not None else None
    return event.updated if event is not None and event.cancelled else None


async def _gone_at_most(context: CalendarContext, kuerzel: str, created: datetime | None) -> datetime | None:
    """Return when an event may have been deleted in a calendar that cannot be reached, ``None`` for "it lives there".

    Unknown is not "lives there": who carries it out waits, and says so. But what the colleague's own pass has seen
    since is an appointment of its own, and nobody waits longer than a day for a calendar.
    """
    state = await context.store.read(lambda tx: tx.calendar_states.get(kuerzel))
    seen = state.last_success_at if state is not None else None
    if created is None or (seen is not None and seen > created + MADE_WITHIN):
        return None
    return created if context.clock.now() - created < WAITS_FOR_A_CALENDAR else None


def created_at(event: Event) -> datetime | None:
    """Return when it was made; ``None`` for what Google gives invitations from elsewhere (a year 0), or nothing."""
    with suppress(ValueError):
        made = datetime.fromisoformat(str(event.raw.get("created")))
        return made if made.tzinfo is not None else None
    return None


def made_for(created: datetime | None, gone: datetime | None) -> bool:
    """What stood beside the first one before that was deleted, or came much later, is an appointment of its own."""
    return created is not None and gone is not None and abs(created - gone) <= MADE_WITHIN
