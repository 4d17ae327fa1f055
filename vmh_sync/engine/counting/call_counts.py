"""Counts foreign calls of a pass, for metrics and for the run's metadata."""

from collections import Counter
from threading import Lock

from vmh_sync.store.history.metrics import CallKey
from vmh_sync.store.store import Store


class CallCounter:
    """Counts requests by system, method, route and class of status; also a ``CallObserver`` for the clients."""

    def __init__(self) -> None:
        self._counts: Counter[CallKey] = Counter()
        self._stored: Counter[CallKey] = Counter()
        self._storing = Lock()

    def observe(self, *, system: str, method: str, route: str, status: int | None, seconds: float, retry: bool) -> None:
        """Take note of one request."""
        outcome = "none" if status is None else f"{status // 100}xx"
        self._counts[CallKey(system, method, route, outcome)] += 1

    def by_system(self) -> dict[str, int]:
        """Return the number of requests per system."""
        totals: Counter[str] = Counter()
        for key, count in self._counts.items():
            totals[key.system] += count
        return dict(totals)

    def answered(self) -> int:
        """Return the number of requests that were answered."""
        return sum(count for key, count in self._counts.copy().items() if key.status_class != "none")

    def store(self, store: Store) -> None:
        """Add what was counted since the last time to the stored totals.

        Others may be counting meanwhile, and who gave up waiting for a silent database may ask a second time.
        """
        with self._storing:
            counts = Counter(self._counts)
            if new := counts - self._stored:
                with store.transaction() as tx:
                    tx.call_counts.add(dict(new))
            self._stored = counts
