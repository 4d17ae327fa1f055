"""How the house stands by our own database: per entity what is linked, waits, failed and was done last.

Reads only. No value of a record comes out: ids, counts, times and the German sentences of the ledger.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from vmh_sync.clock import Clock
from vmh_sync.engine.passes.approved_plan import waiting_plans
from vmh_sync.entities import KALENDER, every, with_records
from vmh_sync.store.calendars.calendar import CalendarState
from vmh_sync.store.history.metrics import PassSummary
from vmh_sync.store.pairs.records import SyncRecord
from vmh_sync.store.store import Store, Transaction

MOST_FAILED = 200
"""Failed records that are listed; all are counted."""


@dataclass(frozen=True, slots=True)
class FailedRecord:
    """One record, or one employee's calendar, that could not be synced. ``error`` is German, without values."""

    entity: str
    id: str
    betnr: int | None
    status: str
    error: str
    since: datetime | None
    next_try: datetime | None = None
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class EntityStatus:
    """How one entity stands. ``statuses`` are the ledger's: it only holds records that were in trouble once."""

    name: str
    label: str
    linked: int = 0
    deleted: int = 0
    waiting: int = 0
    in_work: int = 0
    oldest_waiting: datetime | None = None
    statuses: Mapping[str, int] = field(default_factory=dict)
    failed: int = 0
    permanently_failed: int = 0
    different: int = 0
    conflicts: int = 0
    open_tasks: int = 0
    last_pass: PassSummary | None = None
    last_success: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoppedPass:
    """What a guard stopped: it waits, with its plan, for a person's word."""

    entity: str
    plan_id: str
    records: int
    at: datetime


@dataclass(frozen=True, slots=True)
class HouseStatus:
    """How everything stands at ``at``, by our own database."""

    at: datetime
    entities: tuple[EntityStatus, ...]
    failures: tuple[FailedRecord, ...]
    stopped: tuple[StoppedPass, ...] = ()

    def entity(self, name: str) -> EntityStatus:
        """Return how one entity stands. Raises ``KeyError``."""
        for one in self.entities:
            if one.name == name:
                return one
        raise KeyError(name)


def read_house(store: Store, clock: Clock) -> HouseStatus:
    """Read how everything stands. Raises ``StoreError``."""
    now = clock.now()
    with store.reading() as tx:
        statuses, different = tx.records.counts(), tx.records.different()
        entities, failures = [], list[FailedRecord]()
        for known in every():
            if known.name == KALENDER.name:
                entities.append(_calendars(tx, known.label, failures))
                continue
            failures += _failed_records(tx, known.name)
            own = {status: n for (entity, status), n in statuses.items() if entity == known.name}
            entities.append(_records(tx, known.name, known.label, own, different.get(known.name, 0), now))
    stopped = [StoppedPass(p.entity, p.id, len(p.records), p.created_at) for p in waiting_plans(store, clock)]
    return HouseStatus(now, tuple(entities), tuple(failures), tuple(stopped))


def _records(
    tx: Transaction, name: str, label: str, statuses: Mapping[str, int], different: int, now: datetime
) -> EntityStatus:
    has_inbox = name in {entity.name for entity in with_records()}
    recent = tx.passes.recent(name, 1)
    return EntityStatus(
        name,
        label,
        linked=tx.links.count(name, "active"),
        deleted=tx.links.count(name) - tx.links.count(name, "active"),
        waiting=tx.inbox.pending_count(name, now) if has_inbox else 0,
        in_work=tx.inbox.claimed_count(name) if has_inbox else 0,
        oldest_waiting=tx.inbox.oldest_pending(name, now) if has_inbox else None,
        statuses=dict(statuses),
        failed=statuses.get("failed", 0),
        permanently_failed=statuses.get("permanently_failed", 0),
        different=different,
        conflicts=statuses.get("conflict", 0) - different,
        open_tasks=len({task.espo_task_id or task.id for task in tx.tasks.waiting(name)}),
        last_pass=recent[0] if recent else None,
        last_success=recent[0].finished_at if recent else None,
    )


def _failed_records(tx: Transaction, entity: str) -> list[FailedRecord]:
    records = tx.records.failed(entity, MOST_FAILED)
    links = tx.links.get_many(entity, [record.espo_id for record in records])
    return [_failed(record, links) for record in records]


def _failed(record: SyncRecord, links: Mapping[str, Any]) -> FailedRecord:
    link = links.get(record.espo_id)
    return FailedRecord(
        record.entity,
        record.espo_id,
        link.betnr if link is not None else None,
        record.status,
        record.error_text or "unbekannter Fehler",
        record.updated_at,
        record.next_retry_at or record.auto_reset_at,
        record.run_id,
    )


def _calendars(tx: Transaction, label: str, failures: list[FailedRecord]) -> EntityStatus:
    states = tx.calendar_states.all()
    recent = tx.passes.recent(KALENDER.name, 1)
    failed = [state for state in states if state.last_error]
    failures += [_failed_calendar(state) for state in failed]
    failures += _failed_records(tx, KALENDER.name)
    return EntityStatus(
        KALENDER.name,
        label,
        linked=sum(tx.calendar_pairs.counts().values()),
        statuses=tx.records.counts_of(KALENDER.name),
        failed=len(failed),
        open_tasks=len(tx.tasks.not_closed(KALENDER.name)),
        last_pass=recent[0] if recent else None,
        last_success=_oldest_success(states),
    )


def _oldest_success(states: Sequence[CalendarState]) -> datetime | None:
    known = [state.last_success_at for state in states if state.last_success_at is not None]
    return min(known, default=None)


def _failed_calendar(state: CalendarState) -> FailedRecord:
    error = state.last_error or ""
    return FailedRecord(KALENDER.name, state.kuerzel, None, "failed", error, state.updated_at)
