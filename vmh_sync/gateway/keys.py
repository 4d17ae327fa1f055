"""API keys: who may call what (specification, http-endpoints.md 2)."""

import hmac
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal

from vmh_sync.settings import SettingsError

_log = logging.getLogger(__name__)

Scope = Literal["read", "write"]

SHORTEST_KEY = 16
_UNUSABLE = "?"
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class NotAllowed(Exception):
    """The caller may not do this: ``status`` is 401 (no or unknown key) or 403 (the key does not cover it)."""

    def __init__(self, status: Literal[401, 403], reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One caller. ``paths`` limits the proxy to paths that begin with one of these segments; empty: no limit."""

    name: str
    digest: bytes = field(repr=False)
    scopes: frozenset[str]
    paths: tuple[tuple[str, ...], ...] = ()

    def covers(self, scope: Scope) -> bool:
        """Whether the key has the scope; who may write may read too."""
        return scope in self.scopes or (scope == "read" and "write" in self.scopes)

    def reaches(self, path: Sequence[str]) -> bool:
        """Whether the proxy may be asked for this path (its segments below the API prefix)."""
        return not self.paths or any(tuple(path[: len(allowed)]) == allowed for allowed in self.paths)


class KeyRing:
    """All keys of the configuration."""

    def __init__(self, keys: Sequence[ApiKey]) -> None:
        self._keys = tuple(keys)

    def __len__(self) -> int:
        return len(self._keys)

    def allow(self, given: str | None, scope: Scope) -> ApiKey:
        """Return the caller behind a key that has ``scope``. Raises :class:`NotAllowed`.

        Every key is compared, and in constant time.
        """
        digest = _digest(given or "")
        found = None
        for key in self._keys:
            if hmac.compare_digest(key.digest, digest):
                found = key
        if found is None or not given:
            raise NotAllowed(401, "X-API-Key is missing or unknown")
        if not found.covers(scope):
            raise NotAllowed(403, f"this key has no {scope} scope")
        return found


def key_ring(entries: Sequence[Mapping[str, object]]) -> KeyRing:
    """Read ``VMH_API_KEYS``. Raises ``SettingsError`` that names the entry, never the key."""
    keys = [_key(entry, number) for number, entry in enumerate(entries, start=1)]
    if len({key.name for key in keys}) < len(keys) or len({key.digest for key in keys}) < len(keys):
        raise SettingsError("VMH_API_KEYS: Namen und Schlüssel müssen verschieden sein")
    return KeyRing(keys)


def _key(entry: Mapping[str, object], number: int) -> ApiKey:
    name, secret = entry.get("name"), entry.get("key")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise SettingsError(f"VMH_API_KEYS, Eintrag {number}: name fehlt (Buchstaben, Ziffern, _ . -)")
    if not isinstance(secret, str) or len(secret) < SHORTEST_KEY:
        raise SettingsError(f"VMH_API_KEYS, Eintrag {number}: key muss mindestens {SHORTEST_KEY} Zeichen haben")
    scopes = _texts(entry.get("scopes", entry.get("scope", "read")))
    if not scopes or not scopes <= {"read", "write"}:
        raise SettingsError(f"VMH_API_KEYS, Eintrag {number}: scopes sind read und write")
    paths = sorted(_texts(entry.get("paths") or []))
    if any(not all(path.strip("/").split("/")) for path in paths) or _UNUSABLE in paths:
        raise SettingsError(f"VMH_API_KEYS, Eintrag {number}: paths ist eine Liste von Pfaden, zum Beispiel Beteiligte")
    return ApiKey(name, _digest(secret), scopes, tuple(tuple(path.strip("/").split("/")) for path in paths))


def _texts(value: object) -> frozenset[str]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(item, str) for item in values):
        return frozenset({_UNUSABLE})
    return frozenset(values)


def _digest(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", errors="replace")).digest()
