"""The door before every request: the firm's share of Google's quota (specification, kalender.md 1)."""

from typing import Protocol

READ = 1
WRITE = 1
PATCH = 3  # Google charges a patch three units


class Quota(Protocol):
    """A bucket shared by all processes; ``vmh_sync.coordination`` has the real one."""

    def acquire(self, cost: int) -> None:
        """Block until ``cost`` units of the quota are ours."""
        ...


class UnlimitedQuota:
    """No bucket: for single calls by hand and for tests that measure something else."""

    def acquire(self, cost: int) -> None:
        """Return at once."""
