"""Failed appointments: tried again after growing delays and anew after a day, as every record (sync-semantics.md 4).

A failed one of which nobody has changed either side since is neither read nor written before it is due. What was to be
done, and what Advoware said, is kept with the failure: when either moves, it is tried at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from vmh_sync.engine.failures.ledger import Failing, entry_of_failure, waits_for_next_try
from vmh_sync.kalender.decision.employee_plan import PlanItem
from vmh_sync.kalender.decision.reads import advoware_views
from vmh_sync.kalender.form.content_hash import content_hash
from vmh_sync.kalender.model import CalendarRules, TerminFields
from vmh_sync.kalender.state.frozen_plan import item_print
from vmh_sync.kalender.state.pair_rows import ENTITY
from vmh_sync.store.pairs.records import SyncRecord
from vmh_sync.store.store import Transaction
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync.sync.reporting.status import AUTO_RESET_AFTER


@dataclass(frozen=True, slots=True)
class Attempt:
    """A failed appointment: how it stands, what was to be done, its event, and what its Termin said (hash)."""

    record: SyncRecord
    plan: str
    event_id: str | None
    termin: str

    def waits(self, now: datetime) -> bool:
        """Tell whether its next try has not come yet."""
        return waits_for_next_try(self.record, now)

    def outcome(self) -> RecordOutcome:
        """Return how it ends in a pass that leaves it alone."""
        moment = self.record.next_retry_at or self.record.auto_reset_at
        when = f" (nächster Versuch {moment:%d.%m. %H:%M} UTC)" if moment is not None else ""
        return RecordOutcome(self.record.espo_id, Result.SKIPPED, error=f"{self.record.error_text}{when}")


Attempts = Mapping[str, Attempt]
"""By the name of the appointment in outcomes and in the audit log."""


def failing_cursor(kuerzel: str) -> str:
    """Return the cursor name that holds what was to be done to the appointments that fail."""
    return f"kalender:failing:{kuerzel}"


def read_attempts(tx: Transaction, kuerzel: str) -> Attempts:
    """Return the failed appointments of one employee."""
    kept: dict[str, list[str | None]] = tx.cursors.get(failing_cursor(kuerzel)) or {}
    known = tx.records.get_many(ENTITY, kept)
    return {
        name: Attempt(known[name], str(plan), event_id, str(termin))
        for name, (plan, event_id, termin) in kept.items()
        if name in known
    }


def held_back(attempts: Attempts, termine: Iterable[TerminFields], rules: CalendarRules, now: datetime) -> Attempts:
    """Return those that wait and whose Termin says what it said; their event need not be read."""
    said = termin_hashes(termine, rules)
    return {name: one for name, one in attempts.items() if one.waits(now) and said.get(_number(name), "") == one.termin}


def termin_hashes(termine: Iterable[TerminFields], rules: CalendarRules) -> dict[str, str]:
    """Return number → hash of what each readable Termin says."""
    views, _ = advoware_views(termine, rules)
    return {str(number): content_hash(view.form) for number, view in views.items() if view.form is not None}


def _number(name: str) -> str:
    return name.rpartition("/")[2]


def left_alone(name: str, item: PlanItem, attempts: Attempts, held: Attempts, now: datetime) -> RecordOutcome | None:
    """Return how an appointment ends that waits: not read, or to be tried exactly as it failed; ``None`` for others."""
    if name in held:
        return held[name].outcome()
    one = attempts.get(name)
    if one is None or not item.decision.operations or not one.waits(now) or one.plan != item_print(item):
        return None
    return one.outcome()


@dataclass(frozen=True, slots=True)
class Failures:
    """What a pass leaves in the ledger: the failed ones with what was to be done, and the names of those that wait."""

    failed: tuple[tuple[RecordOutcome, PlanItem], ...] = ()
    waiting: frozenset[str] = frozenset()


def keep_failures(
    tx: Transaction,
    kuerzel: str,
    failures: Failures,
    attempts: Attempts,
    said: Mapping[str, str],
    *,
    now: datetime,
    run_id: str,
) -> None:
    """Enter what failed, keep what waits, and forget the rest: in order again, or gone."""
    kept = {name: [one.plan, one.event_id, one.termin] for name, one in attempts.items() if name in failures.waiting}
    entries = []
    for outcome, item in failures.failed:
        plan, before = item_print(item), attempts.get(outcome.id)
        known = before.record if before is not None and before.plan == plan else None
        entry = entry_of_failure(Failing(ENTITY, outcome.id, known, None), outcome, now=now, run_id=run_id)
        if entry.status == "permanently_failed" and entry.auto_reset_at is None:
            # What a side refuses is tried again daily.
            entry = replace(entry, auto_reset_at=now + AUTO_RESET_AFTER)
        entries.append(entry)
        kept[outcome.id] = [plan, item.event_id, said.get(_number(outcome.id), "")]
    if not kept and not attempts:
        return
    tx.records.forget(ENTITY, [name for name in attempts if name not in kept])
    tx.records.upsert(entries)
    tx.cursors.set(failing_cursor(kuerzel), kept)
