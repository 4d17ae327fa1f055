"""The door before every request: the firm's share of Google's quota (specification, kalender.md 1)."""

from collections.abc import Callable

READ = 1
WRITE = 1
PATCH = 3  # Google charges a patch three units

Quota = Callable[[int], object]
"""Blocks until so many units of a bucket are ours that all processes share; it must be able to give :data:`PATCH` units
at once. Raises what the bucket raises."""


def unlimited(cost: int) -> None:
    """Return at once, without any bucket: for single calls by hand and for tests that measure something else."""
