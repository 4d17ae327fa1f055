"""What can go wrong with Redis."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import RedisError


class CoordinationUnavailable(Exception):
    """Redis cannot be reached or does not answer; trying again later may succeed."""


class LeaseLost(Exception):
    """The lease is no longer ours, or that cannot be confirmed: write nothing more under it.

    Nobody's failure: the record is put off, and what is to be said about it says who has it now.
    """

    message_for_people = "Ein anderer Lauf hat diesen Datensatz übernommen; er kommt in Kürze wieder an die Reihe."


@contextmanager
def translated() -> Iterator[None]:
    """Turn redis-py's errors into :class:`CoordinationUnavailable`, without their text: it may quote values."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise CoordinationUnavailable(f"Redis is not available ({type(error).__name__})") from None
