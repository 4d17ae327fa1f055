"""The example's own small table. It lives beside ours and is no part of the product's schema or migrations."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields

from sqlalchemy import Column, Connection, MetaData, String, Table, Text, insert, select, update

from vmh_sync.examples.ticketing.ticket import Priority, State, Ticket
from vmh_sync.settings import VmhSettings
from vmh_sync.store.database.columns import UtcDateTime
from vmh_sync.store.database.engine import make_engine
from vmh_sync.store.database.translation import translated

_METADATA = MetaData()
_TICKETS = Table(
    "example_tickets",
    _METADATA,
    Column("id", String(36), primary_key=True),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("priority", String(16), nullable=False),
    Column("customer_email", String(320), nullable=False),
    Column("created_at", UtcDateTime, nullable=False, index=True),
    Column("state", String(16), nullable=False, index=True),
    Column("assignee", String(255)),
    Column("reason", Text),
    Column("escalated_at", UtcDateTime),
)


class Desk:
    """Keeps tickets. All methods raise ``StoreUnavailable`` when the database is away."""

    def __init__(self, url: str) -> None:
        self._engine = make_engine(url, writing=True)
        self._made = False

    def add(self, ticket: Ticket) -> None:
        """Store a new ticket."""
        with self._writing() as connection:
            connection.execute(insert(_TICKETS).values(asdict(ticket)))

    def get(self, ticket_id: str) -> Ticket | None:
        """Return one ticket."""
        with self._writing() as connection:
            return _get(connection, ticket_id)

    def newest(self, limit: int) -> list[Ticket]:
        """Return tickets, the newest first."""
        return self._select(select(_TICKETS).order_by(_TICKETS.c.created_at.desc(), _TICKETS.c.id).limit(limit))

    def unsettled(self) -> list[Ticket]:
        """Return tickets that were neither escalated nor resolved, the oldest first."""
        waiting = _TICKETS.c.state.in_((State.OPEN, State.TRIAGED))
        return self._select(select(_TICKETS).where(waiting).order_by(_TICKETS.c.created_at, _TICKETS.c.id))

    def change(self, ticket_id: str, step: Callable[[Ticket], Ticket]) -> Ticket | None:
        """Take one step with a ticket, whoever else works on it; None if there is no such ticket.

        Raises what ``step`` raises.
        """
        with self._writing() as connection:
            ticket = _get(connection, ticket_id)
            if ticket is None:
                return None
            changed = step(ticket)
            connection.execute(update(_TICKETS).where(_TICKETS.c.id == ticket_id).values(asdict(changed)))
            return changed

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _select(self, statement: object) -> list[Ticket]:
        with self._writing() as connection:
            return [_ticket(row) for row in connection.execute(statement)]  # type: ignore[call-overload]

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with translated(), self._engine.begin() as connection:
            if not self._made:
                _METADATA.create_all(connection)
            yield connection
        self._made = True  # only now: a transaction that was rolled back took the table with it


def open_desk(settings: VmhSettings) -> Desk:
    """Open the table in our database."""
    return Desk(settings.database)


def _get(connection: Connection, ticket_id: str) -> Ticket | None:
    statement = select(_TICKETS).where(_TICKETS.c.id == ticket_id).with_for_update()
    row = connection.execute(statement).one_or_none()
    return _ticket(row) if row is not None else None


def _ticket(row: object) -> Ticket:
    values = {name.name: getattr(row, name.name) for name in fields(Ticket)}
    return Ticket(**{**values, "priority": Priority(values["priority"]), "state": State(values["state"])})
