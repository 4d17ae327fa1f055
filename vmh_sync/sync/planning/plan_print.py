"""What tells one plan from another: the same operations with the same old and new values. Pure."""

import hashlib
import json
from collections.abc import Iterable

from vmh_sync.sync.planning.plan import Operation, RecordPlan


def operation_print(operation: Operation) -> str:
    """Return what an operation is known by: side, action, record, and each field with its old and new value."""
    changes = sorted([change.field, _text(change.old), _text(change.new)] for change in operation.changes)
    return print_of([str(operation.side), str(operation.action), operation.entity, operation.key, changes])


def prints_of(plans: Iterable[RecordPlan]) -> frozenset[str]:
    """Return the prints of all operations of a record's plans."""
    return frozenset(operation_print(operation) for plan in plans for operation in plan.operations)


def plan_hash(entity: str, records: Iterable[tuple[str, frozenset[str]]]) -> str:
    """Return the hash of a whole plan: which records, and what is done to each."""
    return print_of([entity, sorted([record, sorted(prints)] for record, prints in records)])


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)


def print_of(value: object) -> str:
    """Return the print of plain data."""
    return hashlib.sha256(_text(value).encode()).hexdigest()
