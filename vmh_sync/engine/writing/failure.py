"""What an error that kept a record from being synced means for it, in words for people: the same for every entity.

An entity has words of its own for its own errors, and leaves all others to :func:`explain`.
"""

from dataclasses import dataclass

from vmh_sync.coordination.errors import LeaseLost
from vmh_sync.engine.failures.isolation import UNFORESEEN
from vmh_sync.engine.passes.approved_plan import PlanMoved
from vmh_sync.engine.writing.create_once import CreatePutOff
from vmh_sync.store.errors import LinkTaken, StaleRow
from vmh_sync.sync.fields import WrongKind
from vmh_sync.sync.planning.guards import GuardTripped
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.espocrm.errors import RecordLocked

MOVED = "Der Datensatz wurde während des Abgleichs von anderer Stelle geändert; der Abgleich wird wiederholt."


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure: a German sentence, the class of the error for developers. ``later``: it is only put off."""

    message: str
    error_class: str
    retryable: bool = True
    concerns_all: bool = False
    later: bool = False
    part: str | None = None

    def outcome(self, record: str, betnr: int | None = None) -> RecordOutcome:
        """Return how a record ends that was kept from being synced."""
        return RecordOutcome(
            record,
            Result.SKIPPED if self.later else Result.FAILED,
            betnr,
            error=self.message,
            error_class=self.error_class,
            part=self.part,
            retryable=self.retryable,
            later=self.later,
            concerns_all=self.concerns_all,
        )


def explain(error: Exception) -> Failure:
    """Put an error into words."""
    name = type(error).__name__
    if isinstance(error, CreatePutOff | LeaseLost | RecordLocked):
        return Failure(error.message_for_people, name, later=True)
    if isinstance(error, ForeignSystemError):
        return Failure(error.message_for_people, name, error.retryable, error.concerns_all)
    if isinstance(error, GuardTripped):
        return Failure(str(error), name, retryable=False, concerns_all=not isinstance(error, PlanMoved))
    if isinstance(error, WrongKind):
        return Failure(error.message_for_people, name)
    return Failure(MOVED if isinstance(error, LinkTaken | StaleRow) else UNFORESEEN, name)
