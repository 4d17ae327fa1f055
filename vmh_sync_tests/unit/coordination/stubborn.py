"""A Redis that swallows cancels, and a driver that cancels a coroutine at a chosen await."""

import asyncio
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any

from vmh_sync.coordination.leases import EXTEND, RELEASE


class StubbornRedis:
    """Keys in memory; each call takes ``hops`` awaits. The first ``swallows`` cancels that reach a call get lost.

    That is how ``asyncio.wait_for`` behaves below redis-py before Python 3.12: when the answer is there, it is
    returned and the cancel is forgotten.
    """

    def __init__(self, swallows: int = 0, hops: int = 2) -> None:
        self.keys: dict[str, str] = {}
        self.swallows = swallows
        self.hops = hops
        self.calls = 0

    async def set(self, key: str, value: str, *, nx: bool, px: int) -> bool:
        del nx, px
        await self._hop()
        if key in self.keys:
            return False
        self.keys[key] = value
        return True

    async def get(self, key: str) -> str | None:
        await self._hop()
        return self.keys.get(key)

    async def delete(self, key: str) -> int:
        await self._hop()
        return 1 if self.keys.pop(key, None) is not None else 0

    async def eval(self, script: str, count: int, key: str, *arguments: str) -> int:
        del count
        await self._hop()
        ours = self.keys.get(key) == arguments[0]
        if script == RELEASE and ours:
            del self.keys[key]
        elif script != EXTEND and script != RELEASE and ours:
            self.keys[key] = arguments[1]
        return int(ours)

    async def _hop(self) -> None:
        self.calls += 1
        for _ in range(self.hops):
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                if self.swallows <= 0:
                    raise
                self.swallows -= 1


class CancelledAt(Awaitable[bool]):
    """Runs a coroutine and throws a cancel into it at its await number ``place``, counted from 0.

    The result is True when the coroutine got that far; it may end with the cancel or, where that was swallowed, anyhow.
    """

    def __init__(self, work: Coroutine[Any, Any, Any], place: int) -> None:
        self._work = work
        self._place = place

    def __await__(self) -> Generator[Any, Any, bool]:
        steps, reached, number = self._work, False, 0
        cancel: BaseException | None = None
        answer: Any = None
        while True:
            try:
                waited_for = steps.send(answer) if cancel is None else steps.throw(cancel)
            except (StopIteration, asyncio.CancelledError):
                return reached
            cancel = answer = None
            if number == self._place:
                reached, cancel = True, asyncio.CancelledError()
            number += 1
            if cancel is not None:
                if waited_for is not None:
                    waited_for._asyncio_future_blocking = False
                continue
            try:
                answer = yield waited_for
            except BaseException as error:  # noqa: BLE001 - handed on to the coroutine, as a task does it
                cancel = error
