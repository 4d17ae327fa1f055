"""Changes one record in an answer into something that no sane system says."""

import json
from typing import Any

from vmh_sync.sandbox.faults import FaultRule

_PLACE = "@@tampered@@"


def tampered(content: bytes, rule: FaultRule) -> bytes:
    """Return the answer with the rule's records changed; an answer that is no JSON, or holds none, as it is.

    ``rule.body`` is put in as raw text, so that it may hold what JSON cannot say.
    """
    try:
        answer = json.loads(content)
    except ValueError:
        return content
    changed = _walk(answer, rule)
    text = json.dumps(changed)
    raw = rule.body if rule.body is not None else "null"
    return text.replace(json.dumps(_PLACE), raw).encode("utf-8", "surrogateescape")


def _walk(value: Any, rule: FaultRule) -> Any:
    if isinstance(value, list):
        return [_walk(item, rule) for item in value]
    if not isinstance(value, dict):
        return value
    found = {name: _walk(inner, rule) for name, inner in value.items()}
    if not rule.where or any(value.get(name) != wanted for name, wanted in rule.where.items()):
        return found
    if rule.field is None:
        return _PLACE
    return {**found, rule.field: _PLACE} if rule.field in found else found
