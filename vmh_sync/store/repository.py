"""What every repository of this package is built on."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import fields
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar, cast

from sqlalchemy import ColumnElement, Connection, String, Table, bindparam, delete, literal_column, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase

from vmh_sync.clock import Clock
from vmh_sync.store.database.prepared import Prepared

T = TypeVar("T")

CHUNK = 1000
"""Ids per statement: below SQLite's limit of parameters, and one statement for any batch of a run."""


class Repository:
    """Access to one aggregate inside one transaction. Takes the transaction's connection and the clock."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    def _now(self) -> datetime:
        return self._clock.now()

    def _savepoint(self) -> AbstractContextManager[object]:
        """Open a block whose refused statement leaves the transaction usable.

        PostgreSQL gives a transaction up for it and needs a savepoint; SQLite undoes the one statement.
        """
        return self._connection.begin_nested() if self._connection.dialect.name == "postgresql" else nullcontext()

    def _insert(self, table: Table) -> "sqlite.Insert | postgresql.Insert":
        # ON CONFLICT is spelt alike in both dialects, but SQLAlchemy has one class for each.
        if self._connection.dialect.name == "postgresql":
            return postgresql.insert(table)
        return sqlite.insert(table)

    def _delete(self, table: Table, condition: ColumnElement[bool], limit: int | None) -> int:
        # In slices on request: on SQLite nobody else can write meanwhile.
        chosen = select(table.c.id).where(condition).order_by(table.c.id).limit(limit)
        return self._connection.execute(delete(table).where(table.c.id.in_(chosen))).rowcount


def table_of(model: type[DeclarativeBase]) -> Table:
    """Return the table behind a model class."""
    return cast("Table", model.__table__)


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    """Cut ``items`` into lists of at most ``size``."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def among(column: Any, name: str = "keys") -> ColumnElement[bool]:
    """Return the condition that a column is one of a list that is bound as ``name`` when the statement is executed.

    For statements that are built once: to build one costs more than to carry it out.
    """
    return column.in_(bindparam(name, expanding=True))  # type: ignore[no-any-return]


def spelt(word: str) -> ColumnElement[str]:
    """Return a constant that stands in the statement itself. Raises ValueError for anything but a plain word.

    For what says which rows a partial index holds: SQLite compiles a statement anew for each value of a parameter that
    stands beside such a column, which takes ten times as long as to carry it out.
    """
    if not word.isidentifier():
        raise ValueError("only a plain word is spelt into a statement")
    return literal_column(f"'{word}'", String)


class ByKeys:
    """A statement about the records of some keys, built once: in one form for a single key, in one for several.

    A list has to be spelled out anew each time, which for a single key takes as long as all the rest.
    """

    def __init__(self, statement: Any, column: Any) -> None:
        self._of_one = Prepared(statement.where(column == bindparam("keys")))
        self._of_many = statement.where(among(column))

    def rows(self, connection: Connection, keys: Sequence[Any], values: Mapping[str, Any]) -> Sequence[Any]:
        """Carry it out for ``keys``, with the ``values`` of its other parameters; returns its rows."""
        if len(keys) == 1:
            return self._of_one.rows(connection, {**values, "keys": keys[0]})
        return connection.execute(self._of_many, {**values, "keys": keys}).all()


def replacing(table: Table, *key: str, kept: Collection[str] = ()) -> Prepared:
    """Return the statement that stores a whole row, or several, in place of those with the same key.

    What stands in the columns ``kept`` stays. As a text, which both databases read alike: SQLAlchemy compiles its own
    form of ON CONFLICT anew each time, which takes longer than to carry it out.
    """
    insert = sqlite.insert(table)
    changed = {one.name: insert.excluded[one.name] for one in table.columns if one.name not in {*key, *kept}}
    form = insert.on_conflict_do_update(index_elements=key, set_=changed)
    words = str(form.compile(dialect=sqlite.dialect(paramstyle="named")))
    return Prepared(text(words).bindparams(*(bindparam(column.name, type_=column.type) for column in table.columns)))


def storable_text(value: str | None) -> str | None:
    """Return a text that both databases accept: PostgreSQL refuses U+0000 in text columns."""
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}") if value is not None else None


def columns_of(model: type[DeclarativeBase]) -> list[Any]:
    """Return the model's columns in the order of their definition."""
    return list(table_of(model).columns)


def values_of(kept: Any) -> dict[str, Any]:
    """Return what stands in a dataclass by name, as it is: ``asdict`` copies each moment with its time zone."""
    return {one.name: getattr(kept, one.name) for one in fields(kept)}
