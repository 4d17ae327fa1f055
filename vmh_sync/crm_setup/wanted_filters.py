"""The saved searches that everybody gets: what failed, waits, needs a decision, stays different. Pure data.

They stand in each user's preferences (``presetFilters``), the only filters that can be made over the API. What a search
looks like there was read in the sources of EspoCRM's front end (9.3.9).
"""

from collections.abc import Mapping, Sequence
from typing import Any

MARK = "vmhSync"
"""Key in ``presetFilters`` that lists the entity types whose searches were given once: who deletes one keeps it so."""

Preset = dict[str, Any]


def _states(*words: str) -> dict[str, Any]:
    values = list(words)
    return {"syncStatus": {"type": "in", "value": values, "data": {"type": "anyOf", "valueList": values}}}


def _starting(text: str) -> dict[str, Any]:
    return {"syncErrorMessage": {"type": "startsWith", "value": text, "data": {"type": "startsWith", "value": text}}}


def _preset(name: str, label: str, data: dict[str, Any]) -> Preset:
    return {"id": f"vmh{name}", "name": f"vmh{name}", "label": label, "data": data, "primary": None}


_FAILED = _preset("Failed", "Abgleich: fehlgeschlagen", _states("failed", "permanently_failed"))
_WAITING = _preset("Waiting", "Abgleich: wartet", _states("pending_sync", "dirty"))
_CONFLICT = _preset("Conflict", "Abgleich: Entscheidung nötig", _states("conflict"))
_DIFFERENT = _preset("Different", "Abgleich: verschieden", _starting("Verschieden"))
_ACCOUNT_WAITING = _preset("Waiting", "Abgleich: wartet", _states("unclean"))
_ACCOUNT_FAILED = _preset("Failed", "Abgleich: fehlgeschlagen", _states("failed"))

PRESETS: Mapping[str, Sequence[Preset]] = {
    "CBeteiligte": (_FAILED, _WAITING, _CONFLICT, _DIFFERENT),
    "CAdressen": (_FAILED, _WAITING, _CONFLICT, _DIFFERENT),
    "CBankverbindungen": (_ACCOUNT_FAILED, _ACCOUNT_WAITING),
}


def with_presets(stored: object) -> dict[str, Any] | None:
    """Return a user's ``presetFilters`` with ours added; ``None`` when everything was given before."""
    filters: dict[str, Any] = dict(stored) if isinstance(stored, Mapping) else {}
    given = filters.get(MARK)
    known = [str(entity) for entity in given] if isinstance(given, list) else []
    lacking = [entity for entity in PRESETS if entity not in known]
    if not lacking:
        return None
    for entity in lacking:
        old = filters.get(entity)
        filters[entity] = [*(old if isinstance(old, list) else []), *PRESETS[entity]]
    return filters | {MARK: [*known, *lacking]}
