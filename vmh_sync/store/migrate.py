"""Bringing the database to the schema that this version needs (`vmh-sync db upgrade`)."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from vmh_sync.store.engine import for_writing, make_engine, without_bounds
from vmh_sync.store.translation import translated

_ADVISORY_LOCK = 7_630_120_115
"""Any number will do, as long as every version of the product uses the same one."""


def upgrade(url: str) -> str:
    """Run all missing migrations and return the revision that the database then has.

    Safe when several processes start at once, and when one of them is killed: everything happens in one transaction
    that begins by taking a lock. Raises StoreUnavailable when the database cannot be reached.
    """
    engine = make_engine(url)
    try:
        with translated(), _sqlite_file_lock(engine):
            if engine.dialect.name == "sqlite":
                _switch_to_wal(engine)
            with for_writing(engine).begin() as connection:
                if engine.dialect.name == "postgresql":
                    without_bounds(connection)
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
                config = _config()
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        return head_revision()
    finally:
        engine.dispose()


def head_revision() -> str:
    """Return the newest revision that this version of the product knows."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise RuntimeError("the package holds no migrations")
    return head


def current_revision(engine: Engine) -> str | None:
    """Return the revision the database has, None for an empty database."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def _switch_to_wal(engine: Engine) -> None:
    # Stays in the file for good. SQLite does not wait for others while it switches, hence the lock around this.
    raw = engine.raw_connection()
    try:
        raw.cursor().execute("PRAGMA journal_mode = WAL")
    finally:
        raw.close()


@contextmanager
def _sqlite_file_lock(engine: Engine) -> Iterator[None]:
    if engine.dialect.name != "sqlite":
        yield
        return
    with Path(f"{engine.url.database}.migrate.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
