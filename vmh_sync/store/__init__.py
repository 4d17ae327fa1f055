"""Our own database: links and bases, ledger, intents, audit, tasks, inbox, calendars (design.md 4).

Outside this package only plain dataclasses are seen; SQLAlchemy stays inside.
"""

from vmh_sync.store.database.migrate import upgrade
from vmh_sync.store.errors import (
    ConstraintViolated,
    LinkTaken,
    PairTaken,
    SchemaNewer,
    SchemaOutdated,
    StaleLink,
    StaleRow,
    StoreError,
    StoreUnavailable,
)
from vmh_sync.store.store import Store, Transaction, open_store

__all__ = [
    "ConstraintViolated",
    "LinkTaken",
    "PairTaken",
    "SchemaNewer",
    "SchemaOutdated",
    "StaleLink",
    "StaleRow",
    "Store",
    "StoreError",
    "StoreUnavailable",
    "Transaction",
    "open_store",
    "upgrade",
]
