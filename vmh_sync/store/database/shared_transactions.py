"""What several coroutines want of our database at the same moment shares one SQLite transaction.

A transaction that writes costs four times as much as its statements (docs/profiles.md), and SQLite carries out only
one at a time: those who come while one is under way wait together for the next. Nobody notices. Each piece is undone
alone when it raises (a savepoint), and whoever wrote is told only after the commit, so what was promised stands on the
disk: an announced create before its POST, too. A kill leaves all of a transaction or nothing, as if each piece had been
committed right before or not at all. A read begins after it was asked for, so it sees all that was told until then.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from vmh_sync.store.database.translation import translated

T = TypeVar("T")
Tx = TypeVar("Tx")

MOST = 32
"""Pieces in one transaction: other processes wait for the write lock no longer than these take."""


@dataclass(slots=True, eq=False)
class _Piece:
    """One coroutine's work, in its turn, and what became of it."""

    work: Callable[[Any], Any]
    context: Context
    told: "asyncio.Future[Any]"
    result: Any = None
    error: BaseException | None = None


@dataclass(slots=True, eq=False)
class _Queue:
    """Those of one event loop who wait, in the order of their coming."""

    loop: asyncio.AbstractEventLoop
    carry_out: Callable[[Sequence[_Piece]], None]
    waiting: list[_Piece] = field(default_factory=list)
    under_way: bool = False

    def begin(self) -> None:
        # Who was cancelled before its turn gets none, as with a thread that was not begun.
        alive = [piece for piece in self.waiting if not piece.told.done()]
        pieces, self.waiting = alive[:MOST], alive[MOST:]
        if not pieces:
            return
        # No task: a task can be cancelled before its first step, and everybody would wait for ever.
        try:
            done = self.loop.run_in_executor(None, pieces[0].context.run, self.carry_out, pieces)
        except RuntimeError as error:  # the loop takes no threads any more
            _tell(alive, error)
            self.waiting = []
            return
        done.add_done_callback(lambda ended: self._ended(pieces, ended))
        self.under_way = True

    def _ended(self, pieces: Sequence[_Piece], ended: "asyncio.Future[None]") -> None:
        self.under_way = False
        _tell(pieces, asyncio.CancelledError() if ended.cancelled() else ended.exception())
        if self.waiting:
            self.begin()


def _tell(pieces: Sequence[_Piece], failure: BaseException | None) -> None:
    for piece in pieces:
        error = failure or piece.error
        if piece.told.done():
            continue
        if isinstance(error, asyncio.CancelledError):
            piece.told.cancel()
        elif error is not None:
            # A future refuses StopIteration, and all behind it would wait for ever.
            piece.told.set_exception(RuntimeError(repr(error)) if isinstance(error, StopIteration) else error)
        else:
            piece.told.set_result(piece.result)


class SharedTransactions(Generic[Tx]):
    """Carries pieces of work out in transactions that ``begin`` opens; ``connection`` tells the one below of them."""

    def __init__(
        self, begin: Callable[[], AbstractContextManager[Tx]], connection: Callable[[Tx], Connection] | None = None
    ) -> None:
        self._begin = begin
        self._connection = connection
        self._of_thread = threading.local()

    async def carry_out(self, work: Callable[[Tx], T]) -> T:
        """Return what ``work`` comes to, after the commit. Raises what it, or the commit, raises: then nothing of it
        is stored.
        """
        queue = self._queue()
        piece = _Piece(work, copy_context(), queue.loop.create_future())
        queue.waiting.append(piece)
        if not queue.under_way:
            queue.begin()
        result: T = await piece.told
        return result

    def _queue(self) -> _Queue:
        # A loop lives in one thread: neither another thread, nor a fork, nor a later loop finds what it left behind.
        loop = asyncio.get_running_loop()
        known: _Queue | None = getattr(self._of_thread, "queue", None)
        if known is None or known.loop is not loop:
            known = self._of_thread.queue = _Queue(loop, self._in_one)
        return known

    def _in_one(self, pieces: Sequence[_Piece]) -> None:
        try:
            with self._begin() as tx:
                for piece in pieces:
                    if piece.told.done():  # cancelled while the lock was waited for
                        continue
                    if len(pieces) == 1:
                        piece.result = piece.work(tx)
                    else:
                        self._alone(tx, piece)
        except Exception as error:  # noqa: BLE001 - each of them raises it again
            for piece in pieces:
                piece.error = piece.error or error

    def _alone(self, tx: Tx, piece: _Piece) -> None:
        """Keep what the piece raises from the others. Raises when the transaction is lost for all of them."""
        below = self._connection(tx).connection.driver_connection if self._connection is not None else None
        if below is not None:
            below.execute("SAVEPOINT piece")
        try:
            with translated():
                piece.result = piece.work(tx)
        except Exception as error:
            piece.error = error
            if below is not None and not below.in_transaction:
                raise  # a full disk, for example: SQLite has undone all of it
            if below is not None:
                below.execute("ROLLBACK TO piece")
        if below is not None:
            below.execute("RELEASE piece")
