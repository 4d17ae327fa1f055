"""What keeps a party from being synced, in words for its owner."""

from dataclasses import dataclass

from vmh_sync.beteiligte.errors import EmptierThanAParty, PartFailed, Refused, StillMoving
from vmh_sync.beteiligte.twins.unanswered import CreateOutcomeUnknown
from vmh_sync.coordination.errors import LeaseLost
from vmh_sync.engine.failures.isolation import UNFORESEEN
from vmh_sync.engine.passes.approved_plan import PlanMoved
from vmh_sync.store.errors import LinkTaken, StaleLink, StaleRow
from vmh_sync.sync.fields import WrongKind
from vmh_sync.sync.planning.guards import GuardTripped
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


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure: a German sentence for the owner, the class of the error for developers."""

    message: str
    error_class: str
    retryable: bool
    part: str | None = None
    concerns_all: bool = False


def explain(error: Exception) -> Failure:
    """Put an error that kept one record from being synced into words."""
    name = type(error).__name__
    if isinstance(error, PartFailed):
        cause = explain(error.cause)
        return Failure(f"{error.label}: {cause.message}", cause.error_class, cause.retryable, error.label)
    if isinstance(error, ForeignSystemError):
        return Failure(error.message_for_people, name, error.retryable, concerns_all=error.concerns_all)
    if isinstance(error, PlanMoved):
        return Failure(str(error), name, retryable=False)
    if isinstance(error, GuardTripped):
        return Failure(str(error), name, retryable=False, concerns_all=True)
    if isinstance(error, Refused):
        return Failure(str(error), name, retryable=False)
    if isinstance(error, CreateOutcomeUnknown):
        return Failure(
            "Es ist unklar, ob der Beteiligte in Advoware angelegt wurde; bitte die Aufgabe dazu bearbeiten.",
            name,
            retryable=False,
        )
    if isinstance(error, EmptierThanAParty):
        text = "Der Beteiligte kam ohne jeden Namen an; so leer ist keiner. Es wurde nichts geändert. Bitte prüfen."
        return Failure(text, name, retryable=True)
    if isinstance(error, WrongKind):
        return Failure(error.message_for_people, name, retryable=True)
    if not isinstance(error, RECORD_FAILURES):
        return Failure(UNFORESEEN, name, retryable=True)
    return Failure(
        "Der Datensatz wurde während des Abgleichs von anderer Stelle geändert; der Abgleich wird wiederholt.",
        name,
        retryable=True,
    )
