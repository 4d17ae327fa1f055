"""What was said, call by call, and the recording that is kept of it (the form of the EspoCRM recordings)."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from vmh_sync.probe.mask import Mask
from vmh_sync.systems.transport import RawAnswer

_HEADERS = ("content-type", "allow")
_REASON = "x-status-reason"
_SAFE_REASON = re.compile(
    r"(Field validation failure; entityType: \w+, field: \w+, type: \w+\.|Max size should not exceed \d+\..*"
    r"|duplicate|modified|No \w+ access\.|)"
)
HOSTS = {
    "advoware": "http://advoware.example/",
    "espocrm": "http://espocrm.example/api/v1/",
    "google": "http://google.example/calendar/v3/",
}
_WORDS = {
    "espocrm": frozenset(
        {"CBeteiligte", "CBankverbindungen", "App", "user", "action", "restoreDeleted"},
    ),
    "google": frozenset({"calendars", "events"}),
}
"""Parts of an address that are the interface's own; every other part is masked."""
_SEARCH = "searchParams"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call and its answer. ``name`` is the same for the same try, on whatever installation."""

    name: str
    method: str
    path: str
    answer: RawAnswer
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    system: str = "advoware"
    headers: Mapping[str, str] = field(default_factory=dict)
    """What the request said beside the login."""

    @property
    def succeeded(self) -> bool:
        """Whether the answer says that it was done."""
        return HTTPStatus.OK <= self.answer.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def record(self) -> dict[str, Any]:
        """The object of the answer, alone or in a list of one; empty where there is none."""
        body = self.answer.body
        if isinstance(body, list):
            body = body[0] if len(body) == 1 else None
        return body if self.succeeded and isinstance(body, dict) else {}


def masked(exchange: Exchange, mask: Mask) -> dict[str, Any]:
    """Return a line of the recording, without a value of the firm."""
    path = mask.path(exchange.path, _WORDS.get(exchange.system))
    query = urlencode(_query(exchange, mask))
    url = f"{HOSTS[exchange.system]}{path}" + (f"?{query}" if query else "")
    answer, headers = exchange.answer, dict(exchange.headers)
    if "If-Match" in headers:
        headers["If-Match"] = mask.value(headers["If-Match"])
    return {
        "name": exchange.name,
        "note": None,
        "request": {"method": exchange.method, "url": url, "headers": headers, "body": mask.value(exchange.body)},
        "response": {"status": answer.status, "headers": _told(exchange, mask), "body": mask.value(answer.body)},
    }


def _query(exchange: Exchange, mask: Mask) -> dict[str, Any]:
    params = dict(exchange.params)
    if _SEARCH not in params:
        return mask.query(params)
    # The names in it are the interface's; only the values of the conditions can be the firm's.
    search = json.loads(params[_SEARCH])
    for condition in search.get("where", ()):
        condition["value"] = mask.value(condition.get("value"))
    return {_SEARCH: json.dumps(search, separators=(",", ":"), ensure_ascii=False)}


def _told(exchange: Exchange, mask: Mask) -> dict[str, str]:
    """Return the headers of the answer that say something, a reason only as far as it can hold no value."""
    told = {name: value for name, value in exchange.answer.headers.items() if name.lower() in _HEADERS}
    for name, value in exchange.answer.headers.items():
        if name.lower() == _REASON:
            told[name] = value if _SAFE_REASON.fullmatch(value) else str(mask.value(value))
    return told


def write_recording(path: Path, exchanges: Iterable[Exchange], kept: frozenset[str]) -> int:
    """Write the recording, one exchange a line; returns how many. Raises ``OSError``."""
    mask = Mask(kept)
    lines = [json.dumps(masked(exchange, mask), ensure_ascii=False) for exchange in exchanges]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return len(lines)
