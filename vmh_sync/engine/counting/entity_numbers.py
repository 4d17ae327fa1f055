"""The numbers of one entity at one moment, by our own database: what people plot over time."""

from dataclasses import dataclass
from datetime import datetime

from vmh_sync.entities import KALENDER, with_records
from vmh_sync.store.store import Transaction


@dataclass(frozen=True, slots=True)
class EntityNumbers:
    """``in_step``: linked and in no trouble; ``different``: a task is open; ``oldest_seconds``: age of what waits."""

    in_step: int = 0
    different: int = 0
    failed: int = 0
    permanently_failed: int = 0
    waiting: int = 0
    oldest_seconds: float = 0.0
    open_tasks: int = 0


def read_numbers(tx: Transaction, entity: str, now: datetime) -> EntityNumbers:
    """Return the numbers of an entity. Blocking. Raises ``StoreError``."""
    statuses = tx.records.counts_of(entity)
    if entity == KALENDER.name:
        pairs = tx.calendar_pairs.counts_by_status()
        return EntityNumbers(
            in_step=pairs.get("synced", 0),
            different=pairs.get("not_representable", 0),
            failed=statuses.get("failed", 0) + statuses.get("permanently_failed", 0),
            permanently_failed=statuses.get("permanently_failed", 0),
            waiting=pairs.get("pending", 0),
        )
    oldest = [tx.records.oldest_dirty(entity)]
    waiting = 0
    if entity in {known.name for known in with_records()}:
        waiting = tx.inbox.pending_count(entity, now)
        oldest.append(tx.inbox.oldest_pending(entity, now))
    ages = [(now - moment).total_seconds() for moment in oldest if moment is not None]
    return EntityNumbers(
        in_step=tx.links.in_step(entity),
        different=statuses.get("conflict", 0),
        failed=statuses.get("failed", 0) + statuses.get("permanently_failed", 0),
        permanently_failed=statuses.get("permanently_failed", 0),
        waiting=waiting,
        oldest_seconds=max(0.0, *ages) if ages else 0.0,
        open_tasks=tx.tasks.count_open(entity),
    )
