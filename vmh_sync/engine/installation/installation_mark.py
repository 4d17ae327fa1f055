"""How a gateway and a Dagster recognise that they belong together: their processes work on the same database.

A Dagster with our code may answer at the address and still be somebody else's, say of a second installation on the
machine: its runs would find nothing in their inbox, and what was told to ours would wait.
"""

import hashlib
from pathlib import Path

from vmh_sync.settings import VmhSettings
from vmh_sync.store.database.engine import normalised_url

HOUSE = "vmh/house"
"""Metadata of :data:`HOUSE_JOB`, which Dagster shows to whoever asks."""
HOUSE_JOB = "housekeeping"
_POSTGRES_PORT = 5432


def installation_mark(settings: VmhSettings) -> str:
    """Return a short text that is the same in all processes of a house; it holds no user, password or readable path.

    Raises ValueError for an unsupported ``VMH_DATABASE_URL``.
    """
    url = normalised_url(settings.database)
    if url.drivername == "sqlite":
        place = str(Path(str(url.database)).resolve())
    else:
        place = f"{(url.host or '').lower()}:{url.port or _POSTGRES_PORT}/{url.database}"
    return hashlib.sha256(f"vmh-sync {place}".encode()).hexdigest()[:16]
