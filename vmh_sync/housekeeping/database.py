"""Removes from our database what nobody needs any more (specification, sync-semantics.md 7).

What waits, is open or is still linked is never touched. Inbox rows need no cleaning: a run deletes what it has done.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from vmh_sync.engine.passes.approved_plan import forget_expired
from vmh_sync.store import Store, Transaction

SETTLED_INTENTS = timedelta(days=90)
"""A settled create serves only to understand what happened; its natural key holds personal values."""

UNANSWERED_INTENTS = timedelta(days=1)
"""A create without an answer of a record that is linked by now: longer than any request lives."""

CLOSED_TASKS = timedelta(days=365)
"""Our row of a closed task. The task itself stays in EspoCRM, the conflict in the audit log."""

DEAD_PAIRS = timedelta(days=90)
"""What stood in an appointment that exists no more. Its event ids stay known for ever."""

PASSES = timedelta(days=90)
"""Summaries of runs, for the metrics; the totals stay."""

SLICE = 1000
"""Rows per transaction: on SQLite nobody else can write meanwhile."""


def clean_tables(store: Store, now: datetime, *, audit_days: int) -> dict[str, int]:
    """Delete or settle what is older than its time; returns how many rows of each kind.

    ``audit_days`` is how long the audit log is kept. Raises ``StoreUnavailable``; what was deleted until then stays
    deleted, and the next night goes on.
    """
    audit = now - timedelta(days=audit_days)
    linked = (now - UNANSWERED_INTENTS, now + UNANSWERED_INTENTS)
    return {
        "audit_rows": _in_slices(store, lambda tx: tx.audit.purge(audit, SLICE)),
        "linked_intents": _at_once(store, lambda tx: tx.intents.settle_linked(*linked)),
        "settled_intents": _in_slices(store, lambda tx: tx.intents.purge(now - SETTLED_INTENTS, SLICE)),
        "closed_tasks": _in_slices(store, lambda tx: tx.tasks.purge(now - CLOSED_TASKS, SLICE)),
        "dead_calendar_pairs": _in_slices(store, lambda tx: tx.calendar_pairs.purge(now - DEAD_PAIRS, SLICE)),
        "emptied_calendar_pairs": _in_slices(store, lambda tx: tx.calendar_pairs.empty(now - DEAD_PAIRS, SLICE)),
        "expired_plans": _at_once(store, lambda tx: forget_expired(tx, now)),
        "pass_summaries": _at_once(store, lambda tx: tx.passes.purge(now - PASSES)),
    }


def _in_slices(store: Store, delete: Callable[[Transaction], int]) -> int:
    total = 0
    while True:
        deleted = _at_once(store, delete)
        total += deleted
        if deleted < SLICE:
            return total


def _at_once(store: Store, delete: Callable[[Transaction], int]) -> int:
    with store.transaction() as tx:
        return delete(tx)
