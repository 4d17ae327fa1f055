"""Remembers how the scratch party or record was, so that a probe that was killed can still put it back."""

import json
from pathlib import Path
from typing import Any

from vmh_sync.whole_file import write_whole

Json = dict[str, Any]


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
        write_whole(self._path, json.dumps(party, ensure_ascii=False))

    def forget(self) -> None:
        """All is put back."""
        self._path.unlink(missing_ok=True)
