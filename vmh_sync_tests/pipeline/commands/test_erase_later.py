"""A duty to keep puts an erasure off; the night after carries it out, each by itself and under the party's lease."""

import asyncio
import os
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from vmh_sync.coordination.connection import connect
from vmh_sync.coordination.leases import Leases
from vmh_sync.erasure import later
from vmh_sync.erasure import run as erasure
from vmh_sync.erasure.later import Night, Order, erase_due, put_off
from vmh_sync.erasure.run import Stores, plan_erasure
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.commands.test_person_erase import (
    CANARIES,
    _dagster_of_this_test,
    canaries_written,
    person,
    stores,
    vmh,
)

__all__ = ["_dagster_of_this_test", "person", "stores"]


def night(stores: Stores, today: date, syncing: str = "nobody") -> Night:
    """The nightly erasure, while a pass writes about a party."""

    async def erase() -> Night:
        async with connect(os.environ["REDIS_URL"]) as redis:
            leases = Leases(redis, 60)
            async with Leases(redis, 60).hold(f"beteiligte:{syncing}"):
                return await erase_due(stores, leases, today)

    return asyncio.run(erase())


def test_a_duty_to_keep_refuses_with_its_day_and_defers(
    person: tuple[str, int], stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    espo_id, _ = person
    monkeypatch.setenv("VMH_ERASURE_DUTY_YEARS", "6")
    year = datetime.now(UTC).year + 6

    refused = vmh("person", "erase", espo_id, "--yes")
    assert refused.exit_code == 1
    assert f"Bis 31.12.{year} besteht eine Aufbewahrungspflicht" in refused.output
    assert vmh("person", "erase", espo_id, "--yes", "--defer").exit_code == 0
    assert canaries_written() == set(CANARIES)

    last = datetime(year, 12, 31, tzinfo=UTC).date()
    assert night(stores, last) == Night()
    with monkeypatch.context() as busy:
        busy.setattr(later, "plan_erasure", lambda *who: replace(plan_erasure(*who), running=["a run"]))
        assert night(stores, last + timedelta(days=1)).erased == 1, "what is under way may still bring something"
    assert night(stores, last + timedelta(days=1)).erased == 1
    assert night(stores, last + timedelta(days=2)) == Night()
    assert canaries_written() == set()


def test_of_several_due_erasures_one_that_fails_and_one_whose_party_is_synced_hold_back_no_other(
    firm: Firm, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = datetime(2026, 3, 2, tzinfo=UTC).date()
    bad, busy, good = (firm.linked_party(lastName=f"Muster {number}")[0] for number in range(3))
    with firm.store.transaction() as tx:
        for number, espo_id in enumerate((bad, busy, good), start=1):
            put_off(tx, Order(espo_id, None, today - timedelta(days=10 - number), "Löschung"))

    def some_fail(those: Stores, espo_id: str, *rest: Any) -> Any:
        if espo_id == bad:
            raise RuntimeError("a file that nobody may read")
        return plan_erasure(those, espo_id, *rest)

    monkeypatch.setattr(later, "plan_erasure", some_fail)
    monkeypatch.setattr(erasure, "LEASE_WAIT_SECONDS", 0.0)
    assert night(stores, today, syncing=busy) == Night(erased=1, waiting=1, failed=1)
    with firm.store.reading() as tx:
        assert [order.espo_id for order in later.waiting(tx)] == [bad, busy]
        assert tx.links.get_by_espo("beteiligte", good) is None
        assert tx.links.get_by_espo("beteiligte", busy) is not None


def test_a_matter_that_ended_long_ago_is_no_duty_any_more(
    firm: Firm, person: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    espo_id, _ = person
    monkeypatch.setenv("VMH_ERASURE_DUTY_YEARS", "6")
    ended = f"{datetime.now(UTC).year - 7}-03-01"

    assert vmh("person", "erase", espo_id, "--yes", "--ended", ended).exit_code == 0
    assert canaries_written() == set()
