"""Which records have lost a value lately: the memory of the mass-change guard (sync-semantics.md 2)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, or_, select

from vmh_sync.store.models import ValueLossRow
from vmh_sync.store.repository import Repository, replacing, table_of

_TABLE = table_of(ValueLossRow)
_NOTE = replacing(_TABLE, "entity", "record")


class ValueLosses(Repository):
    """Reads and notes losses, the last one of each record."""

    def between(self, entity: str, first: datetime, last: datetime) -> frozenset[str]:
        """Return the records whose last loss lies within this time, both ends included."""
        statement = select(_TABLE.c.record).where(_TABLE.c.entity == entity, _TABLE.c.at.between(first, last))
        return frozenset(self._connection.scalars(statement))

    def note(self, entity: str, records: Sequence[str], at: datetime) -> None:
        """Note that records lose a value now."""
        _NOTE.each(self._connection, [{"entity": entity, "record": one, "at": at} for one in records])

    def forget_outside(self, entity: str, first: datetime, last: datetime) -> None:
        """Remove the losses that lie outside this time."""
        outside = or_(_TABLE.c.at < first, _TABLE.c.at > last)
        self._connection.execute(delete(_TABLE).where(_TABLE.c.entity == entity, outside))
