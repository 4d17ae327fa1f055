"""Remembers how the scratch party or record was, so that a probe that was killed can still put it back."""

import json
import os
from pathlib import Path
from typing import Any

Json = dict[str, Any]
_OWNER_ONLY = 0o600


class Restore:
    """A file in ``VMH_HOME``: there from before the first change until all is put back.

    ``key`` is the attribute that names the record.
    """

    def __init__(self, home: Path, name: str = "probe-original.json", key: str = "betNr") -> None:
        self._path, self._key = home / name, key

    def read(self, wanted: int | str) -> Json | None:
        """Return the record as it was before a probe that did not end, ``None`` if there was none of this key."""
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return dict(kept) if kept.get(self._key) == wanted else None

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
