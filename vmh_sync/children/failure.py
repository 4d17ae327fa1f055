"""What an error that kept a child from being synced means for it, in words for people."""

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


def failure(child: str, betnr: int | None, error: Exception) -> RecordOutcome:
    """Return the outcome of a child that an error kept from being synced."""
    name = type(error).__name__
    if isinstance(error, CreatePutOff | LeaseLost | RecordLocked):
        return RecordOutcome(child, Result.SKIPPED, betnr, error=error.message_for_people, later=True)
    if isinstance(error, GuardTripped):
        all_of_them = not isinstance(error, PlanMoved)
        return RecordOutcome(
            child, Result.FAILED, betnr, error=str(error), error_class=name, retryable=False, concerns_all=all_of_them
        )
    foreign = error if isinstance(error, ForeignSystemError) else None
    said = error.message_for_people if isinstance(error, ForeignSystemError | WrongKind) else None
    return RecordOutcome(
        child,
        Result.FAILED,
        betnr,
        error=said or _in_words(error),
        error_class=name,
        retryable=foreign is None or foreign.retryable,
        concerns_all=foreign is not None and foreign.concerns_all,
    )


def _in_words(error: Exception) -> str:
    if isinstance(error, StaleRow | LinkTaken):
        return "Der Datensatz wurde während des Abgleichs von anderer Stelle geändert; der Abgleich wird wiederholt."
    return UNFORESEEN
