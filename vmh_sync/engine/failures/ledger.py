"""The ledger of failures: how a record stands after one more failure. One rule for every entity type."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vmh_sync.engine.failures.isolation import one_by_one
from vmh_sync.store.pairs.records import DIFFERENT, SyncRecord
from vmh_sync.store.store import Store
from vmh_sync.sync.reporting.outcome import RecordOutcome
from vmh_sync.sync.reporting.status import BROKEN, after_failure, has_come

log = logging.getLogger(__name__)

TRY_AGAIN_AFTER = timedelta(hours=24)
"""When a value that a side refused is sent to it again (sync-semantics.md 4)."""


def retry_is_due(known: SyncRecord | None, now: datetime) -> bool:
    """Whether the refused values of a record that is known to be different are to be tried again."""
    return known is not None and known.is_different and not _is_ahead(known.next_retry_at, now)


def waits_for_next_try(known: SyncRecord | None, now: datetime) -> bool:
    """Whether a record has failed and neither its next try nor its reset has come."""
    if known is None or known.status not in BROKEN:
        return False
    return _is_ahead(known.auto_reset_at, now) or _is_ahead(known.next_retry_at, now)


def _is_ahead(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and not has_come(moment, now)


def entry_of_difference(
    entity: str, espo_id: str, known: SyncRecord | None, message: str, *, now: datetime, run_id: str | None
) -> SyncRecord | None:
    """Return what the ledger says of a record whose sides stay apart; ``None`` when it says that already."""
    waits = known is not None and known.is_different and _is_ahead(known.next_retry_at, now)
    if known is not None and waits and known.error_text == message:
        return None
    return SyncRecord(
        entity=entity,
        espo_id=espo_id,
        status="conflict",
        next_retry_at=known.next_retry_at if known is not None and waits else now + TRY_AGAIN_AFTER,
        error_text=message,
        error_class=DIFFERENT,
        run_id=run_id,
    )


def reported_already(known: SyncRecord | None, message: str | None, modified_at: datetime | None) -> bool:
    """Whether EspoCRM's record was told this failure before and has not been touched since.

    What it shows of it then is what this installation makes of our values: writing once more would change nothing.
    """
    if known is None or known.status not in BROKEN or modified_at is None:
        return False
    return known.error_text == message and known.espo_modified_at_seen == modified_at


@dataclass(frozen=True, slots=True)
class Failing:
    """A record that failed: whose it is, what the ledger knew of it, and EspoCRM's stamp at this attempt."""

    entity: str
    espo_id: str
    known: SyncRecord | None
    modified_at: datetime | None


def failures_so_far(failing: Failing, now: datetime) -> int:
    """Return the failures that count: none after a success, a change of the record, or the automatic reset.

    A record that EspoCRM does not show any more (no stamp) has not changed.
    """
    known = failing.known
    if known is None or known.status not in BROKEN:
        return 0
    if known.auto_reset_at is not None and has_come(known.auto_reset_at, now):
        return 0
    moved = failing.modified_at is not None and failing.modified_at != known.espo_modified_at_seen
    return 0 if moved else known.attempts


def entry_of_failure(failing: Failing, outcome: RecordOutcome, *, now: datetime, run_id: str | None) -> SyncRecord:
    """Return what the ledger says after this failure (specification, sync-semantics.md 4)."""
    stand = after_failure(failures_so_far(failing, now), retryable=outcome.retryable, now=now)
    return SyncRecord(
        entity=failing.entity,
        espo_id=failing.espo_id,
        status=stand.status.value,
        attempts=stand.attempts,
        next_retry_at=stand.next_retry_at,
        auto_reset_at=stand.auto_reset_at,
        error_text=outcome.error,
        error_class=outcome.error_class,
        part=outcome.part,
        run_id=run_id,
        espo_modified_at_seen=failing.modified_at,
    )


def enter(store: Store, entity: str, entries: Sequence[SyncRecord]) -> None:
    """Store entries together, or each that can be. Blocking."""

    def together(some: Sequence[SyncRecord]) -> None:
        with store.transaction() as tx:
            tx.records.upsert(some)

    one_by_one(entity, entries, together, lambda entry, error: log.error("%s: not in the ledger", entry.espo_id))
