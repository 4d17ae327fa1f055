"""What neither list tells: Termine beyond the window whose event has moved, and events that came back from the bin."""

from collections.abc import Collection, Iterable, Mapping

from vmh_sync.engine.failures.isolation import isolated
from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.form.event_identity import ids_of_inserts
from vmh_sync.kalender.form.google_form import read_event
from vmh_sync.kalender.form.window import Window
from vmh_sync.kalender.model import PairState, Source, UnreadableAppointmentError
from vmh_sync.kalender.state.pair_rows import Stored, pair_state
from vmh_sync.store.store import Transaction
from vmh_sync.systems.advoware.records import Termin
from vmh_sync.systems.google_calendar.events import Event


async def termine_beyond(
    context: CalendarContext, stored: Stored, events: Iterable[Event], listed: Collection[Termin], window: Window
) -> list[Termin]:
    """Read one by one the Termine that lie outside the window and whose event was changed in Google.

    The list of the window does not name them, so an event that comes back into it would be changed in vain. One that
    is gone in Advoware stays unnamed. An unchanged pair costs nothing. Raises the client's errors.
    """
    numbers = {termin.fr_nr for termin in listed}
    living = {event.id: event for event in events if not event.cancelled and not event.is_exception}
    found: list[Termin] = []
    for row in stored.pairs:
        if row.frnr is None or row.frnr in numbers or row.event_id not in living:
            continue
        pair = pair_state(row, context.rules)
        if pair is None or pair.base is None or window.surely_lists(pair.base.advoware):
            continue
        if _says_something_else(context, pair, living[pair.event_id]):
            termin = await context.advoware.read_termin(pair.fr_nr)
            found += [] if termin is None else [termin]
    return found


def _says_something_else(context: CalendarContext, pair: PairState, event: Event) -> bool:
    said = None
    with isolated(f"event {event.id}", lambda error: None, foreseen=(UnreadableAppointmentError,)):
        said = read_event(event.raw, context.rules, pair.base).form
    return said is not None and pair.base is not None and said != pair.base.google


def unstored_inserts(tx: Transaction, kanzlei: str, kuerzel: str, marked: Mapping[str, int]) -> frozenset[str]:
    """Return those events that we put into this calendar and of which no pair was ever stored: we were killed.

    ``marked``: id of an event → the number that it carries. Nobody else makes such an id, so it is no copy.
    """
    inserted = [one for one, fr_nr in marked.items() if one in ids_of_inserts(kanzlei, kuerzel, fr_nr)]
    return frozenset(one for one in inserted if not tx.calendar_pairs.ever_with_event(one))


def restored_events(tx: Transaction, kuerzel: str, marked: Collection[str]) -> frozenset[str]:
    """Return those of the marked events without a pair that had one once and were made in Google.

    A person deleted such an event, so its Termin was deleted too; now it has been taken out of Google's bin. Or it was
    moved here from a colleague (it keeps its id), who took that for its deletion because nobody knew of this calendar.
    """
    rows = [row for event_id in marked for row in tx.calendar_pairs.ever_with_event(event_id)]
    made_in_google = [row for row in rows if row.source_system == Source.GOOGLE.value]
    return frozenset(
        str(row.event_id) for row in made_in_google if row.kuerzel == kuerzel or row.deleted_at is not None
    )
