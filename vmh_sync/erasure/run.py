"""Erases one person from every store of ours: a plan first, then step by step, to be repeated when killed anywhere.

The mark comes first, so that no pass brings anything back; our rows go last and in one transaction, because they say
under which names the person is to be found elsewhere. EspoCRM, Advoware and Google are never touched.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
from redis import Redis

from vmh_sync.clock import Clock
from vmh_sync.coordination.leases import Lease, Leases
from vmh_sync.engine.selecting.erased import MARKS, mark_erased, number_of
from vmh_sync.erasure import elsewhere
from vmh_sync.erasure.scope import Scope, scope_of
from vmh_sync.orchestration.delete_run import delete_run
from vmh_sync.orchestration.forget_marks import forget_marks, marks_in_dagster
from vmh_sync.store.history.audit import AuditQuery, Change
from vmh_sync.store.pairs.person_rows import ERASED, PARTY
from vmh_sync.store.store import Store, Transaction

_PLAN = "plan:"
_GONE = "gelöscht"
LEASE_WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Stores:
    """Everything of ours in which a person may stand."""

    store: Store
    redis: Redis
    instance: dg.DagsterInstance
    home: Path
    dagster_home: Path
    clock: Clock


@dataclass(slots=True)
class ErasurePlan:
    """What would be erased, as counts and names of places; no value of the person."""

    scope: Scope
    rows: Mapping[str, int] = field(default_factory=dict)
    cursors: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    running: list[str] = field(default_factory=list)
    dagster_rows: int = 0
    keys: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    copies: list[Path] = field(default_factory=list)
    appointments: int = 0
    espo_tasks: list[str] = field(default_factory=list)
    last_change: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the person stands nowhere (any more)."""
        return not (self.rows or self.cursors or self.runs or self.dagster_rows or self.keys or self.files)

    def to_json(self) -> dict[str, Any]:
        """Return the plan without a value of the person."""
        return {
            "espo_id": self.scope.espo_id,
            "betnr": self.scope.ids.betnr,
            "rows": dict(self.rows),
            "stored_plans_and_books": len(self.cursors),
            "dagster_runs": self.runs,
            "dagster_runs_under_way": self.running,
            "dagster_rows": self.dagster_rows,
            "redis_keys": len(self.keys),
            "files": [str(path) for path in self.files],
            "old_copies": [str(path) for path in self.copies],
            "appointments_left": self.appointments,
            "espocrm_tasks_left": self.espo_tasks,
        }


def turn_of(leases: Leases, espo_id: str) -> AbstractAsyncContextManager[Lease | None]:
    """Hold the party's lease: no pass may write about it meanwhile. None while one does."""
    return leases.hold(f"{PARTY}:{espo_id}", wait=LEASE_WAIT_SECONDS)


def plan_erasure(stores: Stores, espo_id: str, betnr: int | None, also: Iterable[str] = ()) -> ErasurePlan:
    """Look through every store; nothing is written. Raises ``StoreError`` or a Redis error.

    ``also``: ids of the party's records in EspoCRM, some of which we may know only by their failures.
    """
    with stores.store.reading() as tx:
        plan = ErasurePlan(scope_of(tx, espo_id, betnr or number_of(tx, espo_id), also))
        ids = plan.scope.ids
        plan.rows, plan.last_change = tx.person_rows.counts(ids), tx.person_rows.last_change(ids)
        plan.cursors = sorted(_cursors(tx, plan.scope))
        plan.appointments = tx.person_rows.appointments_naming(plan.scope.marks)
        plan.espo_tasks = tx.person_rows.espo_tasks(ids)
        known = frozenset(tx.person_rows.run_ids(ids))
    plan.runs, plan.running = elsewhere.runs_naming(stores.instance, plan.scope, known)
    plan.dagster_rows = marks_in_dagster(stores.instance, plan.scope.marks)
    plan.keys = elsewhere.keys_naming(stores.redis, plan.scope)
    plan.files = elsewhere.files_naming(stores.home, stores.dagster_home, plan.scope)
    plan.copies = elsewhere.old_copies(stores.home, stores.dagster_home)
    return plan


def carry_out(
    stores: Stores, plan: ErasurePlan, reason: str, said: Callable[[str], None] = lambda step: None
) -> list[str]:
    """Erase what the plan names. May be killed anywhere: the same again finishes it.

    ``reason`` is one sentence for the audit log, without a value. ``said`` hears the name of each step before it.
    Returns the files in which remains of deleted rows stayed, because somebody read them all the time.
    """
    for name, step in steps_of(stores, plan, reason):
        said(name)
        step()
    said("Reste in den Dateien")
    return elsewhere.reclaim(stores.store, stores.dagster_home)


def steps_of(stores: Stores, plan: ErasurePlan, reason: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield the steps of an erasure in their order, each with its German name; each may be repeated.

    What deleted rows leave behind in the files is overwritten after them.
    """
    scope = plan.scope
    yield "Merkmal gegen Wiederkehr", lambda: _mark(stores, scope)
    for run_id in plan.runs:
        yield "Läufe in Dagster", partial(delete_run, stores.instance, run_id)
    yield "Vermerke in Dagster", lambda: forget_marks(stores.instance, scope.marks)
    for key in plan.keys:
        yield "Redis", partial(stores.redis.delete, key)
    for path in plan.files:
        yield "Protokolldateien", partial(elsewhere.mask_file, path, scope)
    yield "unsere Datenbank", lambda: _delete_rows(stores, scope, reason)


def _mark(stores: Stores, scope: Scope) -> None:
    with stores.store.transaction() as tx:
        mark_erased(tx, scope.espo_id, scope.ids.betnr, stores.clock.now())


def _cursors(tx: Transaction, scope: Scope) -> dict[str, Any]:
    found = tx.person_rows.cursors_naming(scope.marks)
    return {name: value for name, value in found.items() if not name.startswith(MARKS)}


def _delete_rows(stores: Stores, scope: Scope, reason: str) -> None:
    with stores.store.transaction() as tx:
        for name, value in _cursors(tx, scope).items():
            if name.startswith(_PLAN) or scope.is_named_in(name):
                tx.cursors.forget(name)
            else:
                tx.cursors.set(name, _without(value, scope))
        tx.person_rows.delete(scope.ids)
        if tx.audit.find(AuditQuery(espo_ids=(scope.espo_id,), kinds=(ERASED,), limit=1)):
            return
        done = Change(entity=PARTY, kind=ERASED, reason=reason, espo_id=scope.espo_id, betnr=scope.ids.betnr)
        tx.audit.append([done])


def _without(value: Any, scope: Scope) -> Any:
    """Return a JSON value in which the person is not named any more."""
    if isinstance(value, str):
        return _GONE if scope.is_named_in(value) else value
    if isinstance(value, dict):
        return {name: _without(inner, scope) for name, inner in value.items() if not scope.is_named_in(str(name))}
    if isinstance(value, list):
        return [_without(inner, scope) for inner in value]
    return value
