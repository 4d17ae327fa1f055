"""From SQLAlchemy's errors to our own, on the border of this package."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from vmh_sync.store.errors import ConstraintViolated, StoreError, StoreUnavailable


@contextmanager
def translated() -> Iterator[None]:
    """Turn SQLAlchemy's errors into those of :mod:`vmh_sync.store.errors`; our own and all others pass."""
    # "from None": the driver's own message may quote values.
    try:
        yield
    except IntegrityError as error:
        raise ConstraintViolated(f"a row breaks a rule of the schema ({type(error.orig).__name__})") from None
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        cause = getattr(error, "orig", None) or error
        raise StoreUnavailable(f"the database is not available ({type(cause).__name__})") from None
    except DBAPIError as error:
        raise StoreError(f"the database refused a statement ({type(error.orig).__name__})") from None
    except sqlite3.DatabaseError as error:
        # While a connection is prepared the driver's own errors come through, of a damaged file for example.
        unavailable = isinstance(error, sqlite3.OperationalError)
        kind = StoreUnavailable if unavailable else StoreError
        raise kind(f"the database cannot be opened ({type(error).__name__})") from None
