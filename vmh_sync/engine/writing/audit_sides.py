"""How the audit log spells the two systems of record."""

from typing import Literal

from vmh_sync.sync.base import Side


def stored_side(side: Side | None) -> Literal["advoware", "espocrm"] | None:
    """Return a side as audit rows hold it."""
    if side is None:
        return None
    return "advoware" if side is Side.ADVOWARE else "espocrm"
