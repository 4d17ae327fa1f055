"""Settings that set-up finds out: kept in a file of ``VMH_HOME`` that every process of the product reads.

The environment and the ``.env`` file go before it (``settings``), so an operator can always overrule it.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from vmh_sync.settings import STORED_SETTINGS

OWNER_ONLY = 0o600


def secrets_text(secrets: Mapping[str, str]) -> str:
    """Return the secrets as ``ESPOCRM_WEBHOOK_SECRETS`` holds them."""
    return json.dumps(dict(sorted(secrets.items())))


class StoredSettings:
    """The file ``VMH_HOME/espocrm.env``; each change is complete or not there at all, whatever is killed when."""

    def __init__(self, home: Path) -> None:
        self.path = home / STORED_SETTINGS

    def read(self) -> dict[str, str]:
        """Return what is stored."""
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return {}
        pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
        return {name: value.strip("'") for name, _, value in pairs}

    def keep(self, name: str, value: str) -> None:
        """Store one setting; the others stay."""
        values = self.read() | {name: value}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = "# Von `vmh-sync crm setup` gemerkt; Umgebung und .env gehen vor.\n"
        text += "".join(f"{key}='{values[key]}'\n" for key in sorted(values))
        handle, name_of_new = tempfile.mkstemp(dir=self.path.parent, prefix=f".{STORED_SETTINGS}.")
        with os.fdopen(handle, "w", encoding="utf-8") as new:
            new.write(text)
            new.flush()
            os.fsync(new.fileno())
        Path(name_of_new).chmod(OWNER_ONLY)
        Path(name_of_new).replace(self.path)
