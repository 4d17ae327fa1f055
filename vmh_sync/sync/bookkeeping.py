"""What must be written so that a record's bookkeeping says what is wanted (sync-semantics.md 3, 4). Pure.

Installations keep the same value in fields of different types: an id as number or text, a moment with or without a
fraction. What means the same is never written again.
"""

from collections.abc import Mapping
from typing import Any


def differing(wanted: Mapping[str, Any], attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the wanted values that the record does not say yet; attributes that it does not have are left out."""
    return {
        name: value
        for name, value in wanted.items()
        if name in attributes and _meaning(attributes[name]) != _meaning(value)
    }


def _meaning(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return str(value).strip()
