"""A task that got no answer is not written again while it may still arrive (sync-semantics.md 3 and 8)."""

from datetime import timedelta

import pytest

from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.sync.reporting.outcome import Result
from vmh_sync_tests.fixtures.firm import Firm

LONGEST = 150.0


@pytest.fixture(autouse=True)
def slow_crm(firm_environment: pytest.MonkeyPatch) -> None:
    """Requests live long here, as they do in life."""
    firm_environment.setenv("VMH_CREATE_SETTLE_SECONDS", str(LONGEST))


def conflict_whose_task_gets_no_answer(firm: Firm) -> tuple[str, int]:
    espo_id, betnr = firm.linked_party(lastName="Alt")
    firm.crm_edit(espo_id, lastName="AusEspo")
    firm.office_edit(betnr, name="AusAdvoware")
    firm.crm.fault("/Task$", "drop_before", method="POST", times=1)
    firm.sync(espo_id)
    firm.crm.clear_faults()
    return espo_id, betnr


def arrives_late(firm: Firm, espo_id: str) -> None:
    """The request that nobody waited for is carried out after all."""
    with firm.store.reading() as tx:
        (row,) = tx.tasks.open_for_many("beteiligte", [espo_id])[espo_id]
    text = f"Gleichzeitig geändert\n\nVorgang vmh-{row.id}"

    async def sent(context: PassContext) -> None:
        user = (await context.espo.app_user())["user"]["id"]
        await context.espo.create("Task", {"name": "Aufgabe", "description": text, "assignedUserId": user})

    firm.run(sent)


def test_until_the_longest_time_is_over_nothing_is_posted_and_nothing_overwritten(firm: Firm) -> None:
    espo_id, betnr = conflict_whose_task_gets_no_answer(firm)
    firm.clock.shift = timedelta(seconds=LONGEST - 20)
    (outcome,) = firm.outcomes(espo_id)
    assert (outcome.result, outcome.later) == (Result.SKIPPED, True)
    assert firm.crm_records("Task") == []
    assert firm.office_record(betnr)["name"] == "AusAdvoware"
    firm.clock.shift = timedelta(seconds=LONGEST + 20)
    assert firm.outcomes(espo_id)[0].result is Result.SYNCED
    assert len(firm.crm_records("Task")) == 1
    assert firm.office_record(betnr)["name"] == "AusEspo"


def test_a_task_that_arrives_late_is_the_one_task(firm: Firm) -> None:
    espo_id, betnr = conflict_whose_task_gets_no_answer(firm)
    assert firm.outcomes(espo_id)[0].result is Result.SKIPPED
    arrives_late(firm, espo_id)
    assert firm.outcomes(espo_id)[0].result is Result.SYNCED
    firm.clock.shift = timedelta(seconds=LONGEST + 20)
    firm.until_quiet()
    assert len(firm.crm_records("Task")) == 1
    assert firm.office_record(betnr)["name"] == "AusEspo"


def test_a_refused_task_waits_for_nothing(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(lastName="Alt")
    firm.crm_edit(espo_id, lastName="AusEspo")
    firm.office_edit(betnr, name="AusAdvoware")
    firm.crm.fault("/Task$", "status", status=429, method="POST", times=4)
    firm.sync(espo_id)
    firm.crm.clear_faults()
    assert firm.outcomes(espo_id)[0].result is Result.SYNCED
    assert len(firm.crm_records("Task")) == 1
