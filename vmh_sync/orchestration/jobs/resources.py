"""The Dagster resource through which ops get at the outside world."""

import gc
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Self

import dagster as dg
from pydantic import PrivateAttr

from vmh_sync.engine.passes.opening import PassSettings, at_work, open_sides, spare_what_stays
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.orchestration.jobs.opened_once import OpenedOnce
from vmh_sync.orchestration.jobs.sentences import Stopped
from vmh_sync.settings import SettingsError
from vmh_sync.watchdog import Stalled


class RunResources(dg.ConfigurableResource):  # type: ignore[type-arg]
    """What a run opens at the first op that asks for it."""

    _opened: OpenedOnce[Any] = PrivateAttr(default_factory=OpenedOnce)

    @asynccontextmanager
    async def yield_for_execution(  # type: ignore[override]  # Dagster takes both
        self, context: dg.InitResourceContext
    ) -> AsyncIterator[Self]:
        """Serve one run: what its ops open stays open until it ends."""
        spare_what_stays(with_dagster=True)
        gc.collect()  # what the run before has left in circles need not lie beside the next batch
        async with self._opened.run():
            yield self


class SyncResources(RunResources):
    """Opens clients, store and leases for one run, from the settings in the environment."""

    @asynccontextmanager
    async def open(self, run_id: str) -> AsyncIterator[PassContext]:
        """Give one op everything; raises ``dagster.Failure`` that names bad settings or a standstill."""
        with opening_failures():
            settings = self._opened.settings(PassSettings.read)
            async with (
                at_work(run_id, settings.house),
                self._opened.op(lambda: open_sides(run_id, settings)) as context,
            ):
                yield context


@contextmanager
def opening_failures() -> Iterator[None]:
    """Turn bad settings and a standstill within the block into a ``dagster.Failure`` that a person can read."""
    try:
        yield
    except SettingsError as problem:
        raise Stopped(f"Einstellungen fehlen oder sind falsch:\n{problem}", allow_retries=True) from None
    except Stalled as standstill:
        raise Stopped(str(standstill), allow_retries=True) from None


RESOURCES: Mapping[str, object] = {"sync_resources": SyncResources(), "io_manager": dg.mem_io_manager}
"""What every job works with. Personal data stays in memory (design.md 2)."""
