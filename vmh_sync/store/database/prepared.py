"""Statements that are carried out often: built once, put into words once, and given to SQLite's driver as they are.

SQLAlchemy would look each one up, bind it and wrap its result anew, which took a third of what our database costs in a
first load (docs/profiles.md). PostgreSQL takes longer for a statement than that, and keeps SQLAlchemy's way.
"""

import collections
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Executable
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

Values = Mapping[str, Any]
_named: Callable[..., Any] = collections.namedtuple


class Prepared:
    """One statement: each of its parameters is one value, its constants are in its words (``spelt``).

    Inside a transaction that has begun. Raises what SQLAlchemy raises.
    """

    def __init__(self, statement: Executable) -> None:
        self._statement = statement
        self._known: dict[tuple[str, ...], _InWords] = {}

    def rows(self, connection: Connection, values: Values) -> Sequence[Any]:
        """Carry it out and return its rows, whose columns have names."""
        words = self._for_sqlite(connection, values)
        if words is None:
            return connection.execute(self._statement, values).all()
        return words.rows(words.carried_out(connection, values))

    def changed(self, connection: Connection, values: Values) -> int:
        """Carry it out and return how many rows it changed."""
        words = self._for_sqlite(connection, values)
        if words is None:
            return connection.execute(self._statement, values).rowcount
        return words.carried_out(connection, values).rowcount

    def each(self, connection: Connection, several: Sequence[Values]) -> None:
        """Carry it out for several sets of values."""
        words = self._for_sqlite(connection, several[0])
        if words is None:
            connection.execute(self._statement, several)
        else:
            words.carried_out(connection, *several)

    def _for_sqlite(self, connection: Connection, values: Values) -> "_InWords | None":
        if connection.dialect.name != "sqlite":
            return None
        names = tuple(values)  # an INSERT names the columns that it is given
        known = self._known.get(names)
        if known is None:
            known = self._known[names] = _InWords(self._statement, connection, names)
        return known


class _InWords:
    """A statement in SQLite's words, how values go in and how rows come out."""

    def __init__(self, statement: Any, connection: Connection, names: Sequence[str]) -> None:
        form: SQLCompiler = statement.compile(dialect=connection.dialect, column_keys=list(names))
        if not all(bound.required and not bound.expanding for bound in form.binds.values()):
            raise ValueError("a prepared statement has neither lists nor constants among its parameters")
        self.words = form.string
        processors: dict[str, Any] = {**form._bind_processors}
        self._in = [(name, processors.get(name)) for name in form.positiontup or ()]
        columns = form._result_columns or []
        self._row: Callable[[Any], Any] = _named("Row", [column.name for column in columns])._make
        out = (column.type._cached_result_processor(connection.dialect, None) for column in columns)
        self._out = [(place, process) for place, process in enumerate(out) if process is not None]

    def carried_out(self, connection: Connection, *several: Values) -> sqlite3.Cursor:
        bound = [
            [values[name] if process is None else process(values[name]) for name, process in self._in]
            for values in several
        ]
        driver: Any = connection.connection.driver_connection
        try:
            done: sqlite3.Cursor = (
                driver.execute(self.words, bound[0]) if len(bound) == 1 else driver.executemany(self.words, bound)
            )
        except sqlite3.Error as error:
            raise self._as_sqlalchemy_does(error) from error
        return done

    def rows(self, found: sqlite3.Cursor) -> Sequence[Any]:
        try:
            stored = found.fetchall()
        except sqlite3.Error as error:  # all but the first row are read only now
            raise self._as_sqlalchemy_does(error) from error
        rows = []
        for values in map(list, stored):
            for place, process in self._out:
                values[place] = process(values[place])
            rows.append(self._row(values))
        return rows

    def _as_sqlalchemy_does(self, error: sqlite3.Error) -> Exception:
        return DBAPIError.instance(self.words, None, error, sqlite3.Error, hide_parameters=True)
