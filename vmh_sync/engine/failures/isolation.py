"""One record's failure stays its own, whatever its class: also the errors that nobody thought of.

Every stage of every entity runs each record inside of :func:`isolated`. Faults that concern all records (our database,
Redis, the settings, a guard) are no record's fault and pass, so that the run fails as a whole.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path
from traceback import walk_tb
from types import TracebackType
from typing import TypeVar

from vmh_sync.coordination.errors import CoordinationUnavailable, LeaseLost
from vmh_sync.settings import SettingsError
from vmh_sync.store.errors import SchemaNewer, SchemaOutdated, StoreError, StoreUnavailable
from vmh_sync.sync.planning.guards import GuardTripped
from vmh_sync.systems.errors import ForeignSystemError

log = logging.getLogger(__name__)

T = TypeVar("T")

_OF_ALL = (
    StoreUnavailable,
    SchemaOutdated,
    SchemaNewer,
    CoordinationUnavailable,
    GuardTripped,
    SettingsError,
    MemoryError,
)
_FORESEEN = (ForeignSystemError, LeaseLost, StoreError)
_FRAMES = 12


class isolated:  # noqa: N801 - read as a statement: ``with isolated(...)``
    """Hand any exception of the block to ``blame``, except for those that concern all records: they pass.

    ``what`` names the record in the log (entity and id). Errors that are not ``foreseen`` are logged with the lines
    they came through, without their text, which may hold values. ``KeyboardInterrupt``, ``SystemExit`` and
    cancellation are no ``Exception`` and pass.
    """

    def __init__(
        self, what: str, blame: Callable[[Exception], object], *, foreseen: tuple[type[Exception], ...] = ()
    ) -> None:
        self._what = what
        self._blame = blame
        self._foreseen = (*_FORESEEN, *foreseen)

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Swallow what is the record's own; tell it to ``blame``."""
        if not isinstance(error, Exception) or isinstance(error, _OF_ALL):
            return False
        if not isinstance(error, self._foreseen):
            log.error("%s: unforeseen %s at %s", self._what, type(error).__name__, came_through(error))
        self._blame(error)
        return True


def came_through(error: BaseException) -> str:
    """Return the lines that an error came through, innermost last: files, lines and functions only."""
    frames = [
        f"{Path(frame.f_code.co_filename).name}:{line} {frame.f_code.co_name}"
        for frame, line in walk_tb(error.__traceback__)
    ]
    return " > ".join(frames[-_FRAMES:])


def one_by_one(
    what: str,
    items: Iterable[T],
    together: Callable[[list[T]], None],
    blame: Callable[[T, Exception], None],
) -> None:
    """Do ``together`` for all items at once, and for each alone when that fails, so that only the bad one suffers.

    ``together`` must change nothing when it fails (one transaction). Raises what concerns all.
    """
    every = list(items)
    if not every:
        return
    failed: list[Exception] = []
    with isolated(f"{what} ({len(every)} together)", failed.append):
        together(every)
    if not failed:
        return
    for item in every:
        with isolated(what, lambda error, item=item: blame(item, error)):  # type: ignore[misc]
            together([item])


async def together_or_alone(
    what: str,
    items: Iterable[T],
    together: Callable[[list[T]], Awaitable[None]],
    blame: Callable[[T, Exception], None],
) -> None:
    """Read for all items at once; for each alone when an error comes up that is no system's, so that one suffers.

    Raises what concerns all, a ``ForeignSystemError`` of the reading together among it.
    """
    every = list(items)
    failed: list[Exception] = []
    with isolated(f"{what} ({len(every)} together)", failed.append):
        await together(every)
    if not failed:
        return
    if isinstance(failed[0], ForeignSystemError):
        raise failed[0]
    for item in every:
        with isolated(what, partial(blame, item)):
            await together([item])


UNFORESEEN = (
    "Beim Abgleich dieses Datensatzes ist ein unerwarteter Fehler aufgetreten; er wird wiederholt. "
    "Bleibt er bestehen, bitte die Betreuung des Abgleichs verständigen."
)
"""What people read about an error that nobody thought of; its class stands in the log, in Dagster and in metrics."""
