"""Remembers how the scratch party was, so that a probe that was killed can still put it back."""

import json
import os
from pathlib import Path

from vmh_sync.probe.calls import Json

_OWNER_ONLY = 0o600


class Restore:
    """The file ``VMH_HOME/probe-original.json``: there from before the first change until all is put back."""

    def __init__(self, home: Path) -> None:
        self._path = home / "probe-original.json"

    def read(self, betnr: int) -> Json | None:
        """Return the party as it was before a probe that did not end, ``None`` if there was none of this number."""
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return dict(kept) if kept.get("betNr") == betnr else None

    def keep(self, party: Json) -> None:
        """Remember the party; it is on the disk when this returns. Raises ``OSError``."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(party, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)

    def forget(self) -> None:
        """All is put back."""
        self._path.unlink(missing_ok=True)
