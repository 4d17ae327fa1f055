"""Counts the calls that a simulated system receives."""

from collections import Counter, deque
from functools import lru_cache
from typing import Any

from vmh_sync.clock import Clock

LOG_LENGTH = 5_000
_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_SHORTEST_OPAQUE_ID = 12


class CallLog:
    """Counts per route and the last calls; ``prefix`` is the part of the path that every API call begins with."""

    def __init__(self, prefix: str, clock: Clock) -> None:
        self._prefix = prefix
        self._clock = clock
        self.clear()

    def clear(self) -> None:
        """Start counting at zero."""
        self._routes: Counter[str] = Counter()
        self._log: deque[tuple[str, str, int | None, Any]] = deque(maxlen=LOG_LENGTH)
        self._total = self._writes = self._writes_ok = 0

    def add(self, method: str, path: str, status: int | None) -> None:
        """Count one call; ``status`` is ``None`` when the client got no answer."""
        self._total += 1
        self._routes[f"{method} {route_of(path, self._prefix)}"] += 1
        if method in _WRITES and path.startswith(self._prefix):
            self._writes += 1
            self._writes_ok += status is not None and status < 400
        self._log.append((method, path, status, self._clock.now()))

    def report(self, last: int = 200) -> dict[str, Any]:
        """Return the counts as plain JSON; ``log`` holds the ``last`` calls, oldest first, times in UTC.

        ``writes`` counts the API calls with a writing method (not the login), ``writes_ok`` those the client saw
        succeed.
        """
        entries = list(self._log)[-last:] if last > 0 else []
        return {
            "total": self._total,
            "by_route": dict(self._routes),
            "writes": self._writes,
            "writes_ok": self._writes_ok,
            "log": [{"method": m, "path": p, "status": s, "at": at.isoformat()} for m, p, s, at in entries],
        }


@lru_cache(maxsize=65_536)
def route_of(path: str, prefix: str) -> str:
    """Return the path without the prefix and with every id replaced by ``{}``."""
    rest = path[len(prefix) :] if path.startswith(prefix) else path.lstrip("/")
    return "/".join("{}" if _is_id(segment) else segment for segment in rest.split("/"))


def _is_id(segment: str) -> bool:
    if segment.lstrip("-").isdigit() or "@" in segment:
        return True
    return len(segment) >= _SHORTEST_OPAQUE_ID and any(character.isdigit() for character in segment)
