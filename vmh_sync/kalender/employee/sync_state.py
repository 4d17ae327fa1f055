"""What our database keeps of a pass over one employee: the token, when it succeeded, what was left over."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.decision.deadlines import fingerprint
from vmh_sync.kalender.reading.calendar_read import CalendarRead
from vmh_sync.kalender.reading.delta_gaps import MOST_UNSETTLED
from vmh_sync.kalender.state.ledger import Attempts, Failures, keep_failures
from vmh_sync.kalender.state.pair_rows import CalendarCursor
from vmh_sync.store.calendars.calendar import CalendarState
from vmh_sync.store.calendars.calendar_channels import CalendarChannel
from vmh_sync.store.store import Transaction


@dataclass(frozen=True, slots=True, repr=False)
class Ending:
    """How a pass ended that ran to its end.

    ``failed`` counts failed appointments, ``error`` says why one of them failed (or what else is to be told),
    ``left_over`` holds the events of appointments that were not settled, ``waiting`` those that Advoware may not have
    yet. ``nameless``: a side named something of which nobody can say which appointment it is. ``failures``,
    ``attempts``, ``said``: what goes into the ledger, what stood there, and what the Termine said (by number, hashed).
    ``copied``: numbers of which an equal copy stands in the calendar.
    """

    anonymised: bool
    failed: int = 0
    error: str | None = None
    left_over: Sequence[str] = ()
    waiting: Sequence[str] = ()
    doubtful: Sequence[tuple[int, str]] = ()
    nameless: bool = False
    failures: Failures = field(default_factory=Failures)
    attempts: Attempts = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)
    copied: Collection[int] = ()


async def remember_success(
    context: CalendarContext, kuerzel: str, google: CalendarRead, ending: Ending
) -> list[CalendarChannel]:
    """Store how a pass ended; returns the employee's channels, as they stand then.

    The token moves on also when appointments failed, so that one that fails for ever does not make every pass read
    more and more: their events are noted and read one by one. Advoware's side needs no note, it is read as a whole
    every time. The token stays where one by one would be too many, and where an absent event proves nothing (the
    calendar is new or came back empty): read one by one, such an event would look as if a person had deleted it.
    """
    changes = google.changes
    proves_nothing = google.moved or (changes.full and not changes.events)
    settled = not ending.failed and not ending.left_over
    moves_on = settled or not (proves_nothing or len(ending.left_over) > MOST_UNSETTLED)
    moves_on = moves_on and not ending.nameless  # what cannot be named cannot be read one by one either
    now = context.clock.now()

    def store(tx: Transaction) -> list[CalendarChannel]:
        state = tx.calendar_states.get(kuerzel) or CalendarState(kuerzel=kuerzel)
        state = replace(state, last_error=ending.error, anonymised=ending.anonymised)
        if not ending.failed:
            state = replace(state, last_success_at=now)
        kept: dict[CalendarCursor, object] = {
            CalendarCursor.WAITING: sorted(set(ending.waiting)),
            CalendarCursor.DOUBTFUL: [list(edge) for edge in sorted(set(ending.doubtful))],
        }
        if moves_on:
            state = replace(state, calendar_id=google.calendar_id, sync_token=changes.token)
            kept[CalendarCursor.UNSETTLED] = sorted(set(ending.left_over))
            kept[CalendarCursor.COPIED] = sorted(ending.copied)
            if changes.full:
                kept[CalendarCursor.FULL_READ] = now.isoformat()
                kept[CalendarCursor.DEADLINES] = fingerprint(context.rules)
        _keep(tx, kuerzel, kept)
        tx.calendar_states.upsert(state)
        keep_failures(tx, kuerzel, ending.failures, ending.attempts, ending.said, now=now, run_id=context.run_id)
        return tx.calendar_channels.of(kuerzel)

    return await context.store.write(store)


def _keep(tx: Transaction, kuerzel: str, kept: Mapping[CalendarCursor, object]) -> None:
    """Store what has changed: most passes leave nearly all of it as it was."""
    wanted = {one.of(kuerzel): value for one, value in kept.items()}
    known = tx.cursors.several(wanted)
    for name, value in wanted.items():
        if value != known.get(name, []):
            tx.cursors.set(name, value)


async def remember_failure(context: CalendarContext, kuerzel: str, message: str) -> None:
    """Store why an employee could not be synced."""

    def store(tx: Transaction) -> None:
        state = tx.calendar_states.get(kuerzel) or CalendarState(kuerzel=kuerzel)
        tx.calendar_states.upsert(replace(state, last_error=message))

    await context.store.write(store)
