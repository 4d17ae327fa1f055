"""Overwrites what deleted rows have left behind in a SQLite file and its journal."""

import sqlite3

BUSY_SECONDS = 10.0
"""How long whoever reads the file is waited for."""


def overwritten(database: sqlite3.Connection) -> bool:
    """Write the file anew and empty its journal; false when somebody read all the time, so that the journal stayed.

    The connection must be in autocommit. Raises ``sqlite3.OperationalError`` when the file does not become free.
    """
    (before,) = database.execute("PRAGMA busy_timeout").fetchone()
    database.execute(f"PRAGMA busy_timeout = {round(BUSY_SECONDS * 1000)}")
    try:
        database.execute("VACUUM")
        # It does not raise when it had to leave something: the first column says so.
        (busy, _, _) = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        database.execute(f"PRAGMA busy_timeout = {before}")
    return not busy
