"""What a run opens at its first op and closes when it ends: clients with their connections, store, leases."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Generic, TypeVar

S = TypeVar("S")
T = TypeVar("T")


class OpenedOnce(Generic[T]):
    """Shares one opening among the ops of a run, which follow each other on the run's event loop.

    It is opened by the op that needs it, so that what is missing is said by a step, in words. With an executor that
    gives each step a process of its own it is opened once in each, since Dagster makes resources anew there.
    """

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._kept: tuple[AsyncExitStack, T] | None = None
        self._settings: object = None

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Keep what is opened within the block, which is a whole run, until its end."""
        self._loop = asyncio.get_running_loop()
        try:
            yield
        finally:
            self._loop = self._settings = None
            await self._close()

    def settings(self, read: Callable[[], S]) -> S:
        """Return the settings as ``read`` has given them to the first op of the run; outside of a run, anew."""
        if asyncio.get_running_loop() is not self._loop:
            return read()
        kept = self._settings = self._settings or read()
        return kept  # type: ignore[return-value]  # a run reads one kind

    @asynccontextmanager
    async def op(self, opening: Callable[[], AbstractAsyncContextManager[T]]) -> AsyncIterator[T]:
        """Yield what the run has opened, or open it now. An op that fails closes it at once.

        Dagster does not end the resources of a run in the foreground that fails. Outside of a run, and on a loop of
        its own, a caller opens for itself.
        """
        if asyncio.get_running_loop() is not self._loop:
            async with opening() as alone:
                yield alone
            return
        if self._kept is None:
            stack = AsyncExitStack()
            self._kept = stack, await stack.enter_async_context(opening())
        try:
            yield self._kept[1]
        except BaseException:
            await self._close()
            raise

    async def _close(self) -> None:
        if self._kept is not None:
            (stack, _), self._kept = self._kept, None
            await stack.aclose()
