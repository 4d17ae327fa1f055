"""The mass-change guard remembers over all runs of an hour which records have lost values."""

from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from vmh_sync.clock import ManualClock
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.writing.guard import guard_mass_change
from vmh_sync.settings import SyncSettings
from vmh_sync.store import Store
from vmh_sync.sync.base import Side
from vmh_sync.sync.planning.guards import GuardTripped
from vmh_sync.sync.planning.plan import Action, FieldChange, Operation, RecordPlan

HOUR = timedelta(hours=1)


@pytest.fixture
def context(store: Store, store_clock: ManualClock) -> PassContext:
    """As much of a pass as the guard needs: two records may lose values."""
    rules = SyncSettings(mass_change_records=2, mass_change_share=0.0)
    return cast("PassContext", SimpleNamespace(store=store, clock=store_clock, rules=rules))


def blanked(*ids: str) -> list[RecordPlan]:
    change = (FieldChange("name", "Meier", None, "blanked"),)
    return [
        RecordPlan("CBeteiligte", one, 1, (Operation(Side.ADVOWARE, Action.UPDATE, "Beteiligter", "1", {}, change),))
        for one in ids
    ]


async def lose(context: PassContext, *ids: str, entity: str = "beteiligte", allowed: bool = False) -> None:
    await guard_mass_change(context, entity, blanked(*ids), allowed=allowed)


async def test_what_earlier_runs_lost_counts_for_one_hour(context: PassContext, store_clock: ManualClock) -> None:
    await lose(context, "a", "b")
    store_clock.advance(HOUR)
    with pytest.raises(GuardTripped):
        await lose(context, "c")
    store_clock.advance(timedelta(microseconds=1))
    await lose(context, "c", "d")


async def test_a_record_that_loses_something_in_each_of_several_runs_is_one(context: PassContext) -> None:
    for _ in range(3):
        await lose(context, "a", "b")


async def test_each_entity_counts_for_itself(context: PassContext) -> None:
    await lose(context, "a", "b")
    await lose(context, "a", "c", entity="adressen")


async def test_losses_of_a_clock_that_was_a_year_ahead_do_not_stop_runs_for_a_year(
    context: PassContext, store: Store, store_clock: ManualClock
) -> None:
    now = store_clock.now()
    with store.transaction() as tx:
        tx.value_losses.note("beteiligte", ["a", "b"], now + timedelta(days=365))
    await lose(context, "c")
    with store.reading() as tx:
        assert tx.value_losses.between("beteiligte", now - HOUR, now + timedelta(days=400)) == {"c"}, "swept with it"
