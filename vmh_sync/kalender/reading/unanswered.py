"""Where a Termin may have gone whose creation was not answered: what is read while an intent of an employee is open.

Costs one list per colleague, and only as long as such an intent is open.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.decision.reads import PendingCreate
from vmh_sync.kalender.form.window import Window
from vmh_sync.kalender.model import Source
from vmh_sync.kalender.state.pair_rows import Stored, pending
from vmh_sync.store.calendars.calendar import CalendarPair
from vmh_sync.store.store import Transaction
from vmh_sync.systems.advoware.records import Termin
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.spoilt_row import SpoiltRow


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The open intents, with all that stood in Advoware before each, and what stands with colleagues only.

    ``elsewhere`` is ``None`` if not all of them could be read: then not finding a Termin proves nothing.
    """

    intents: tuple[PendingCreate, ...] = ()
    elsewhere: tuple[Termin, ...] | None = ()


async def look_around(
    context: CalendarContext, kuerzel: str, stored: Stored, listed: Collection[int], window: Window
) -> Unanswered:
    """Return what the search for the Termine of open intents needs besides the employee's own list."""
    if not stored.intents:
        return Unanswered()
    colleagues = await context.store.read(_colleagues, kuerzel)
    rows = [row for pairs in colleagues.values() for row in pairs]
    moments = zip(pending(stored.intents, context.rules), stored.intents, strict=True)
    intents = tuple(_told(wanted, rows, intent.created_at) for wanted, intent in moments)
    found: dict[int, Termin] = {}
    for colleague in colleagues:
        spoilt: list[SpoiltRow] = []
        try:
            of_colleague = await context.advoware.list_termine(colleague, window.start, window.end, spoilt)
        except ForeignSystemError as error:
            if error.retryable:
                return Unanswered(intents, None)
            continue  # somebody whom Advoware does not know any more has no list either
        found |= {termin.fr_nr: termin for termin in of_colleague if termin.fr_nr > 0 and termin.fr_nr not in listed}
    return Unanswered(intents, tuple(found.values()))


def _colleagues(tx: Transaction, kuerzel: str) -> dict[str, list[CalendarPair]]:
    names = [state.kuerzel for state in tx.calendar_states.all() if state.kuerzel.upper() != kuerzel.upper()]
    return {name: tx.calendar_pairs.of(name) for name in names}


def _told(wanted: PendingCreate, rows: Iterable[CalendarPair], created_at: datetime) -> PendingCreate:
    """Add what stood in a colleague's calendar before, given to this employee since, and what we made of other events.

    None of it is a new Termin whose creation was not answered.
    """
    if wanted.known is None:
        return wanted
    others = {
        row.frnr
        for row in rows
        if row.frnr is not None
        and (
            (row.created_at and row.created_at < created_at)
            or (row.source_system == Source.GOOGLE.value and row.event_id not in (None, wanted.event_id))
        )
    }
    return replace(wanted, known=wanted.known | others)
