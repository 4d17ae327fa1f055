"""The door to our own database: open it, begin a transaction, reach the repositories."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Concatenate, Generic, ParamSpec, Self, TypeVar

from sqlalchemy import Connection, Engine, text

from vmh_sync.clock import Clock, SystemClock
from vmh_sync.store.calendars.calendar import CalendarPairs, CalendarStates
from vmh_sync.store.calendars.calendar_channels import CalendarChannels
from vmh_sync.store.database.engine import make_engines
from vmh_sync.store.database.migrate import current_revision, head_revision, is_known
from vmh_sync.store.database.reclaim import overwritten
from vmh_sync.store.database.shared_transactions import SharedTransactions
from vmh_sync.store.database.translation import translated
from vmh_sync.store.errors import SchemaNewer, SchemaOutdated
from vmh_sync.store.history.audit import Audit
from vmh_sync.store.history.metrics import CallCounts, Passes
from vmh_sync.store.history.tasks import Tasks
from vmh_sync.store.models import Base
from vmh_sync.store.pairs.fingerprints import Fingerprints
from vmh_sync.store.pairs.intents import Intents
from vmh_sync.store.pairs.kommunikation_states import KommunikationStates
from vmh_sync.store.pairs.links import Links
from vmh_sync.store.pairs.person_rows import PersonRows
from vmh_sync.store.pairs.records import SyncRecords
from vmh_sync.store.pairs.value_losses import ValueLosses
from vmh_sync.store.queue.cursors import Cursors
from vmh_sync.store.queue.inbox import Inbox
from vmh_sync.watchdog import went_on

T = TypeVar("T")
R = TypeVar("R")
P = ParamSpec("P")


class _Of(Generic[R]):
    """A repository of a transaction, made when it is asked for: most transactions use one or two of them."""

    def __init__(self, kind: Callable[[Connection, Clock], R]) -> None:
        self._kind = kind

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, transaction: "Transaction", owner: type) -> R:
        made = self._kind(transaction.connection, transaction.clock)
        transaction.__dict__[self._name] = made
        return made


class Transaction:
    """One transaction with a repository per aggregate. Everything done through it is committed together."""

    links = _Of(Links)
    kommunikation_states = _Of(KommunikationStates)
    value_losses = _Of(ValueLosses)
    fingerprints = _Of(Fingerprints)
    records = _Of(SyncRecords)
    intents = _Of(Intents)
    audit = _Of(Audit)
    tasks = _Of(Tasks)
    inbox = _Of(Inbox)
    cursors = _Of(Cursors)
    passes = _Of(Passes)
    call_counts = _Of(CallCounts)
    calendar_states = _Of(CalendarStates)
    calendar_pairs = _Of(CalendarPairs)
    person_rows = _Of(PersonRows)
    calendar_channels = _Of(CalendarChannels)

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self.connection = connection
        self.clock = clock


class Store:
    """Our own database. May be shared by threads; every transaction belongs to one thread.

    A coroutine takes :meth:`read` and :meth:`write`, which leave the loop free meanwhile; the others are synchronous.
    """

    def __init__(self, reader: Engine, writer: Engine, clock: Clock) -> None:
        self._reader = reader
        self._writer = writer
        self._clock = clock
        # PostgreSQL carries transactions out beside each other: there each has its own.
        shared = reader.dialect.name == "sqlite"
        self._reads = SharedTransactions(self.reading) if shared else None
        self._writes = SharedTransactions(self.transaction, lambda tx: tx.connection) if shared else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Begin a transaction that may write; it is committed at the end of the block, or rolled back on any exception.

        On SQLite it takes the write lock at once, so keep it short and never wait for a foreign system inside. Raises
        StoreUnavailable when the database cannot be reached or stays locked, ConstraintViolated when a row breaks a
        rule of the schema.
        """
        with translated(), self._writer.begin() as connection:
            yield Transaction(connection, self._clock)
        went_on()

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Begin a transaction that only reads. On SQLite it does not wait for writers. Raises as above."""
        with translated(), self._reader.connect() as connection, connection.begin():
            yield Transaction(connection, self._clock)

    async def read(self, work: Callable[Concatenate[Transaction, P], T], *args: P.args, **named: P.kwargs) -> T:
        """Return what ``work`` finds in a transaction that only reads; the loop is free meanwhile. Raises as above."""
        if self._reads is not None:
            return await self._reads.carry_out(lambda tx: work(tx, *args, **named))

        def inside() -> T:
            with self.reading() as tx:
                return work(tx, *args, **named)

        return await asyncio.to_thread(inside)

    async def write(self, work: Callable[Concatenate[Transaction, P], T], *args: P.args, **named: P.kwargs) -> T:
        """Return what ``work`` comes to in a transaction that is committed by then. Raises as above.

        On SQLite it is shared with what others want to store at this moment (``shared_transactions``).
        """
        if self._writes is not None:
            stored = await self._writes.carry_out(lambda tx: work(tx, *args, **named))
            went_on()
            return stored

        def inside() -> T:
            with self.transaction() as tx:
                return work(tx, *args, **named)

        return await asyncio.to_thread(inside)

    def ping(self) -> None:
        """Ask the database for a sign of life. Raises StoreUnavailable."""
        with translated(), self._reader.connect() as connection:
            connection.execute(text("SELECT 1"))

    def require_current_schema(self) -> None:
        """Raise SchemaOutdated or SchemaNewer unless the database has the schema of this version.

        StoreUnavailable as above.
        """
        with translated():
            current = current_revision(self._reader)
        if not is_known(current):
            raise SchemaNewer(
                f"the database is at revision {current}, this version knows nothing after {head_revision()}"
            )
        if current != head_revision():
            raise SchemaOutdated(
                f"the database is at revision {current or 'none'}, this version needs {head_revision()}: "
                "run 'vmh-sync db upgrade'"
            )

    def reclaim(self) -> bool:
        """Overwrite what deleted rows have left behind in the files. Raises StoreUnavailable.

        False when somebody read the SQLite file all the time, so that remains stayed: to be repeated.

        SQLite keeps deleted values in free pages and in its journal. PostgreSQL's ordinary VACUUM only gives the space
        free: the bytes stay until something else is written there, so each table is written anew, and its statistics,
        which hold samples of values.
        """
        with translated(), self._writer.connect() as connection:
            raw = connection.execution_options(isolation_level="AUTOCOMMIT").connection.driver_connection
            done = True
            if isinstance(raw, sqlite3.Connection):
                done = overwritten(raw)
            elif raw is not None:
                with raw.cursor() as cursor:
                    cursor.execute("SET statement_timeout = 0")
                    for table in (*sorted(Base.metadata.tables), "pg_catalog.pg_statistic"):
                        cursor.execute(f"VACUUM (FULL, ANALYZE) {table}")
                    cursor.execute("RESET statement_timeout")
        went_on()
        return done

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._reader.dialect.name

    def close(self) -> None:
        """Close all connections that are not in use."""
        self._reader.dispose()
        self._writer.dispose()


def open_store(url: str, clock: Clock | None = None) -> Store:
    """Open our database; it connects when first used, and it is not migrated here (see ``upgrade``).

    Raises ValueError for an unsupported URL.
    """
    return Store(*make_engines(url), clock or SystemClock())
