"""Who counts the calls to the foreign systems (metrics, benchmark, tests)."""

from typing import Protocol


class CallObserver(Protocol):
    """Gets told of every HTTP request that a client made."""

    def observe(self, *, system: str, method: str, route: str, status: int | None, seconds: float, retry: bool) -> None:
        """Take note of one request.

        ``system`` is ``advoware`` or ``espocrm``; ``route`` is a template such as ``Beteiligte/{betnr}``, never
        a path with ids in it; ``status`` is None when no answer came; ``retry`` is True for a repetition of the
        same call. Called on the event loop, so it must return at once and must not raise.
        """
        ...


class NullObserver:
    """Takes note of nothing."""

    def observe(self, *, system: str, method: str, route: str, status: int | None, seconds: float, retry: bool) -> None:
        """Ignore the request."""
