"""Cursors: how far a sensor or a sweep has got."""

from typing import Any

from sqlalchemy import delete, select

from vmh_sync.store.models import CursorRow
from vmh_sync.store.repository import Repository, table_of

_TABLE = table_of(CursorRow)


class Cursors(Repository):
    """Named JSON values."""

    def get(self, name: str) -> Any:
        """Return the JSON value stored under ``name``, None if there is none."""
        return self._connection.execute(select(CursorRow.value).where(CursorRow.name == name)).scalar_one_or_none()

    def set(self, name: str, value: Any) -> None:
        """Store a JSON value under ``name``, replacing what stood there."""
        statement = self._insert(_TABLE).values(name=name, value=value, updated_at=self._now())
        excluded = statement.excluded
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["name"], set_={"value": excluded["value"], "updated_at": excluded["updated_at"]}
            )
        )

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
