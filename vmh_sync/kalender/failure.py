"""What keeps an appointment or an employee from being synced, in words for the firm's people."""

from vmh_sync.coordination.errors import CoordinationUnavailable, LeaseLost
from vmh_sync.engine.writing import failure
from vmh_sync.engine.writing.failure import Failure
from vmh_sync.kalender.errors import (
    AppointmentMoving,
    ColleagueUnreachable,
    MovedAway,
    StaysWithColleague,
)
from vmh_sync.kalender.model import UnreadableAppointmentError
from vmh_sync.store.errors import PairTaken, StaleRow
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.google_calendar.calendars import CreationDeferredError

ITEM_FAILURES = (
    ForeignSystemError,
    AppointmentMoving,
    MovedAway,
    ColleagueUnreachable,
    StaysWithColleague,
    UnreadableAppointmentError,
    PairTaken,
    StaleRow,
)
"""What concerns one appointment."""

EMPLOYEE_FAILURES = (ForeignSystemError, LeaseLost, CoordinationUnavailable)
"""What stops one employee; the others go on."""


def explain(error: Exception) -> Failure:
    """Put an error that kept an appointment or an employee from being synced into words."""
    name = type(error).__name__
    if isinstance(error, CreationDeferredError):
        return Failure(error.message_for_people, name, later=True)
    if isinstance(error, UnreadableAppointmentError):
        return Failure(f"Der Termin ist nicht lesbar (Feld {error.field}).", name, retryable=False)
    if isinstance(error, MovedAway):
        text = f"Das Ereignis wurde in den Kalender {error.kuerzel} verschoben; dessen Abgleich übernimmt den Termin."
        return Failure(text, name, later=True)
    if isinstance(error, ColleagueUnreachable):
        text = (
            f"Der Google-Kalender von {error.kuerzel} ist nicht zu erreichen: Ob das Ereignis dort steht, ist offen. "
            "Der Termin bleibt, bis der Kalender wieder freigegeben ist."
        )
        return Failure(text, name, later=True)
    if isinstance(error, StaysWithColleague):
        text = (
            f"Die Serie steht im Kalender {error.kuerzel}, ist in Advoware nicht darstellbar und lässt sich nicht "
            "hierher verschieben. Wird sie dort gelöscht, so wird sie hier eingetragen, wie Advoware sie kennt."
        )
        return Failure(text, name)
    if isinstance(error, LeaseLost | CoordinationUnavailable):
        text = "Die Sperre des Kalenders ging verloren; der nächste Lauf macht weiter."
        return Failure(text, name, later=isinstance(error, LeaseLost))
    if isinstance(error, AppointmentMoving | PairTaken | StaleRow):
        return Failure("Der Termin wird gerade an anderer Stelle geändert; der Abgleich wird wiederholt.", name)
    return failure.explain(error)
