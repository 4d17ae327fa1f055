"""What several records want to know at the same moment is asked for in one request.

Each of them waits for a request that *begins* after it has asked: what it is told is as fresh as if it had asked alone
then, and nothing is remembered. Whoever knows early that it will ask says so (:meth:`Together.soon`): the next request
that somebody needs at once takes it along. While one request is under way, those who come meanwhile gather for the
next one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from vmh_sync.background import stop
from vmh_sync.systems.errors import ForeignSystemError

T = TypeVar("T")

Ask = Callable[[Sequence[str]], Awaitable[Mapping[str, T]]]


@dataclass(slots=True)
class Together:
    """The questions of one pass, each by its name. Only for reads: they run outside of the leases of those who ask."""

    _context: Context = field(default_factory=copy_context)
    _questions: "dict[str, _Question]" = field(default_factory=dict)

    def soon(self, question: str, key: str, ask: Ask[T], *, most: int) -> "Asking[T]":
        """Say that ``key`` will be asked about; a request from now on may take it along.

        ``ask`` gets up to ``most`` keys at once and returns what is said of each; it must be the same for all who use
        this ``question``. What was announced is to be asked for, or withdrawn.
        """
        of_all = self._questions.setdefault(question, _Question(ask, most, self._context))
        return Asking(of_all, key)

    async def now(self, question: str, key: str, ask: Ask[T], *, most: int) -> T | None:
        """Return what is said of ``key`` in a request that begins now; otherwise as :meth:`Asking.told`."""
        return await self.soon(question, key, ask, most=most).told()

    async def end(self) -> None:
        """End the requests under way, before what they ask is closed; a pass that fails leaves some."""
        await stop(*(of_all.under_way for of_all in self._questions.values() if of_all.under_way is not None))


class Asking(Generic[T]):
    """One key that is, or will be, asked about."""

    def __init__(self, question: "_Question", key: str) -> None:
        self._question = question
        self._key = key
        self._told: asyncio.Future[T | None] = asyncio.get_running_loop().create_future()
        question.waiting[self._told] = key

    async def told(self) -> T | None:
        """Return what is said of the key; ``None`` where nothing is.

        Raises what the request raises. An error that is no foreign system's is one record's: each is asked about alone
        then.
        """
        if self._told in self._question.waiting:
            self._question.need(self._told)
        return await self._told

    def withdraw(self) -> None:
        """Ask no more; nothing happens if it was told already."""
        self._question.forget(self._told)


@dataclass(slots=True, eq=False)
class _Question:
    """Those who ask the same. ``waiting`` holds them in the order of their coming, each with its key."""

    ask: Ask[Any]
    most: int
    context: Context
    waiting: "dict[asyncio.Future[Any], str]" = field(default_factory=dict)
    needed: "set[asyncio.Future[Any]]" = field(default_factory=set)
    under_way: "asyncio.Task[None] | None" = None

    def need(self, one: "asyncio.Future[Any]") -> None:
        self.needed.add(one)
        if self.under_way is None or self.under_way.done():
            self.under_way = asyncio.get_running_loop().create_task(self._work(), context=self.context)

    def forget(self, one: "asyncio.Future[Any]") -> None:
        self.waiting.pop(one, None)
        self.needed.discard(one)
        if not one.cancel() and not one.cancelled():
            one.exception()  # it is not missed

    async def _work(self) -> None:
        taken: dict[asyncio.Future[Any], str] = {}
        try:
            while self.needed:
                await asyncio.sleep(0)  # whoever asks in the same turn of the loop comes along
                taken = self._take()
                await self._tell(taken)
        finally:
            # Ended from outside: nobody may wait for ever.
            for one in (*taken, *self.needed):
                one.cancel()
            self.needed.clear()

    def _take(self) -> "dict[asyncio.Future[Any], str]":
        in_order = sorted(self.waiting, key=lambda one: one not in self.needed)
        keys = set(list(dict.fromkeys(self.waiting[one] for one in in_order))[: self.most])
        taken = {one: key for one, key in self.waiting.items() if key in keys}
        for one in taken:
            del self.waiting[one]
            self.needed.discard(one)
        return taken

    async def _tell(self, taken: "Mapping[asyncio.Future[Any], str]") -> None:
        keys = list(dict.fromkeys(taken.values()))
        found: Mapping[str, Any] | BaseException
        (found,) = await asyncio.gather(self.ask(keys), return_exceptions=True)  # noqa: TID251 - one alone
        if isinstance(found, Exception) and len(keys) > 1 and not isinstance(found, ForeignSystemError):
            for key in keys:
                await self._tell({one: its for one, its in taken.items() if its == key})
            return
        for one, key in taken.items():
            if one.done():
                continue
            if isinstance(found, BaseException):
                one.set_exception(found)
            else:
                one.set_result(found.get(key))
