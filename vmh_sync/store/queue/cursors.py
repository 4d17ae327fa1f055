"""Cursors: how far a sensor or a sweep has got."""

from typing import Any

from sqlalchemy import delete, select

from vmh_sync.store.models import CursorRow
from vmh_sync.store.repository import Repository, replacing, table_of

_TABLE = table_of(CursorRow)
_SET = replacing(_TABLE, "name")


class Cursors(Repository):
    """Named JSON values."""

    def get(self, name: str) -> Any:
        """Return the JSON value stored under ``name``, None if there is none."""
        return self._connection.execute(select(CursorRow.value).where(CursorRow.name == name)).scalar_one_or_none()

    def held(self, name: str) -> Any:
        """Return the JSON value as :meth:`get`, and let nobody else change or forget it in this transaction.

        On SQLite a transaction that may write has everybody wait in any case.
        """
        statement = select(CursorRow.value).where(CursorRow.name == name).with_for_update()
        return self._connection.execute(statement).scalar_one_or_none()

    def set(self, name: str, value: Any) -> None:
        """Store a JSON value under ``name``, replacing what stood there."""
        self._connection.execute(_SET, {"name": name, "value": value, "updated_at": self._now()})

    def under(self, prefix: str) -> dict[str, Any]:
        """Return all values whose name begins with ``prefix``, by name."""
        found = self._connection.execute(
            select(CursorRow.name, CursorRow.value).where(CursorRow.name.startswith(prefix, autoescape=True))
        )
        return {row.name: row.value for row in found}

    def forget(self, name: str) -> None:
        """Remove what stands under ``name``."""
        self._connection.execute(delete(_TABLE).where(_TABLE.c.name == name))

    def set_once(self, name: str, value: Any) -> None:
        """Store a JSON value under ``name`` unless something stands there; of several at once one is the first."""
        statement = self._insert(_TABLE).values(name=name, value=value, updated_at=self._now())
        self._connection.execute(statement.on_conflict_do_nothing(index_elements=["name"]))
