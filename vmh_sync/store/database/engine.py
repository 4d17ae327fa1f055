"""How connections to our database are made: one set of rules for SQLite, one for PostgreSQL.

SQLite: WAL, so that readers and the one writer do not wait for each other. ``synchronous=FULL``, because an intent that
was committed before a POST must survive a power cut; with NORMAL, WAL may lose the last commits, and the next run
would POST again. Writers begin with ``BEGIN IMMEDIATE``: the write lock is taken at once and waited for, and no
transaction has to be promoted from reading to writing, which is where two processes would fail on each other.
"""

import json
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import URL, make_url

from vmh_sync.store.database.sqlite_dialect import COMPILED, Reading, Writing

BUSY_SECONDS = 30
"""How long a SQLite writer waits for another one."""

CONNECT_SECONDS = 5
"""How long PostgreSQL may take to accept a connection: EspoCRM's webhooks give up after 10 s."""

STATEMENT_SECONDS = 60
"""How long PostgreSQL works on one statement, and how long a transaction of ours may stand idle in between."""

LOCK_SECONDS = 30
"""How long a statement waits for a lock, as long as SQLite's writers do."""

_ALIVE = {"keepalives": 1, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
"""A connection whose other end is gone without a word (a firewall, a pulled cable) is noticed within a minute."""

UNANSWERED_MILLISECONDS = 30_000
"""How long sent data may stay unacknowledged; keepalives are not sent meanwhile."""


def normalised_url(url: str) -> URL:
    """Turn a configured URL into one with a definite driver.

    Takes ``sqlite:///path`` or a ``postgresql://`` URL (also spelt ``postgres://``), returns SQLAlchemy's URL.
    PostgreSQL always means psycopg2, the driver that dagster-postgres brings. Raises ValueError for any other kind of
    database and for SQLite without a file, which several processes could not share.
    """
    parsed = make_url(url)
    if parsed.drivername in ("postgres", "postgresql", "postgresql+psycopg2"):
        return parsed.set(drivername="postgresql+psycopg2")
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        if not parsed.database or parsed.database == ":memory:":
            raise ValueError("VMH_DATABASE_URL: SQLite needs a file, several processes share the database")
        if parsed.database.startswith("file:"):  # who takes it for a path protects, checks and saves another file
            raise ValueError("VMH_DATABASE_URL: SQLite's file is named by its path, not by a file: URI")
        return parsed.set(drivername="sqlite")
    raise ValueError(f"VMH_DATABASE_URL: only sqlite and postgresql are supported, not {parsed.drivername!r}")


def make_engines(url: str) -> tuple[Engine, Engine]:
    """Create the engine that reads and the one that writes: one and the same for PostgreSQL. Raises ValueError."""
    reader = make_engine(url)
    return reader, make_engine(url, writing=True) if reader.dialect.name == "sqlite" else reader


def make_engine(url: str, *, writing: bool = False) -> Engine:
    """Create the engine for a database URL; it connects when first used.

    ``writing``: its transactions take SQLite's write lock when they begin; PostgreSQL has no such thing. Parameters are
    hidden in error messages, since they may be personal values. Raises ValueError for an unsupported URL.
    """
    parsed = normalised_url(url)
    serializer = json.JSONEncoder(allow_nan=False).encode
    if parsed.drivername == "sqlite":
        Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return create_engine(
            parsed.set(drivername=f"sqlite+{(Writing if writing else Reading).driver}"),
            hide_parameters=True,
            json_serializer=serializer,
            execution_options={"compiled_cache": COMPILED},
            connect_args={"timeout": BUSY_SECONDS},
        )
    return create_engine(
        parsed,
        hide_parameters=True,
        json_serializer=serializer,
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=15,
        pool_timeout=CONNECT_SECONDS,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "vmh-sync",
            "tcp_user_timeout": UNANSWERED_MILLISECONDS,
            "options": _bounds(parsed),
            **_ALIVE,
        },
    )


def _bounds(url: URL) -> str:
    """Return the time-outs for the server, behind the operator's own ``options``, which may not be lost."""
    bounds = {
        "statement_timeout": STATEMENT_SECONDS,
        "lock_timeout": LOCK_SECONDS,
        "idle_in_transaction_session_timeout": STATEMENT_SECONDS,
    }
    own = str(url.query.get("options", ""))
    added = [f"-c {name}={seconds}s" for name, seconds in bounds.items() if name not in own]
    return " ".join([own, *added]).strip()


def without_bounds(connection: Connection) -> None:
    """Lift the server's time-outs for this transaction (PostgreSQL): a migration may take as long as it takes."""
    for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        connection.exec_driver_sql(f"SET LOCAL {name} = 0")
