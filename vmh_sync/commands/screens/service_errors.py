"""What commands say when our own house is not in order: the database, Redis, or another process."""

import sqlite3
from contextlib import suppress

from sqlalchemy.exc import DBAPIError

from vmh_sync.coordination.errors import CoordinationUnavailable
from vmh_sync.coordination.tls import looked_into
from vmh_sync.engine.installation.redis_identity import ForeignRedis
from vmh_sync.orchestration.dagster_home import home_of, storage_fault
from vmh_sync.services.file_errors import explained
from vmh_sync.services.sole_process import HomeTaken
from vmh_sync.services.valkey import EmbeddedServiceError
from vmh_sync.settings import SettingsError, VmhSettings, load
from vmh_sync.store.database.file_health import FileFault, UnusableFile, file_fault
from vmh_sync.store.errors import SchemaNewer, SchemaOutdated, StoreError, StoreUnavailable

HOUSE_TROUBLE: tuple[type[Exception], ...] = (
    StoreError,
    CoordinationUnavailable,
    HomeTaken,
    EmbeddedServiceError,
    UnusableFile,
    DBAPIError,
    sqlite3.Error,
    OSError,
)


def in_words(trouble: Exception) -> str:
    """Return what is wrong and what to do, in German; takes one of :data:`HOUSE_TROUBLE`."""
    if isinstance(trouble, HomeTaken | ForeignRedis | UnusableFile):
        return str(trouble)
    if isinstance(trouble, SchemaOutdated):
        return "Die Datenbank passt nicht zu dieser Version: `vmh-sync db upgrade` ausführen."
    if isinstance(trouble, SchemaNewer):
        return (
            "Eine neuere Version des Programms hat diese Datenbank umgestellt; diese Version kann sie nicht benutzen "
            "und stellt sie nicht zurück. Die neuere Version wieder einspielen, oder mit `vmh-sync db restore` die "
            "Sicherung von vor der Umstellung."
        )
    if isinstance(trouble, EmbeddedServiceError):
        return f"Der mitgelieferte Valkey startet nicht: {trouble}"
    if isinstance(trouble, DBAPIError | sqlite3.Error):  # ours are translated: this is Dagster's
        fault = _dagster_fault()
        return str(fault) if fault is not None else _DAGSTER_AWAY
    if isinstance(trouble, StoreError | OSError):
        fault = _file_fault()
        if fault is not None:
            return str(fault)
        if isinstance(trouble, OSError):
            return explained(trouble)
        if not isinstance(trouble, StoreUnavailable):
            return f"Die Datenbank hat einen Befehl abgelehnt ({trouble}); `vmh-sync doctor` sagt vielleicht, warum."
        return "Die Datenbank ist nicht erreichbar: Läuft der Datenbankserver, und stimmt VMH_DATABASE_URL?"
    return _of_redis(trouble) if isinstance(trouble, CoordinationUnavailable) else str(trouble)


_DAGSTER_AWAY = (
    "Die Datenbank von Dagster antwortet nicht, wie sie soll: Läuft der Datenbankserver, den dagster.yaml nennt, und "
    "stimmen DAGSTER_PG_HOST, DAGSTER_PG_USER, DAGSTER_PG_PASSWORD und DAGSTER_PG_DB?"
)


def _file_fault() -> FileFault | None:
    try:
        settings = load(VmhSettings)
    except SettingsError:
        return None
    return file_fault(settings.database)


def _of_redis(trouble: CoordinationUnavailable) -> str:
    with suppress(SettingsError):  # the sentence without a closer look is still true
        trouble = looked_into(trouble, load(VmhSettings).redis_url)
    return f"{trouble.people}: {trouble.remedy}"


def _dagster_fault() -> FileFault | None:
    try:
        return storage_fault(home_of(load(VmhSettings)))
    except SettingsError:
        return None
