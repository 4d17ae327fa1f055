"""The fields that the product keeps on a child record in EspoCRM. Pure."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from vmh_sync.sync.reported_text import encodable
from vmh_sync.sync.status_values import Kept, differing

MESSAGE_LIMIT = 2000


def espo_time(moment: datetime) -> str:
    """Return a moment in EspoCRM's notation (UTC, whole seconds)."""
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def standing(
    attributes: Mapping[str, object],
    *,
    status: str,
    message: str | None,
    key: Mapping[str, int | None],
    gone_since: datetime | None,
    kept: Kept = MappingProxyType({}),
) -> dict[str, Any]:
    """Return the bookkeeping that must change; empty when it says all this already.

    ``key`` maps the attribute for Advoware's id to its value. Only attributes that the record has are returned, and
    none that EspoCRM is known to make something else of (``kept``).
    """
    wanted: dict[str, Any] = {
        "syncStatus": status,
        "syncErrorMessage": encodable(message)[:MESSAGE_LIMIT] if message else None,
        "syncNextRetry": None,
        "syncAutoResetAt": None,
        **key,
    }
    if gone_since is None:
        wanted["advowareDeletedAt"] = None
    elif not attributes.get("advowareDeletedAt"):
        wanted["advowareDeletedAt"] = espo_time(gone_since)
    if attributes.get("syncRetryCount"):
        wanted["syncRetryCount"] = 0
    return differing(wanted, attributes, kept)


def stamps(attributes: Mapping[str, object], *, now: datetime, row_id: str | None) -> dict[str, Any]:
    """Return the time and row id that go along with any other write; never a reason for one."""
    wanted: dict[str, Any] = {"advowareLastSync": espo_time(now)}
    if row_id is not None:
        wanted["advowareRowId"] = row_id
    return differing(wanted, attributes)
