"""The fields that the product keeps on a child record in EspoCRM. Pure."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from vmh_sync.sync.reporting.reported_text import encodable
from vmh_sync.sync.reporting.status_values import Kept, differing

MESSAGE_LIMIT = 2000


def espo_time(moment: datetime | None) -> str | None:
    """Return a moment in EspoCRM's notation (UTC, whole seconds)."""
    return moment.strftime("%Y-%m-%d %H:%M:%S") if moment is not None else None


def bookkeeping(
    attributes: Mapping[str, object],
    *,
    status: str,
    message: str | None,
    key: Mapping[str, int | None],
    gone_since: datetime | None,
    kept: Kept = MappingProxyType({}),
    attempts: int = 0,
    next_retry_at: datetime | None = None,
    auto_reset_at: datetime | None = None,
) -> dict[str, Any]:
    """Return the bookkeeping that must change; empty when it says all this already.

    ``attempts`` and the two moments tell of a child that failed when it is tried again. ``key`` maps the attribute for
    Advoware's id to its value. Only attributes that the record has are returned, and none that EspoCRM is known to make
    something else of (``kept``).
    """
    wanted: dict[str, Any] = {
        "syncStatus": status,
        "syncErrorMessage": encodable(message)[:MESSAGE_LIMIT] if message else None,
        "syncNextRetry": espo_time(next_retry_at),
        "syncAutoResetAt": espo_time(auto_reset_at),
        **key,
    }
    if gone_since is None:
        wanted["advowareDeletedAt"] = None
    elif not attributes.get("advowareDeletedAt"):
        wanted["advowareDeletedAt"] = espo_time(gone_since)
    if attempts or attributes.get("syncRetryCount"):
        wanted["syncRetryCount"] = attempts
    return differing(wanted, attributes, kept)


def stamps(attributes: Mapping[str, object], *, now: datetime, row_id: str | None) -> dict[str, Any]:
    """Return the time and row id that go along with any other write; never a reason for one."""
    wanted: dict[str, Any] = {"advowareLastSync": espo_time(now)}
    if row_id is not None:
        wanted["advowareRowId"] = row_id
    return differing(wanted, attributes)
