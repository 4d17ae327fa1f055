"""What can go wrong with Redis."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import (
    AuthenticationError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

_AWAY = ("Redis ist nicht erreichbar", "Läuft der Server, und stimmt REDIS_URL?")
NO_TLS = ("Redis spricht kein TLS", "In REDIS_URL redis:// statt rediss:// schreiben.")
_CAUSES: tuple[tuple[type[BaseException], str, str], ...] = (
    (OutOfMemoryError, "Redis ist voll", "maxmemory erhöhen; der Abgleich selbst braucht wenige Megabyte."),
    (AuthenticationError, "Redis lehnt die Anmeldung ab", "Benutzer und Kennwort in REDIS_URL prüfen."),
    (NoPermissionError, "Redis lehnt die Anmeldung ab", "Die Rechte des Benutzers in REDIS_URL prüfen (ACL)."),
    (ReadOnlyError, "Redis ist eine Replik und nimmt nichts an", "In REDIS_URL den Hauptserver nennen."),
    (
        ssl.SSLCertVerificationError,
        "Das Zertifikat von Redis wird nicht anerkannt",
        "Ein gültiges einrichten; eine eigene Zertifizierungsstelle nennt SSL_CERT_FILE.",
    ),
    (ssl.SSLError, *NO_TLS),
)
_NOT_STORED = (
    "Redis kann auf seinen Datenträger nicht schreiben",
    "Dort Platz schaffen, wo Redis seine Daten ablegt; ohne Platz wird nichts abgeglichen.",
)


class CoordinationUnavailable(Exception):
    """Redis cannot be used; trying again later may succeed. ``people`` and ``remedy`` are German."""

    def __init__(self, detail: str, people: str = _AWAY[0], remedy: str = _AWAY[1]) -> None:
        super().__init__(detail)
        self.people = people
        self.remedy = remedy


class LeaseLost(Exception):
    """The lease is no longer ours, or that cannot be confirmed: write nothing more under it.

    Nobody's failure: the record is put off, and what is to be said about it says who has it now.
    """

    message_for_people = "Ein anderer Lauf hat diesen Datensatz übernommen; er kommt in Kürze wieder an die Reihe."


@contextmanager
def translated() -> Iterator[None]:
    """Turn redis-py's errors into :class:`CoordinationUnavailable`, without their text: it may quote values."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise CoordinationUnavailable(f"Redis is not available ({type(error).__name__})", *_cause(error)) from None


def _cause(error: BaseException | None) -> tuple[str, str]:
    """Return what is wrong and what to do; what lies below the library's own error counts too."""
    while error is not None:
        for kind, people, remedy in _CAUSES:
            if isinstance(error, kind):
                return people, remedy
        if isinstance(error, ResponseError) and str(error).startswith("MISCONF"):  # a class of its own it has not
            return _NOT_STORED
        error = error.__cause__ or error.__context__
    return _AWAY
