"""The Dagster resource through which ops get at the outside world."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import dagster as dg

from vmh_sync.engine.opening import open_context
from vmh_sync.engine.pass_context import PassContext
from vmh_sync.orchestration.sentences import Stopped
from vmh_sync.settings import SettingsError
from vmh_sync.watchdog import Stalled


class SyncResources(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Opens clients, store and leases for one run, from the settings in the environment."""

    @asynccontextmanager
    async def open(self, run_id: str) -> AsyncIterator[PassContext]:
        """Open everything for one op; raises ``dagster.Failure`` that names bad settings or a standstill."""
        with opening_failures():
            async with open_context(run_id) as context:
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


RESOURCES: Mapping[str, Any] = {"sync_resources": SyncResources(), "io_manager": dg.mem_io_manager}
"""What every job works with. Personal data stays in memory (design.md 2)."""
