"""Channels through which Google tells that calendars have changed, and which of them have rung (kalender.md 1)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import bindparam, delete, func, insert, select, update

from vmh_sync.store.database.prepared import Prepared
from vmh_sync.store.models import CalendarChannelRow
from vmh_sync.store.repository import Repository, columns_of, table_of, values_of

_TABLE = table_of(CalendarChannelRow)
_ALL = select(*(column for column in columns_of(CalendarChannelRow) if column.key != "created_at"))
_EVERYBODYS = Prepared(_ALL)
_OF = Prepared(_ALL.where(CalendarChannelRow.kuerzel == bindparam("kuerzel")).order_by(CalendarChannelRow.expires_at))


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarChannel:
    """One channel of one calendar.

    ``token_hash`` is the hash of the secret that each notification has to carry, ``resource_id`` is Google's and
    needed to stop the channel (None: Google has not answered), ``rung_at`` the first notification that no run has
    taken up yet.
    """

    channel_id: str
    kuerzel: str
    calendar_id: str
    address: str
    token_hash: str = field(repr=False)
    expires_at: datetime
    resource_id: str | None = None
    rung_at: datetime | None = None


class CalendarChannels(Repository):
    """Reads and writes channels."""

    def of(self, kuerzel: str) -> list[CalendarChannel]:
        """Return an employee's channels, those that have ended too."""
        return [CalendarChannel(**row._asdict()) for row in _OF.rows(self._connection, {"kuerzel": kuerzel})]

    def all(self) -> list[CalendarChannel]:
        """Return everybody's channels."""
        return [CalendarChannel(**row._asdict()) for row in _EVERYBODYS.rows(self._connection, {})]

    def get(self, channel_id: str) -> CalendarChannel | None:
        """Return one channel, None if we know none of this name."""
        row = self._connection.execute(_ALL.where(CalendarChannelRow.channel_id == channel_id)).one_or_none()
        return CalendarChannel(**row._asdict()) if row is not None else None

    def add(self, channel: CalendarChannel) -> None:
        """Store a new channel."""
        self._connection.execute(insert(_TABLE).values(**values_of(channel), created_at=self._now()))

    def opened(self, channel_id: str, resource_id: str, expires_at: datetime) -> None:
        """Note what Google has answered."""
        values = {"resource_id": resource_id, "expires_at": expires_at}
        self._connection.execute(update(_TABLE).where(_TABLE.c.channel_id == channel_id).values(values))

    def remove(self, channel_ids: Iterable[str]) -> None:
        """Forget channels."""
        self._connection.execute(delete(_TABLE).where(_TABLE.c.channel_id.in_(list(channel_ids))))

    def ring(self, channel_id: str) -> None:
        """Note that a channel has rung; one that has rung already keeps its first moment."""
        rung = func.coalesce(_TABLE.c.rung_at, self._now())
        self._connection.execute(update(_TABLE).where(_TABLE.c.channel_id == channel_id).values(rung_at=rung))

    def take_rung(self) -> list[str]:
        """Return whose calendars have rung, and silence them: what rings from now on is for the next run."""
        statement = update(_TABLE).where(_TABLE.c.rung_at.is_not(None)).values(rung_at=None)
        rows = self._connection.execute(statement.returning(_TABLE.c.kuerzel))
        return sorted({row.kuerzel for row in rows})

    def living(self) -> set[str]:
        """Return whose calendars have a channel that Google has confirmed and that has not ended."""
        statement = select(CalendarChannelRow.kuerzel).where(
            CalendarChannelRow.resource_id.is_not(None), CalendarChannelRow.expires_at > self._now()
        )
        return set(self._connection.execute(statement).scalars())
