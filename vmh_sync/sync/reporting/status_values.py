"""What must be written so that a record's bookkeeping says what is wanted (sync-semantics.md 3, 4). Pure.

Installations keep the same value in fields of different types: an id as number or text, a moment with or without a
fraction. What means the same is never written again. Nor is what an installation ignores or alters: it is remembered
what was sent and what became of it, and as long as both stand, writing once more would change nothing.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from vmh_sync.sync.base import Side
from vmh_sync.sync.planning.plan import Finding

Kept = Mapping[str, tuple[str, str]]
"""What was sent and what EspoCRM made of it, by attribute, in comparable form."""

STATUS_ATTRIBUTES = (
    "syncStatus",
    "syncErrorMessage",
    "syncRetryCount",
    "syncNextRetry",
    "syncAutoResetAt",
    "advowareLastSync",
    "advowareRowId",
    "advowareDeletedAt",
)
"""EspoCRM attributes that the product keeps on every record, as far as the installation has them."""

STAMPS = frozenset({"advowareLastSync", "advowareRowId"})
"""They go along with other writes and are never a reason for one."""


def differing(
    wanted: Mapping[str, object], attributes: Mapping[str, object], kept: Kept = MappingProxyType({})
) -> dict[str, Any]:
    """Return the wanted values that the record does not say yet.

    Left out are attributes that it does not have, and values that were sent before and ``kept`` differently.
    """
    return {
        name: value
        for name, value in wanted.items()
        if name in attributes
        and _meaning(attributes[name]) != _meaning(value)
        and kept.get(name) != (_meaning(value), _meaning(attributes[name]))
    }


def kept_after(sent: Mapping[str, object], attributes: Mapping[str, object], kept: Kept) -> dict[str, tuple[str, str]]:
    """Return what is kept differently after ``sent`` was written and ``attributes`` came back."""
    now = {
        name: (_meaning(value), _meaning(attributes[name]))
        for name, value in differing(sent, attributes).items()
        if name not in STAMPS
    }
    return {name: both for name, both in kept.items() if name not in sent} | now


def newly_kept(before: Kept, now: Kept) -> list[Finding]:
    """Return what is new about values that EspoCRM does not keep as they are sent."""
    return [
        Finding(
            name,
            Side.ESPOCRM,
            f"EspoCRM übernimmt das Feld „{name}“ nicht so, wie der Abgleich es schreibt; bitte Typ und Rechte des "
            "Feldes prüfen („vmh-sync crm setup“).",
        )
        for name in now
        if name not in before
    ]


def _meaning(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return str(value).strip()
