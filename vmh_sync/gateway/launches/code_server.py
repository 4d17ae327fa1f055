"""Whether Dagster's code server answers, asked once at a time: each question to a frozen one waits at Dagster."""

import asyncio

from vmh_sync.background import stop
from vmh_sync.gateway.launches.launch import CodeServerSilent, Launcher


class CodeServerQuestion:
    """The question that is open, if one is; belongs to one event loop."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher
        self._open: asyncio.Task[None] | None = None

    async def ask(self, seconds: float) -> None:
        """Wait for the answer, at most so long. Raises ``CodeServerSilent``."""
        if self._open is None or self._open.done():
            self._open = asyncio.create_task(self._launcher.ask_code_server())
            self._open.add_done_callback(lambda one: one.cancelled() or one.exception())  # nobody may wait any more
        done, _ = await asyncio.wait({self._open}, timeout=seconds)
        if not done:
            raise CodeServerSilent("the code server has not answered yet")
        self._open.result()

    async def finish(self) -> None:
        """Give up the question that is open."""
        if self._open is not None:
            await stop(self._open)
