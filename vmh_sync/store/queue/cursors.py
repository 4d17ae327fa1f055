"""Cursors: how far a sensor or a sweep has got."""

import re
from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import bindparam, delete, select

from vmh_sync.store.database.prepared import Prepared
from vmh_sync.store.models import CursorRow
from vmh_sync.store.repository import Repository, replacing, table_of

_TABLE = table_of(CursorRow)
_SET = replacing(_TABLE, "name")
_VALUE = select(CursorRow.value).where(CursorRow.name == bindparam("name"))
_GET = Prepared(_VALUE)
_UNDER = Prepared(
    select(CursorRow.name, CursorRow.value).where(CursorRow.name.like(bindparam("beginning"), escape="/"))
)


@cache
def _several(number: int) -> Prepared:
    names: list[Any] = [bindparam(f"name_{place}") for place in range(number)]
    return Prepared(select(CursorRow.name, CursorRow.value).where(CursorRow.name.in_(names)))


class Cursors(Repository):
    """Named JSON values."""

    def get(self, name: str) -> Any:
        """Return the JSON value stored under ``name``, None if there is none."""
        rows = _GET.rows(self._connection, {"name": name})
        return rows[0].value if rows else None

    def several(self, names: Collection[str]) -> dict[str, Any]:
        """Return the JSON values that are stored under some names, by name."""
        wanted = {f"name_{place}": name for place, name in enumerate(names)}
        return {row.name: row.value for row in _several(len(wanted)).rows(self._connection, wanted)} if wanted else {}

    def held(self, name: str) -> Any:
        """Return the JSON value as :meth:`get`, and let nobody else change or forget it in this transaction.

        On SQLite a transaction that may write has everybody wait in any case.
        """
        return self._connection.execute(_VALUE.with_for_update(), {"name": name}).scalar_one_or_none()

    def set(self, name: str, value: Any) -> None:
        """Store a JSON value under ``name``, replacing what stood there."""
        _SET.changed(self._connection, {"name": name, "value": value, "updated_at": self._now()})

    def under(self, prefix: str) -> dict[str, Any]:
        """Return all values whose name begins with ``prefix``, by name."""
        beginning = re.sub("([/%_])", r"/\1", prefix) + "%"
        return {row.name: row.value for row in _UNDER.rows(self._connection, {"beginning": beginning})}

    def forget(self, name: str) -> None:
        """Remove what stands under ``name``."""
        self._connection.execute(delete(_TABLE).where(_TABLE.c.name == name))

    def set_once(self, name: str, value: Any) -> None:
        """Store a JSON value under ``name`` unless something stands there; of several at once one is the first."""
        statement = self._insert(_TABLE).values(name=name, value=value, updated_at=self._now())
        self._connection.execute(statement.on_conflict_do_nothing(index_elements=["name"]))
