"""The door before every request: the firm's share of Google's quota (specification, kalender.md 1)."""

from collections.abc import Callable
from typing import Protocol

READ = 1
WRITE = 1
PATCH = 3  # Google charges a patch three units


class Quota(Protocol):
    """A bucket shared by all processes; it must be able to give :data:`PATCH` units at once."""

    def acquire(self, cost: int) -> None:
        """Block until ``cost`` units of the quota are ours."""
        ...


class UnlimitedQuota:
    """No bucket: for single calls by hand and for tests that measure something else."""

    def acquire(self, cost: int) -> None:
        """Return at once."""


class CallableQuota:
    """A quota around any function that blocks until so many units are ours, whatever it returns."""

    def __init__(self, take: Callable[[int], object]) -> None:
        self._take = take

    def acquire(self, cost: int) -> None:
        """Block until ``cost`` units of the quota are ours. Raises what the function raises."""
        self._take(cost)
