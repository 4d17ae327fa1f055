"""SQLite as SQLAlchemy is to speak it for us: each connection prepared, each transaction begun the way its engine says.

In a dialect, not in listeners: one listener, even one of ``begin``, makes SQLAlchemy ask its empty lists of listeners
for each statement, a tenth of what our database costs (docs/profiles.md).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

COMPILED = LRUCache[Any, Any](1000)
"""Statements as they were compiled, for all engines of a process: each pass opens its own, and compiled all anew."""


class Reading(SQLiteDialect_pysqlite):
    """Transactions that see one state of the database and wait for nobody."""

    driver = "vmh_reading"
    supports_statement_cache = True
    begin: ClassVar[str] = "BEGIN DEFERRED"

    def __eq__(self, other: object) -> bool:
        """Whether statements are spelt alike: what is compiled for one engine is good for the next (``COMPILED``)."""
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self))

    def connect(self, *arguments: Any, **named: Any) -> Any:
        """Open a connection; its file is readable for its owner alone."""
        # The file holds personal data. SQLite would make it readable for everybody; its WAL takes the same mode.
        path = Path(arguments[0])
        if not path.exists():
            path.touch(mode=0o600)
        return super().connect(*arguments, **named)

    def on_connect(self) -> Callable[[Any], None]:
        """Return what prepares a new connection."""
        sqlalchemys = super().on_connect()

        def prepare(connection: Any) -> None:
            sqlalchemys(connection)
            # The driver's own idea of when to begin is switched off; do_begin does it.
            connection.isolation_level = None
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA synchronous = FULL")

        return prepare

    def do_begin(self, dbapi_connection: Any) -> None:
        """Begin a transaction."""
        dbapi_connection.execute(self.begin)


class Writing(Reading):
    """Transactions that take the write lock when they begin."""

    driver = "vmh_writing"
    supports_statement_cache = True
    begin = "BEGIN IMMEDIATE"


for _dialect in (Reading, Writing):
    registry.register(f"sqlite.{_dialect.driver}", __name__, _dialect.__name__)
