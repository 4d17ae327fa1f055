"""Reads a ``.env`` file; what stands in single quotes is taken as it stands, as a shell and Docker Compose do.

The library behind it replaces ``$NAME`` and removes backslashes there too, and so changes passwords.
"""

import os
import re
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from dotenv.parser import parse_stream
from dotenv.variables import parse_variables
from pydantic_settings import BaseSettings, DotEnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.sources.utils import parse_env_vars

from vmh_sync.settings_loading import SettingsError

_LITERAL = re.compile(
    r"""^(?P<name>[^\S\n]*(?:export[^\S\n]+)?[A-Za-z_][A-Za-z0-9_.]*[^\S\n]*=[^\S\n]*)"""
    r"""'(?P<value>[^\n]*?)'[^\S\n]*(?P<rest>\#[^\n]*)?$""",
    re.MULTILINE,
)
_PLACE = "\N{SYMBOL FOR SUBSTITUTE}vmh"
"""Stands for a literal value while the rest is parsed; a character that nobody types."""


def env_values(text: str) -> dict[str, str | None]:
    """Return the settings of a file's text; the last of a name counts, a name without ``=`` has no value."""
    literals: list[str] = []

    def put_aside(found: "re.Match[str]") -> str:
        literals.append(found["value"])
        return f"{found['name']}{_PLACE}{len(literals) - 1}"

    values: dict[str, str | None] = {}
    for name, raw in _parsed(_LITERAL.sub(put_aside, text.replace("\r\n", "\n"))):
        if raw is None or not raw.startswith(_PLACE):
            values[name] = raw if raw is None else _resolved(raw, values)
        else:
            values[name] = literals[int(raw.removeprefix(_PLACE))]
    return values


def _parsed(text: str) -> Iterator[tuple[str, str | None]]:
    for binding in parse_stream(StringIO(text)):
        if binding.key is not None:
            yield binding.key, binding.value


def _resolved(raw: str, values: Mapping[str, str | None]) -> str:
    known = {**values, **os.environ}
    return "".join(atom.resolve(known) for atom in parse_variables(raw))


def read_env_file(path: Path, encoding: str = "utf-8-sig") -> dict[str, str | None]:
    """Return the settings of a file, nothing when there is no such file.

    Raises ``SettingsError`` that names the file and what to do when it cannot be read.
    """
    try:
        return env_values(path.read_text(encoding=encoding))
    except FileNotFoundError:
        return {}
    except OSError:
        raise SettingsError(
            f"Die Datei {path.absolute()} ist für diesen Benutzer nicht lesbar: Besitzer und Rechte prüfen."
        ) from None
    except UnicodeDecodeError:
        raise SettingsError(f"Die Datei {path.absolute()} ist kein Text in UTF-8: bitte so speichern.") from None


class EnvFileSource(DotEnvSettingsSource):
    """The ``.env`` file as a source of settings."""

    def __call__(self) -> dict[str, Any]:
        """Return what stands in the file; without one nobody goes through all the fields."""
        return super().__call__() if self.env_vars else {}

    @staticmethod
    def _static_read_env_file(
        file_path: Path,
        *,
        encoding: str | None = None,
        case_sensitive: bool = False,
        ignore_empty: bool = False,
        parse_none_str: str | None = None,
    ) -> Mapping[str, str | None]:
        values = read_env_file(file_path, encoding or "utf-8-sig")
        return parse_env_vars(values, case_sensitive, ignore_empty, parse_none_str)


class EnvSettings(BaseSettings):
    """A class of settings: from the environment, and where it says nothing from the ``.env`` file."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", env_ignore_empty=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the ``.env`` file in our way."""
        file = dotenv_settings.env_file if isinstance(dotenv_settings, DotEnvSettingsSource) else None
        dotenv = EnvFileSource(settings_cls, env_file=file)
        return init_settings, env_settings, dotenv, file_secret_settings, *cls.last_sources()

    @classmethod
    def last_sources(cls) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return what is asked last of all, so that environment and ``.env`` overrule it."""
        return ()
