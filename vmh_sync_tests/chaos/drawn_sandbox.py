"""The three simulated systems of one drawn firm, in a process forked from one that has everything imported."""

import asyncio
import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext

from vmh_sync.clock import SystemClock
from vmh_sync.sandbox.installation import Installation
from vmh_sync.sandbox.made_up.population import populate
from vmh_sync.sandbox.run import SandboxOptions, running
from vmh_sync.sandbox.systems import SystemsConfig
from vmh_sync_tests.fixtures.sandbox import ControlClient, Sandbox

NAMES = ("advoware", "espocrm", "google")
START_SECONDS = 60.0


def _serve(seed: int, firm: Installation, pipe: Connection) -> None:
    config = SystemsConfig(seed, webhook_interval=0.0, google_quota=False, installation=firm)

    async def until_the_pipe_ends() -> None:
        async with running(SandboxOptions(config)) as description:
            pipe.send(description)
            with contextlib.suppress(EOFError, ConnectionError):
                await asyncio.to_thread(pipe.recv)

    asyncio.run(until_the_pipe_ends())


@contextmanager
def forked_sandbox(server: ForkServerContext, seed: int, firm: Installation, parties: int) -> Iterator[Sandbox]:
    """Run the three systems of a firm that has some parties and nobody with a calendar yet."""
    pipe, child = server.Pipe()
    process = server.Process(target=_serve, args=(seed, firm, child), daemon=True)
    process.start()
    child.close()
    try:
        assert pipe.poll(START_SECONDS), "the sandbox does not start"
        description = pipe.recv()
        made = Sandbox(description, *(ControlClient(description["control"][name]) for name in NAMES))
        population = populate(seed, parties, now=SystemClock().now().astimezone(UTC), office=firm.office)
        made.office.seed(beteiligte=population.office["beteiligte"])
        made.crm.seed(**population.crm)
        try:
            yield made
        finally:
            made.close()
    finally:
        pipe.close()
        process.kill()
        process.join()
