"""What commands say when our own house is not in order: the database, Redis, or another process."""

from vmh_sync.coordination.errors import CoordinationUnavailable
from vmh_sync.engine.redis_identity import ForeignRedis
from vmh_sync.services.sole_process import HomeTaken
from vmh_sync.store.errors import SchemaOutdated, StoreError, StoreUnavailable

HOUSE_TROUBLE: tuple[type[Exception], ...] = (
    StoreUnavailable,
    SchemaOutdated,
    CoordinationUnavailable,
    HomeTaken,
)


def told(trouble: Exception) -> str:
    """Return what is wrong and what to do, in German; takes one of :data:`HOUSE_TROUBLE`."""
    if isinstance(trouble, HomeTaken | ForeignRedis):
        return str(trouble)
    if isinstance(trouble, SchemaOutdated):
        return "Die Datenbank passt nicht zu dieser Version: `vmh-sync db upgrade` ausführen."
    if isinstance(trouble, StoreError):
        return "Die Datenbank ist nicht erreichbar: Läuft der Datenbankserver, und stimmt VMH_DATABASE_URL?"
    return "Redis ist nicht erreichbar: Läuft der Server, und stimmt REDIS_URL?"
