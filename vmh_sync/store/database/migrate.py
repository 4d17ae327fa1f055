"""Bringing the database to the schema that this version needs (`vmh-sync db upgrade`).

Every command asks whether anything is to be done, so that costs one query: Alembic, which takes longer to start than a
small pass, is imported only when there is.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, inspect, text

from vmh_sync.store.database.engine import make_engine, without_bounds
from vmh_sync.store.database.translation import translated
from vmh_sync.store.errors import SchemaNewer

if TYPE_CHECKING:
    from alembic.config import Config

_MIGRATIONS = Path(__file__).parents[1] / "migrations"
_ADVISORY_LOCK = 7_630_120_115
"""Any number will do, as long as every version of the product uses the same one."""


def upgrade(url: str) -> str:
    """Run all missing migrations and return the revision that the database then has.

    Safe when several processes start at once, and when one of them is killed: everything happens in one transaction
    that begins by taking a lock. Raises StoreUnavailable when the database cannot be reached, SchemaNewer when a newer
    version of the product has been at work on it: nothing is changed then.
    """
    engine = make_engine(url)
    try:
        # Looking is not possible before the lock either: SQLite's switch to WAL waits for no reader.
        with translated(), _sqlite_file_lock(engine):
            current = current_revision(engine)
            if not is_known(current):
                raise SchemaNewer(f"the database is at revision {current}, newer than {head_revision()}")
            if current != head_revision():
                _migrate(url, engine)
        return head_revision()
    finally:
        engine.dispose()


def _migrate(url: str, engine: Engine) -> None:
    from alembic import command

    if engine.dialect.name == "sqlite":
        _switch_to_wal(engine)
    writer = make_engine(url, writing=True)
    try:
        with writer.begin() as connection:
            if engine.dialect.name == "postgresql":
                without_bounds(connection)
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        writer.dispose()


@cache
def head_revision() -> str:
    """Return the newest revision that this version of the product knows: its file has the highest number."""
    return max(_known_revisions())


@cache
def _known_revisions() -> frozenset[str]:
    return frozenset(path.name.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def is_known(revision: str | None) -> bool:
    """Whether this version of the product knows a revision; one that it does not know was made by a newer version."""
    return revision is None or revision in _known_revisions()


def revision_of(url: str) -> str | None:
    """Return the revision of the database behind a URL. Raises StoreUnavailable when it cannot be reached."""
    engine = make_engine(url)
    try:
        with translated():
            return current_revision(engine)
    finally:
        engine.dispose()


def current_revision(engine: Engine) -> str | None:
    """Return the revision the database has, None for an empty database."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
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
