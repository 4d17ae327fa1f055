"""``vmh-sync db backup`` and ``db restore``."""

import asyncio
from pathlib import Path

from sqlalchemy.engine import URL

from vmh_sync.backup.databases import BackupFailed
from vmh_sync.backup.house import House, backup, restore
from vmh_sync.clock import SystemClock
from vmh_sync.commands.passes.instance import dagster_home
from vmh_sync.commands.screens.output import fail
from vmh_sync.coordination.connection import connect
from vmh_sync.engine.installation.redis_identity import adopt, place_of
from vmh_sync.engine.passes.opening import open_database
from vmh_sync.services.sole_process import sole_holder
from vmh_sync.services.valkey import ensure_redis
from vmh_sync.settings import DagsterVariables, VmhSettings, load
from vmh_sync.store import upgrade


def back_up(target: Path) -> Path:
    """Make a backup below ``target`` and return its folder; ends the process with a sentence when it cannot be made."""
    try:
        return backup(_house(load(VmhSettings)), target, SystemClock().now())
    except BackupFailed as problem:
        fail(str(problem))


def put_back(source: Path) -> None:
    """Put a backup in place and bring it to this version; ends the process with a sentence when that cannot be done.

    Raises ``HomeTaken`` while the product runs.
    """
    settings = load(VmhSettings)
    with sole_holder(settings.home / "up.lock"):
        try:
            restore(_house(settings), source)
        except BackupFailed as problem:
            fail(str(problem))
        upgrade(settings.database)


def _house(settings: VmhSettings) -> House:
    variables = load(DagsterVariables)
    postgres = None
    home = Path(dagster_home(settings))
    if "postgres_db" in (home / "dagster.yaml").read_text(encoding="utf-8"):
        password = variables.pg_password.get_secret_value() if variables.pg_password else None
        port = int(variables.pg_port) if variables.pg_port else None
        postgres = URL.create(
            "postgresql+psycopg2", variables.pg_user, password, variables.pg_host, port, variables.pg_db
        )
    return House(settings.database, settings.home, home, postgres)


def adopt_redis() -> None:
    """Let the database belong to the Redis of the settings. Raises CoordinationUnavailable or StoreUnavailable."""
    settings = load(VmhSettings)
    url = ensure_redis(settings.home, settings.redis_url)

    async def run() -> None:
        async with connect(url) as redis:
            await adopt(redis, store, place_of(settings.redis_url, settings.home))

    with open_database(settings) as store:
        asyncio.run(run())
