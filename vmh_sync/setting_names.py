"""Finds settings that nobody reads, most likely because their name was typed wrong."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pydantic_settings import BaseSettings

from vmh_sync import settings
from vmh_sync.env_file import read_env_file
from vmh_sync.settings_loading import SettingsError

DEPLOYMENT = frozenset(
    {
        "DAGSTER_HOME",
        "VMH_DAGSTER_YAML",
        "VMH_DOMAIN",
        "VMH_POSTGRES_ADMIN_PASSWORD",
        "VMH_POSTGRES_PASSWORD",
        "VMH_UI_PASSWORD_HASH",
        "VMH_UI_USER",
        "VMH_VALKEY_PASSWORD",
    }
)
"""Read by ``deploy/`` and ``docker-compose.yaml``, not by the product."""

OF_OLD_SYSTEM = {
    "ADVOWARE_TOKEN_LIFETIME_MINUTES": "Die Gültigkeit der Anmeldung sagt Advoware selbst.",
    "ESPOCRM_MARVIN_API_KEY": "Hier heißt sie ESPOCRM_API_KEY.",
    "GOOGLE_CALENDAR_SCOPES": "Das Programm verlangt nur, was es braucht.",
    "POSTGRES_DB_NAME": "Alles zur Datenbank steht in VMH_DATABASE_URL.",
    "POSTGRES_HOST": "Alles zur Datenbank steht in VMH_DATABASE_URL.",
    "POSTGRES_PASSWORD": "Alles zur Datenbank steht in VMH_DATABASE_URL.",
    "POSTGRES_PORT": "Alles zur Datenbank steht in VMH_DATABASE_URL.",
    "POSTGRES_USER": "Alles zur Datenbank steht in VMH_DATABASE_URL.",
    "REDIS_DB_ADVOWARE_CACHE": "Das Programm nimmt eine Datenbank von Redis, sie steht in REDIS_URL.",
    "REDIS_DB_CALENDAR_SYNC": "Das Programm nimmt eine Datenbank von Redis, sie steht in REDIS_URL.",
    "REDIS_HOST": "Rechner, Port und Kennwort von Redis stehen in REDIS_URL.",
    "REDIS_PASSWORD": "Rechner, Port und Kennwort von Redis stehen in REDIS_URL.",
    "REDIS_PORT": "Rechner, Port und Kennwort von Redis stehen in REDIS_URL.",
    "REDIS_TIMEOUT_SECONDS": "Die Wartezeit auf Redis ist fest.",
}
"""Variable of the system that was there before → what to do instead (German); the others have kept their names."""

_LIKE_ENOUGH = 0.85


@dataclass(frozen=True, slots=True)
class UnknownSetting:
    """A variable with one of our prefixes that nobody reads; ``meant`` is the one whose name is nearly the same."""

    name: str
    meant: str | None

    def __str__(self) -> str:
        """Say it in German."""
        if (instead := OF_OLD_SYSTEM.get(self.name.upper())) is not None:
            return f"{self.name} gehört zum alten System und wird nicht gelesen. {instead}"
        if self.meant is None:
            return f"{self.name} ist keine Einstellung von vmh-sync."
        return f"{self.name} ist keine Einstellung von vmh-sync. Meinten Sie {self.meant}?"


def known_names() -> frozenset[str]:
    """Return the name of every variable that is read."""
    return DEPLOYMENT | frozenset(name for kind in _classes() for name in _names_of(kind))


def unknown_settings(environment: Mapping[str, str] | None = None) -> list[UnknownSetting]:
    """Return what is set in the environment or in ``.env`` and nobody reads, by name.

    In the environment only what resembles a setting: programs of others may use a prefix of ours. In the file, which is
    ours, every name with one of our prefixes.
    """
    known = known_names()
    in_file = set(_with_own_prefix(_file_names(), known))
    in_environment = set(_with_own_prefix(os.environ if environment is None else environment, known))
    found = [UnknownSetting(name, _nearest(name, known)) for name in sorted(in_file | in_environment)]
    return [one for one in found if one.meant is not None or one.name in in_file]


def _nearest(name: str, known: Iterable[str]) -> str | None:
    return next(iter(get_close_matches(name.upper(), sorted(known), 1, _LIKE_ENOUGH)), None)


def _with_own_prefix(names: Iterable[str], known: frozenset[str]) -> Iterator[str]:
    prefixes = tuple({f"{name.partition('_')[0]}_" for name in known})
    unread = (name for name in names if name.upper() not in known)
    return (name for name in unread if name.upper().startswith(prefixes) or name.upper() in OF_OLD_SYSTEM)


def in_env_file() -> dict[str, str | None]:
    """Return what stands in the firm's ``.env``. Raises ``SettingsError``."""
    file = settings.VmhSettings.model_config.get("env_file")
    return read_env_file(Path(file)) if isinstance(file, str | Path) else {}


def _file_names() -> Iterable[str]:
    try:
        return in_env_file()
    except SettingsError:
        return ()  # reading the settings themselves says so


def _classes() -> Iterator[type[BaseSettings]]:
    for kind in vars(settings).values():
        if isinstance(kind, type) and issubclass(kind, BaseSettings):
            yield kind


def _names_of(kind: type[BaseSettings]) -> Iterator[str]:
    prefix = str(kind.model_config.get("env_prefix") or "")
    for name, info in kind.model_fields.items():
        yield info.alias or f"{prefix}{name}".upper()
