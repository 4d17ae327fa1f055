"""Our own database in memory: SQLite with the product's schema, copied from one that was migrated once."""

import sqlite3
from functools import cache, partial
from json import dumps
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import create_engine, event, select
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import StaticPool

from vmh_sync.clock import Clock
from vmh_sync.store import Store, upgrade
from vmh_sync.store.database.sqlite_dialect import COMPILED, Writing


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        upgrade(f"sqlite:///{folder}/template.sqlite3")
        with sqlite3.connect(f"{folder}/template.sqlite3") as file, sqlite3.connect(":memory:") as copy:
            file.backup(copy)
            image = bytearray(copy.serialize())
    image[18:20] = b"\x01\x01"  # no write-ahead log: a database in memory has no second file
    return bytes(image)


def memory_store(clock: Clock) -> Store:
    """Return an empty store; all its transactions share the one connection, one after the other."""
    made = create_engine(
        f"sqlite+{Writing.driver}://",
        poolclass=StaticPool,
        execution_options={"compiled_cache": COMPILED},
        creator=lambda: sqlite3.connect(":memory:", check_same_thread=False),
        json_serializer=partial(dumps, allow_nan=False),
    )
    event.listen(made, "connect", lambda connection, record: connection.deserialize(_migrated()))
    return Store(made, made, clock)


def rows(store: Store, model: type[DeclarativeBase]) -> list[Any]:
    """Return all rows of a table, in the order of their ids."""
    with store._reader.connect() as connection:
        return list(connection.execute(select(*model.__table__.columns).order_by(*model.__table__.primary_key)))
