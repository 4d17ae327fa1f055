"""Plans that a person approves: stored with what they would do, and carried out exactly or not at all.

A record whose sides have moved since is planned differently now, and so is left alone (sync-semantics.md 2). Stored
plans hold values, in our database only, and for a day.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from vmh_sync.clock import Clock
from vmh_sync.store.history.audit import Change
from vmh_sync.store.store import Store, Transaction
from vmh_sync.sync.planning.guards import GuardTripped
from vmh_sync.sync.planning.plan import RecordPlan
from vmh_sync.sync.planning.plan_print import plan_hash, prints_of

LIFETIME = timedelta(hours=24)
STOPPED = "angehalten wegen Massenänderung"
"""What a plan came from (German, shown to people) that a guard stopped: it waits for a person."""
_PREFIX = "plan:"
_ID_LENGTH = 12


class NoPlan(Exception):
    """There is no such plan to apply; ``str`` says why, in German."""


class PlanMoved(GuardTripped):
    """A record is to be changed otherwise than the plan says; nothing more is written to it."""

    def __init__(self) -> None:
        super().__init__("Seit dem Plan hat sich dieser Datensatz geändert; er wurde nicht geschrieben. Neu planen.")


@dataclass(frozen=True, slots=True, repr=False)
class StoredPlan:
    """One plan: ``records`` holds each record's prints, ``rows`` what people see of it (with values).

    ``asked`` is how the pass was asked for beside its records, where that changes what is planned.
    """

    id: str
    hash: str
    entity: str
    why: str
    created_at: datetime
    expires_at: datetime
    records: Mapping[str, frozenset[str]]
    rows: Sequence[Mapping[str, object]] = ()
    approved_by: str | None = None
    asked: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ids(self) -> list[str]:
        """The records that the plan is about."""
        return list(self.records)


@dataclass(slots=True, repr=False)
class Approval:
    """What a person approved, for one pass: asked about each record before it is written for the first time."""

    records: Mapping[str, frozenset[str]]
    _prints: frozenset[str] = frozenset()
    _begun: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Put all prints together: a child's operations are planned with those of its party."""
        self._prints = frozenset().union(*self.records.values())

    def check(self, plans: Sequence[RecordPlan]) -> None:
        """Raise :class:`PlanMoved` when a plan that was made under the lease does anything that was not approved.

        Later rounds about the same record answer to what its own write has found, and are guarded like any other.
        """
        names = {str(plan.espo_id or plan.betnr) for plan in plans}
        if names <= self._begun:
            return
        if not prints_of(plans) <= self._prints:
            raise PlanMoved
        self._begun |= names


def save_plan(
    store: Store,
    clock: Clock,
    entity: str,
    plans: Iterable[tuple[str, Sequence[RecordPlan]]],
    rows: Sequence[Mapping[str, object]],
    *,
    why: str,
) -> StoredPlan | None:
    """Store what would be done to each record, see :func:`store_plan`."""
    return store_plan(
        store, clock, entity, {record: prints for record, of in plans if (prints := prints_of(of))}, rows, why=why
    )


def store_plan(
    store: Store,
    clock: Clock,
    entity: str,
    records: Mapping[str, frozenset[str]],
    rows: Sequence[Mapping[str, object]],
    *,
    why: str,
    asked: Mapping[str, Any] | None = None,
) -> StoredPlan | None:
    """Store a plan by its records' prints; returns it, None when nothing would be done. Expired ones are forgotten.

    The same plan has the same id. ``why`` says in German what it came from.
    """
    if not records:
        return None
    now = clock.now()
    full = plan_hash(entity, records.items())
    plan = StoredPlan(full[:_ID_LENGTH], full, entity, why, now, now + LIFETIME, records, rows, asked=asked or {})
    with store.transaction() as tx:
        forget_expired(tx, now)
        tx.cursors.set(_name(plan.id), _to_json(plan))
    return plan


def forget_expired(tx: Transaction, now: datetime) -> int:
    """Forget the plans whose day is over, with the values in them; returns how many."""
    ends = {name: datetime.fromisoformat(plan["expires_at"]) for name, plan in tx.cursors.under(_PREFIX).items()}
    expired = [name for name, end in ends.items() if end < now]
    for name in expired:
        tx.cursors.forget(name)
    return len(expired)


def read_plan(store: Store, plan_id: str) -> StoredPlan:
    """Return a stored plan, expired or not. Raises :class:`NoPlan`."""
    with store.reading() as tx:
        return _plan(plan_id, tx.cursors.get(_name(plan_id)))


def _name(plan_id: str) -> str:
    return f"{_PREFIX}{plan_id.strip()}"


def _plan(plan_id: str, stored: object) -> StoredPlan:
    if not isinstance(stored, dict):
        raise NoPlan(f"Einen Plan {plan_id} gibt es nicht (mehr).")
    plan = _from_json(stored)
    if plan_hash(plan.entity, plan.records.items()) != plan.hash:
        raise NoPlan(f"Der Plan {plan_id} wurde verändert und gilt nicht mehr.")
    return plan


def all_plans(store: Store) -> list[StoredPlan]:
    """Return the stored plans, newest first."""
    with store.reading() as tx:
        plans = [_from_json(stored) for stored in tx.cursors.under(_PREFIX).values()]
    return sorted(plans, key=lambda plan: plan.created_at, reverse=True)


def approve_plan(store: Store, clock: Clock, plan_id: str, by: str) -> StoredPlan:
    """Note who approved a plan, and return it: it is applied once, by one of all who want that at the same moment.

    Raises :class:`NoPlan` for one that is unknown, altered, old or used.
    """
    with store.transaction() as tx:
        plan = _plan(plan_id, tx.cursors.held(_name(plan_id)))
        if plan.expires_at < clock.now():
            raise NoPlan(f"Der Plan {plan_id} ist abgelaufen; bitte einen neuen machen.")
        if plan.approved_by is not None:
            raise NoPlan(f"Der Plan {plan_id} wurde schon angewandt (freigegeben von {plan.approved_by}).")
        tx.audit.append([Change(entity=plan.entity, kind="approved", reason=f"plan {plan.id}: {by}")])
        tx.cursors.set(_name(plan.id), _to_json(plan) | {"approved_by": by})
    return plan


def waiting_plans(store: Store, clock: Clock) -> list[StoredPlan]:
    """Return what guards stopped and nobody has decided about yet, newest first."""
    now = clock.now()
    return [
        plan
        for plan in all_plans(store)
        if plan.why == STOPPED and plan.approved_by is None and plan.created_at <= now < plan.expires_at
    ]


def reject_plan(store: Store, plan_id: str, by: str) -> StoredPlan:
    """Forget a plan that nobody wants, and note who said so; returns what it was. Raises :class:`NoPlan`."""
    with store.transaction() as tx:
        plan = _plan(plan_id, tx.cursors.held(_name(plan_id)))
        tx.cursors.forget(_name(plan.id))
        tx.audit.append([Change(entity=plan.entity, kind="rejected", reason=f"plan {plan.id}: {by}")])
    return plan


def approved_plan(store: Store, clock: Clock, plan_id: str) -> StoredPlan:
    """Return a plan that somebody approved, for the run that carries it out. Raises :class:`NoPlan`."""
    plan = read_plan(store, plan_id)
    if plan.approved_by is None or plan.expires_at < clock.now():
        raise NoPlan(f"Der Plan {plan_id} ist nicht freigegeben oder abgelaufen: vmh-sync plan apply {plan_id}.")
    return plan


def _to_json(plan: StoredPlan) -> dict[str, Any]:
    return {
        "id": plan.id,
        "hash": plan.hash,
        "entity": plan.entity,
        "why": plan.why,
        "created_at": plan.created_at.isoformat(),
        "expires_at": plan.expires_at.isoformat(),
        "records": {record: sorted(prints) for record, prints in plan.records.items()},
        "rows": [dict(row) for row in plan.rows],
        "approved_by": plan.approved_by,
        "asked": dict(plan.asked),
    }


def _from_json(stored: Mapping[str, Any]) -> StoredPlan:
    return StoredPlan(
        stored["id"],
        stored["hash"],
        stored["entity"],
        stored["why"],
        datetime.fromisoformat(stored["created_at"]),
        datetime.fromisoformat(stored["expires_at"]),
        {record: frozenset(prints) for record, prints in stored["records"].items()},
        stored["rows"],
        stored["approved_by"],
        stored.get("asked", {}),
    )
