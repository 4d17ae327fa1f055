"""Where histories happen: real PostgreSQL, Valkey and sandbox processes, and a fresh database for each history."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import pytest

from vmh_sync.engine.opening import open_database
from vmh_sync.settings import VmhSettings, load
from vmh_sync.store import upgrade
from vmh_sync_tests.chaos.history import Chaos
from vmh_sync_tests.chaos.services import Valkey
from vmh_sync_tests.crash.passes import fork_server
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.postgres import PostgresServer
from vmh_sync_tests.fixtures.sandbox import Sandbox

NAMES = ("ADVOWARE_", "ESPOCRM_", "VMH_", "REDIS_")
SHORT = {
    "ADVOWARE_API_TIMEOUT_SECONDS": "2",
    "ESPOCRM_API_TIMEOUT_SECONDS": "2",
    "VMH_LEASE_SECONDS": "4",
    "VMH_CREATE_SETTLE_SECONDS": "3",
}
"""Everything that waits waits shortly: a create settles later than the longest request lives."""


@contextmanager
def services() -> Iterator[tuple[PostgresServer, Valkey]]:
    """Run a PostgreSQL and a Valkey of their own, which may be killed."""
    folder = Path(mkdtemp(prefix="vmh-c-"))  # short: the sockets lie in it
    folder.chmod(0o711)  # PostgreSQL may run as another user
    for name in ("pg", "v"):
        (folder / name).mkdir()
    postgres, valkey = PostgresServer(folder / "pg"), Valkey(folder / "v")
    try:
        postgres.start()
        valkey.start()
        yield postgres, valkey
    finally:
        valkey.stop()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def chaos(sandbox: Sandbox, postgres: PostgresServer, valkey: Valkey) -> Iterator[Chaos]:
    """Make an empty firm on these services: empty systems, a new database, settings in the environment."""
    sandbox.reset()
    valkey.empty()
    database = postgres.create_database()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**sandbox.environment, **SHORT}.items():
            patch.setenv(name, value)
        patch.setenv("VMH_DATABASE_URL", postgres.url(database))
        patch.setenv("REDIS_URL", valkey.url)
        upgrade(postgres.url(database))
        environment = {name: value for name, value in os.environ.items() if name.startswith(NAMES)}
        store = open_database(load(VmhSettings))
        try:
            yield Chaos(Firm(sandbox, store), postgres, valkey, fork_server(), environment)
        finally:
            store.close()
    postgres.drop_database(database)
