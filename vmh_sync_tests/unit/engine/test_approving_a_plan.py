"""A stored plan is approved once, whoever wants it or does not want it at the same moment, on both databases."""

import threading
from collections.abc import Callable
from functools import partial

import pytest

from vmh_sync.clock import ManualClock
from vmh_sync.engine.passes.approved_plan import (
    NoPlan,
    StoredPlan,
    approve_plan,
    approved_plan,
    reject_plan,
    store_plan,
)
from vmh_sync.store import Store
from vmh_sync.store.history.audit import AuditQuery

ENTITY = "beteiligte"


@pytest.fixture
def plan(store: Store, store_clock: ManualClock) -> StoredPlan:
    """A plan that waits for a person."""
    stored = store_plan(store, store_clock, ENTITY, {"one": frozenset({"0" * 64})}, [], why="Probe")
    assert stored is not None
    return stored


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Do all of them at the same moment; returns the refusals."""
    refused, begin = list[str](), threading.Barrier(len(acts))

    def do(act: Callable[[], object]) -> None:
        begin.wait()
        try:
            act()
        except NoPlan as why:
            refused.append(str(why))

    threads = [threading.Thread(target=do, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return refused


def test_of_two_who_approve_a_plan_at_once_one_is_told_that_it_was_applied(
    store: Store, store_clock: ManualClock, plan: StoredPlan
) -> None:
    people = [f"person {number}" for number in range(6)]
    refused = at_once(*(partial(approve_plan, store, store_clock, plan.id, who) for who in people))
    by = approved_plan(store, store_clock, plan.id).approved_by
    assert refused == [f"Der Plan {plan.id} wurde schon angewandt (freigegeben von {by})."] * 5
    with store.reading() as tx:
        (row,) = tx.audit.find(AuditQuery(kinds=("approved",)))
    assert row.reason == f"plan {plan.id}: {by}"


def test_a_plan_that_somebody_rejects_meanwhile_does_not_come_back(
    store: Store, store_clock: ManualClock, plan: StoredPlan
) -> None:
    for _ in range(3):
        at_once(
            lambda: reject_plan(store, plan.id, "nobody"), lambda: approve_plan(store, store_clock, plan.id, "somebody")
        )
        with pytest.raises(NoPlan, match="gibt es nicht"):
            approved_plan(store, store_clock, plan.id)
        store_plan(store, store_clock, ENTITY, plan.records, [], why="Probe")


def test_a_plan_that_was_rejected_is_not_approved(store: Store, store_clock: ManualClock, plan: StoredPlan) -> None:
    reject_plan(store, plan.id, "nobody")
    with pytest.raises(NoPlan, match="gibt es nicht"):
        approve_plan(store, store_clock, plan.id, "somebody")
    with store.reading() as tx:
        assert tx.audit.find(AuditQuery(kinds=("approved",))) == []
