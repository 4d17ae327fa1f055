"""The fields that the product keeps on a CBeteiligte (specification, sync-semantics.md 4). Pure."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from vmh_sync.sync.reporting.reported_text import encodable
from vmh_sync.sync.reporting.status import RecordStatus, SyncStatus
from vmh_sync.sync.reporting.status_values import Kept, differing

MESSAGE_LIMIT = 2000


def espo_time(moment: datetime | None) -> str | None:
    """Return a moment in EspoCRM's notation (UTC, whole seconds)."""
    return moment.strftime("%Y-%m-%d %H:%M:%S") if moment is not None else None


def agreed(
    attributes: Mapping[str, Any],
    *,
    now: datetime,
    betnr: int | None,
    row_id: str | None,
    status: SyncStatus,
    message: str | None = None,
    kept: Kept = MappingProxyType({}),
) -> dict[str, Any]:
    """Return what to write after both sides agree; empty when nothing but the time would change.

    ``attributes`` is the EspoCRM record as it stands; ``status`` is ``clean``, ``conflict`` while a person must decide,
    or ``deleted_in_advoware``; ``message`` what that person is to do.
    ``kept`` is what EspoCRM is known to make of our values.
    """
    wanted = {
        "syncStatus": str(status),
        "syncErrorMessage": encodable(message)[:MESSAGE_LIMIT] if message else None,
        "syncRetryCount": 0,
        "syncNextRetry": None,
        "syncAutoResetAt": None,
    }
    if betnr is not None:
        wanted["betnr"] = betnr
    if status is SyncStatus.DELETED_IN_ADVOWARE:
        wanted["advowareDeletedAt"] = attributes.get("advowareDeletedAt") or espo_time(now)
    else:
        wanted["advowareDeletedAt"] = None
    changed = differing(wanted, attributes, kept)
    # A retry counter that was never set says the same as zero: no write for that alone.
    if attributes.get("syncRetryCount") is None:
        changed.pop("syncRetryCount", None)
    return changed | _stamps(attributes, now, row_id) if changed else {}


def _stamps(attributes: Mapping[str, object], now: datetime, row_id: str | None) -> dict[str, Any]:
    stamps: dict[str, Any] = {"advowareLastSync": espo_time(now)}
    if row_id is not None:
        stamps["advowareRowId"] = row_id
    return differing(stamps, attributes)


def stamps(attributes: Mapping[str, object], *, now: datetime, row_id: str | None) -> dict[str, Any]:
    """Return the time and row id to write along with other changes."""
    return _stamps(attributes, now, row_id)


def waiting(status: SyncStatus, message: str) -> dict[str, Any]:
    """Return what to write while a person must decide: one German sentence, and no next try."""
    return {
        "syncStatus": str(status),
        "syncErrorMessage": encodable(message)[:MESSAGE_LIMIT],
        "syncRetryCount": 0,
        "syncNextRetry": None,
        "syncAutoResetAt": None,
    }


def failed(attributes: Mapping[str, object], record: RecordStatus, message: str) -> dict[str, Any]:
    """Return what to write after a failure: status, one German sentence, and when the next try comes."""
    wanted = {
        "syncStatus": str(record.status),
        "syncErrorMessage": encodable(message)[:MESSAGE_LIMIT],
        "syncRetryCount": record.attempts,
        "syncNextRetry": espo_time(record.next_retry_at),
        "syncAutoResetAt": espo_time(record.auto_reset_at),
    }
    return differing(wanted, attributes)
