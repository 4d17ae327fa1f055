"""What can go wrong with Redis."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import RedisError


class CoordinationUnavailable(Exception):
    """Redis cannot be reached or does not answer; trying again later may succeed."""


class LeaseLost(Exception):
    """The lease is no longer ours, or that cannot be confirmed: write nothing more under it."""


@contextmanager
def translated() -> Iterator[None]:
    """Turn redis-py's errors into :class:`CoordinationUnavailable`, without their text: it may quote values."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise CoordinationUnavailable(f"Redis is not available ({type(error).__name__})") from None
