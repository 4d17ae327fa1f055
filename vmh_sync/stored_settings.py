"""What stands in ``VMH_HOME``: the embedded database, and a file of the settings that ``crm setup`` found out.

The environment and the ``.env`` file go before it, so an operator can always overrule it.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field
from pydantic_settings import PydanticBaseSettingsSource

from vmh_sync.env_file import EnvFileSource, EnvSettings, read_env_file
from vmh_sync.whole_file import write_whole

FILE_NAME = "espocrm.env"


def default_url(home: Path) -> str:
    """Return the URL of the embedded database inside ``VMH_HOME`` (design.md 4)."""
    return f"sqlite:///{home.resolve() / 'vmh_sync.sqlite3'}"


class _HomeSettings(EnvSettings):
    """Only where the house is."""

    home: Path = Field(Path(".vmh"), alias="VMH_HOME")


class StoredBesides(EnvSettings):
    """Settings of which ``crm setup`` may have stored a part."""

    @classmethod
    def last_sources(cls) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the file of what was stored."""
        return (EnvFileSource(cls, env_file=_HomeSettings().home / FILE_NAME),)


def secrets_text(secrets: Mapping[str, str]) -> str:
    """Return the secrets as ``ESPOCRM_WEBHOOK_SECRETS`` holds them."""
    return json.dumps(dict(sorted(secrets.items())))


class StoredSettings:
    """The file ``VMH_HOME/espocrm.env``; each change is complete or not there at all, whatever is killed when."""

    def __init__(self, home: Path) -> None:
        self.path = home / FILE_NAME

    def read(self) -> dict[str, str]:
        """Return what is stored."""
        return {name: value for name, value in read_env_file(self.path).items() if value is not None}

    def keep(self, name: str, value: str) -> None:
        """Store one setting; the others stay."""
        values = self.read() | {name: value}
        text = "# Von `vmh-sync crm setup` gemerkt; Umgebung und .env gehen vor.\n"
        text += "".join(f"{key}='{values[key]}'\n" for key in sorted(values))
        write_whole(self.path, text)
