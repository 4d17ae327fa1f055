"""Why our database cannot be used, whatever it is: its file, the server, its schema. Looks only, writes nothing."""

from urllib.parse import urlsplit

from vmh_sync.store.database.file_health import FileFault, file_fault
from vmh_sync.store.errors import SchemaNewer, SchemaOutdated, StoreError
from vmh_sync.store.store import Store


def database_fault(store: Store, url: str, *, look_inside: bool = True) -> FileFault | None:
    """Return what is wrong with the database of a store and what to do (German); ``None`` when nothing is.

    ``look_inside=False`` reads a SQLite file as a whole only when it does not answer as it should.
    """
    fault = file_fault(url, look_inside=look_inside)
    if fault is not None:
        return fault
    try:
        store.require_current_schema()
    except SchemaNewer:
        return FileFault(
            "Eine neuere Version des Programms hat die Datenbank umgestellt.",
            "Die neuere Version wieder einspielen, oder mit `vmh-sync db restore` die Sicherung von vorher.",
        )
    except SchemaOutdated:
        return FileFault(
            "Die Datenbank ist leer oder passt nicht zu dieser Version.", "`vmh-sync db upgrade` ausführen."
        )
    except StoreError:
        return file_fault(url) or FileFault(
            f"Die Datenbank{at_host(url)} ist nicht erreichbar.",
            "Prüfen, ob der Datenbankserver läuft und VMH_DATABASE_URL stimmt.",
        )
    return None


def at_host(url: str | None) -> str:
    """Return `` auf HOST:PORT``, or a socket's place, as a URL names them, never its user or password.

    Nothing when it names none.
    """
    parts = urlsplit(url or "")
    if parts.scheme == "unix":
        return f" unter {parts.path}"
    if not parts.hostname:
        return ""
    return f" auf {parts.hostname}:{parts.port}" if parts.port else f" auf {parts.hostname}"
