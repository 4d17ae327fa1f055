"""Which rights the API user needs, and which of them are missing. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from vmh_sync.entities import with_records

NEEDED: Mapping[str, Sequence[str]] = {
    "CBeteiligte": ("read", "edit"),
    "CAdressen": ("create", "read", "edit"),
    "CBankverbindungen": ("create", "read", "edit"),
    "Task": ("create", "read", "edit"),
    "User": ("read",),
    "Webhook": (),
}
_WORDS = {"create": "anlegen", "read": "lesen", "edit": "ändern"}


def lacking_rights(table: Mapping[str, object]) -> list[str]:
    """Return ``CAdressen: anlegen, ändern`` for every type that lacks rights; ``table`` as ``App/user`` has it."""
    lacking = []
    own = {entity.espocrm: ("create", "read", "edit") for entity in with_records() if entity.room and entity.espocrm}
    for entity, actions in {**NEEDED, **own}.items():
        given = table.get(entity)
        missing = [_WORDS[action] for action in actions if not _is_allowed(given, action)]
        if not actions and not given:
            missing = ["benutzen"]
        if missing:
            lacking.append(f"{entity}: {', '.join(missing)}")
    return lacking


def _is_allowed(given: Any, action: str) -> bool:
    if isinstance(given, Mapping):
        return bool(given.get(action, "no") != "no")
    return given is True
