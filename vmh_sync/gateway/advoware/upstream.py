"""What the proxy answers for what came from Advoware (specification, http-endpoints.md 2). Pure."""

import math
from dataclasses import dataclass, field
from typing import Any

from vmh_sync.systems.advoware.errors import (
    AdvowareError,
    ConnectorOffline,
    OutcomeUnknown,
    WriteProtected,
)
from vmh_sync.systems.transport import RawAnswer

MEANINGFUL = frozenset({400, 403, 404, 405, 409, 422})
OFFLINE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the caller."""

    status: int
    content: dict[str, Any] = field(repr=False)
    headers: dict[str, str] = field(default_factory=dict)


def by_status(found: RawAnswer) -> Answer:
    """Return the answer for one that came from Advoware with any status."""
    status = found.status
    if 200 <= status < 300:
        if isinstance(found.body, str):
            return _problem(502, "Advoware's answer is not JSON", None, status)
        return Answer(201 if status == 201 else 200, {"result": found.body})
    if status in MEANINGFUL:
        return _problem(status, f"Advoware answered {status}", found.body, status)
    if status == 429:
        seconds = found.headers.get("Retry-After", "")
        return _problem(503, "Advoware asks to wait", found.body, status, seconds if seconds.isdigit() else None)
    if status == 504:
        return _problem(504, "Advoware did not answer in time", None, status)
    return _problem(502, f"Advoware answered {status}", None, status)


def by_error(error: AdvowareError) -> Answer:
    """Return the answer for a call that got none."""
    if isinstance(error, WriteProtected):
        return _problem(403, "writes to Advoware are switched off (ADVOWARE_WRITE_PROTECTION)", None, None)
    if isinstance(error, ConnectorOffline):
        seconds = math.ceil(error.retry_after or OFFLINE_SECONDS)
        return _problem(503, "the office is offline", error.message_for_people, error.status, str(seconds))
    if error.held_back and error.retry_after is not None:
        seconds = max(1, math.ceil(error.retry_after))
        return _problem(503, "the call was held back", error.message_for_people, error.status, str(seconds))
    details = error.message_for_people
    if isinstance(error, OutcomeUnknown):
        details = "the write may have been processed: look before writing again"
    if "Timeout" in error.detail:
        return _problem(504, "Advoware did not answer in time", details, error.status)
    return _problem(502, f"Advoware gave no usable answer ({type(error).__name__})", details, error.status)


def _problem(
    status: int, error: str, details: Any, upstream_status: int | None, retry_after: str | None = None
) -> Answer:
    headers = {"Retry-After": retry_after} if retry_after else {}
    return Answer(status, {"error": error, "details": details, "upstream_status": upstream_status}, headers)
