"""What was said, call by call, and the recording that is kept of it (the form of the EspoCRM recordings)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from vmh_sync.probe.mask import Mask
from vmh_sync.systems.transport import RawAnswer

_HEADERS = ("content-type", "allow")
HOST = "http://advoware.example/"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call and its answer. ``name`` is the same for the same try, on whatever installation."""

    name: str
    method: str
    path: str
    answer: RawAnswer
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None


def masked(exchange: Exchange, mask: Mask) -> dict[str, Any]:
    """Return a line of the recording, without a value of the firm."""
    path = mask.path(exchange.path)
    query = urlencode(mask.query(dict(exchange.params)))
    headers = {name: value for name, value in exchange.answer.headers.items() if name.lower() in _HEADERS}
    url = f"{HOST}{path}" + (f"?{query}" if query else "")
    return {
        "name": exchange.name,
        "note": None,
        "request": {"method": exchange.method, "url": url, "headers": {}, "body": mask.value(exchange.body)},
        "response": {"status": exchange.answer.status, "headers": headers, "body": mask.value(exchange.answer.body)},
    }


def write_recording(path: Path, exchanges: Iterable[Exchange], kept: frozenset[str]) -> int:
    """Write the recording, one exchange a line; returns how many. Raises ``OSError``."""
    mask = Mask(kept)
    lines = [json.dumps(masked(exchange, mask), ensure_ascii=False) for exchange in exchanges]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return len(lines)
