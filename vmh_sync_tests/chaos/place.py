"""Where histories are played: services that live longer than one history, and one firm for each."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path
from tempfile import mkdtemp

import pytest

from vmh_sync.engine.passes.opening import open_database
from vmh_sync.sandbox.installation import Installation
from vmh_sync.settings import VmhSettings, load
from vmh_sync.store import upgrade
from vmh_sync_tests.chaos.drawn_sandbox import NAMES, forked_sandbox
from vmh_sync_tests.chaos.network import Network
from vmh_sync_tests.chaos.services import Valkey
from vmh_sync_tests.fixtures.chancery import Chancery
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.fork_server import fork_server
from vmh_sync_tests.fixtures.postgres import PostgresServer
from vmh_sync_tests.fixtures.sandbox import Sandbox

VARIABLES = ("ADVOWARE_", "ESPOCRM_", "GOOGLE_", "CALENDAR_", "VMH_", "REDIS_")
TEMPLATE = "chaos_template"
DRAWN_PARTIES = 4
SETTLE = 3.0
"""Longer than a worker's request can live: its time-out, what network and sandbox add, and a busy machine."""

PATIENT = {"VMH_CREATE_SETTLE_SECONDS": str(SETTLE), "VMH_LEASE_SECONDS": "10"}
PATIENT |= {"GOOGLE_CALENDAR_QUOTA_PER_MINUTE": "600000", "GOOGLE_CALENDAR_NEW_CALENDARS_PER_HOUR": "1000"}
HURRIED = {
    "ADVOWARE_API_TIMEOUT_SECONDS": "0.6",
    "ESPOCRM_API_TIMEOUT_SECONDS": "0.6",
    "GOOGLE_CALENDAR_API_TIMEOUT_SECONDS": "0.6",
    "VMH_LEASE_SECONDS": "1.2",
}
"""What workers have instead: whatever is frozen, cut off or dead is over soon."""


@dataclass(frozen=True)
class Services:
    """A PostgreSQL and a Valkey of their own, which may be killed, and the folder of the sockets."""

    postgres: PostgresServer
    valkey: Valkey
    folder: Path


@dataclass
class Place:
    """What a history is played on. ``environment`` is the workers'; ``network`` lies between them and everything."""

    firm: Firm
    chancery: Chancery
    services: Services
    network: Network
    server: ForkServerContext
    environment: Mapping[str, str]


@contextmanager
def services() -> Iterator[Services]:
    """Run a PostgreSQL and a Valkey until the block ends."""
    folder = Path(mkdtemp(prefix="vmh-c-"))  # short: the sockets lie in it
    folder.chmod(0o711)  # PostgreSQL may run as another user
    for name in ("pg", "v", "net"):
        (folder / name).mkdir()
    postgres, valkey = PostgresServer(folder / "pg"), Valkey(folder / "v")
    try:
        postgres.start()
        postgres.execute(f'CREATE DATABASE "{TEMPLATE}"')
        upgrade(postgres.url(TEMPLATE))
        valkey.start()
        yield Services(postgres, valkey, folder)
    finally:
        valkey.stop()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def new_place(running: Services, seed: int, *, drawn: bool, networked: bool) -> Iterator[Place]:
    """Make a firm on these services: new systems, a new database, an empty Valkey, and proxies if ``networked``.

    The usual firm is empty; a ``drawn`` one has parties already.
    """
    running.valkey.empty()
    database = running.postgres.create_database(TEMPLATE)
    server = fork_server()
    installation = Installation.draw(seed) if drawn else Installation()
    with ExitStack() as stack:
        sandbox = stack.enter_context(forked_sandbox(server, seed, installation, DRAWN_PARTIES if drawn else 0))
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in {**sandbox.environment, **PATIENT}.items():
            patch.setenv(name, value)
        patch.setenv("VMH_DATABASE_URL", running.postgres.url(database))
        patch.setenv("REDIS_URL", running.valkey.url)
        environment = {name: value for name, value in os.environ.items() if name.startswith(VARIABLES)} | HURRIED
        network = Network()
        stack.callback(network.close)
        if networked:
            environment = _through(network, running, sandbox, environment)
        store = open_database(load(VmhSettings))
        stack.callback(store.close)
        yield Place(Firm(sandbox, store), Chancery(sandbox, store), running, network, server, environment)
    running.postgres.drop_database(database)


def _through(network: Network, running: Services, sandbox: Sandbox, environment: dict[str, str]) -> dict[str, str]:
    """Return the environment in which every service is reached through a proxy of its own."""
    moved = dict(environment)
    for name in NAMES:
        port = int(sandbox.urls[name].rpartition(":")[2])
        proxied = network.before_port(port)
        moved = {key: value.replace(f"127.0.0.1:{port}", f"127.0.0.1:{proxied}") for key, value in moved.items()}
    postgres, valkey, own = running.postgres.socket, running.valkey.socket, running.folder / "net"
    for path in (postgres, valkey):
        (own / path.name).unlink(missing_ok=True)
        network.before_socket(path, own / path.name)
    moved["VMH_DATABASE_URL"] = moved["VMH_DATABASE_URL"].replace(f"host={postgres.parent}", f"host={own}")
    moved["REDIS_URL"] = moved["REDIS_URL"].replace(str(valkey), str(own / valkey.name))
    return moved
