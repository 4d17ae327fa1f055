"""What keeps a party from being synced, in words for its owner."""

from dataclasses import replace

from vmh_sync.beteiligte.errors import EmptierThanAParty, PartFailed, Refused, StillMoving
from vmh_sync.beteiligte.twins.unanswered import CreateOutcomeUnknown
from vmh_sync.coordination.errors import LeaseLost
from vmh_sync.engine.writing import failure
from vmh_sync.engine.writing.failure import MOVED, Failure
from vmh_sync.store.errors import LinkTaken, StaleLink, StaleRow
from vmh_sync.sync.fields import WrongKind
from vmh_sync.systems.errors import ForeignSystemError

RECORD_FAILURES = (
    EmptierThanAParty,
    ForeignSystemError,
    PartFailed,
    Refused,
    StillMoving,
    CreateOutcomeUnknown,
    LeaseLost,
    LinkTaken,
    StaleLink,
    StaleRow,
    WrongKind,
)
"""What is known to concern one record; see :mod:`vmh_sync.engine.failures.isolation` for everything else."""


def explain(error: Exception) -> Failure:
    """Put an error that kept one record from being synced into words."""
    name = type(error).__name__
    if isinstance(error, PartFailed):
        cause, label = explain(error.cause), error.label
        return replace(cause, message=f"{label}: {cause.message}", part=label, concerns_all=False, later=False)
    if isinstance(error, Refused):
        return Failure(str(error), name, retryable=False)
    if isinstance(error, CreateOutcomeUnknown):
        text = "Es ist unklar, ob der Beteiligte in Advoware angelegt wurde; bitte die Aufgabe dazu bearbeiten."
        return Failure(text, name, retryable=False)
    if isinstance(error, EmptierThanAParty):
        text = "Der Beteiligte kam ohne jeden Namen an; so leer ist keiner. Es wurde nichts geändert. Bitte prüfen."
        return Failure(text, name)
    return Failure(MOVED, name) if isinstance(error, StillMoving) else failure.explain(error)
