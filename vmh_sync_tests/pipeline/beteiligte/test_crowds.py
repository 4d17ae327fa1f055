"""Many changes at once, an import for instance, stand in nobody's way: an edit is claimed before them."""

import pytest

from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.selecting.crowd import MOST_EDITS, MOST_TYPED, SENSOR, WATCH
from vmh_sync.engine.selecting.selection import claim_pending, enqueue
from vmh_sync.store.queue.inbox import InboxEvent, Lane
from vmh_sync_tests.fixtures.firm import Firm

MANY = [f"{number:017x}" for number in range(MOST_EDITS + 30)]


def waiting(firm: Firm, lane: Lane) -> set[str]:
    with firm.store.reading() as tx:
        return tx.inbox.waiting_ids("beteiligte", [*MANY, "edit"], lane)


def reported(firm: Firm, *ids: str) -> None:
    with firm.store.transaction() as tx:
        tx.inbox.add("beteiligte", [InboxEvent(espo_id=one, action="update", source="webhook") for one in ids])


def test_what_webhooks_reported_in_a_crowd_leaves_the_lane_of_edits_when_its_first_run_claims(firm: Firm) -> None:
    reported(firm, *MANY)

    async def run(context: PassContext) -> list[str]:
        return (await claim_pending(context, "beteiligte", Lane.LIVE)).ids

    assert len(firm.run(run)) == MOST_EDITS
    reported(firm, "edit")
    assert firm.run(run) == ["edit"]
    assert len(waiting(firm, Lane.BULK)) == len(MANY) - MOST_EDITS


@pytest.mark.parametrize("source", [SENSOR, WATCH])
def test_an_edit_that_somebody_looked_at_does_not_give_way_with_the_crowd_before_it(firm: Firm, source: str) -> None:
    reported(firm, *MANY)
    with firm.store.transaction() as tx:
        tx.inbox.add("beteiligte", [InboxEvent(espo_id="edit", action="manual", source=source)])
    firm.run(lambda context: claim_pending(context, "beteiligte", Lane.LIVE))
    assert waiting(firm, Lane.LIVE) == {*MANY[:MOST_EDITS], "edit"}


def test_a_crowd_that_the_watch_knows_stays_none_of_edits_when_webhooks_report_it_as_well(firm: Firm) -> None:
    with firm.store.transaction() as tx:
        events = [InboxEvent(espo_id=one, action="manual", source=WATCH, lane=Lane.BULK) for one in MANY]
        tx.inbox.add("beteiligte", events)
    reported(firm, *MANY)

    def claimed() -> int:
        return len(firm.run(lambda context: claim_pending(context, "beteiligte", Lane.LIVE)).claimed)

    assert (claimed(), claimed()) == (MOST_EDITS, 0)


def test_a_smaller_batch_makes_no_crowd_of_what_it_leaves(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMH_BATCH_SIZE", "2")
    reported(firm, *MANY[:5])
    claimed = [len(firm.run(lambda context: claim_pending(context, "beteiligte", Lane.LIVE)).ids) for _ in range(3)]
    assert claimed == [2, 2, 1]


def test_as_many_as_a_run_takes_are_no_crowd_for_what_came_with_them(firm: Firm) -> None:
    reported(firm, *MANY[: MOST_EDITS - 1])
    firm.run(lambda context: claim_pending(context, "beteiligte", Lane.LIVE))
    assert waiting(firm, Lane.BULK) == set()


@pytest.mark.parametrize("number, lane", [(MOST_TYPED, Lane.LIVE), (MOST_TYPED + 1, Lane.BULK)])
def test_the_sensor_knows_a_crowd(firm: Firm, number: int, lane: Lane) -> None:
    firm.run(lambda context: enqueue(context, "beteiligte", MANY[:number], "sensor"))
    assert waiting(firm, lane) == set(MANY[:number])


def test_the_sensor_finds_an_edit_beside_a_crowd_that_waits_already_and_hurries_the_edit_alone(firm: Firm) -> None:
    firm.run(lambda context: enqueue(context, "beteiligte", MANY, "sensor"))
    firm.run(lambda context: enqueue(context, "beteiligte", [*MANY, "edit"], "sensor"))
    assert waiting(firm, Lane.LIVE) == {"edit"}


def test_a_record_that_waits_in_a_crowd_and_is_edited_comes_first(firm: Firm) -> None:
    firm.run(lambda context: enqueue(context, "beteiligte", MANY, "sensor"))
    reported(firm, MANY[7])
    assert MANY[7] in waiting(firm, Lane.LIVE)
