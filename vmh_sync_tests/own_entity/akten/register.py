"""The other side: the firm's register of files, here a JSON file (``AKTEN_REGISTER``) in place of a real system."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vmh_sync.systems.advoware.records import WireRecord


class Akte(WireRecord):
    """A file as the register tells it."""

    id: int


def _path() -> Path:
    return Path(os.environ["AKTEN_REGISTER"])


def _rows() -> list[dict[str, Any]]:
    return json.loads(_path().read_text(encoding="utf-8")) if _path().exists() else []


def listed(betnr: int) -> list[Akte]:
    """Return the files of a party."""
    return [Akte.model_validate(row) for row in _rows() if row["betNr"] == betnr]


def created(betnr: int, values: Mapping[str, Any]) -> Akte:
    """Add a file; returns it with its number."""
    rows = _rows()
    row = {"id": len(rows) + 1, "betNr": betnr, **values}
    _path().write_text(json.dumps([*rows, row]), encoding="utf-8")
    return Akte.model_validate(row)


def replaced(number: int, values: Mapping[str, Any]) -> Akte:
    """Change a file; returns it as it stands now."""
    rows = _rows()
    row = next(row for row in rows if row["id"] == number)
    row.update(values)
    _path().write_text(json.dumps(rows), encoding="utf-8")
    return Akte.model_validate(row)
