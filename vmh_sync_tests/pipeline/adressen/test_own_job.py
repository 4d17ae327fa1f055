"""Addresses through a job of their own."""

from datetime import timedelta

import dagster as dg

from vmh_sync.adressen.part import KIND
from vmh_sync.adressen.pipeline import PIPELINE
from vmh_sync.children.selection import select
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.jobs import job
from vmh_sync_tests.pipeline.adressen.test_addresses import address, edit, here, linked, there


def own_pass(firm: Firm, selection: str) -> list[RecordOutcome]:
    async def one_pass(context: PassContext) -> list[RecordOutcome]:
        batch = await PIPELINE.fetch(context, await select(context, KIND, selection))
        PIPELINE.map_fields(batch)
        PIPELINE.diff(batch)
        return await PIPELINE.write(context, batch)

    return list(firm.run(one_pass))


def test_new_and_changed_addresses(firm: Firm) -> None:
    party, betnr = firm.linked_party()
    address(firm, party)
    assert [outcome.result for outcome in own_pass(firm, "dirty")] == [Result.SYNCED]
    _, other, record, _ = linked(firm, adresseStreet="Weg 1")
    edit(firm, record, adresseStreet="Weg 2", syncStatus="dirty")
    assert [outcome.result for outcome in own_pass(firm, "dirty")] == [Result.SYNCED]
    assert there(firm, other)[0]["strasse"] == "Weg 2"
    assert len(there(firm, betnr)) == 1
    assert {outcome.result for outcome in own_pass(firm, "all")} == {Result.UNCHANGED}


def test_the_dagster_job_shows_its_plan(firm: Firm) -> None:
    party, betnr = firm.linked_party()
    record = address(firm, party)
    with dg.DagsterInstance.ephemeral() as instance:
        config = {"ids": [record], "dry_run": True}
        result = job("sync_adressen").execute_in_process(run_config=config, instance=instance)
    (outcome,) = result.output_for_node("write_adressen").take()
    assert outcome.plans
    assert there(firm, betnr) == []


def test_an_address_of_a_deleted_party_is_nobodys_failure(firm: Firm) -> None:
    party, betnr, record, _ = linked(firm)
    firm.crm.edit("CBeteiligte", "delete", id=party)
    firm.sync(party)
    edit(firm, record, adresseCity="Celle", syncStatus="dirty")
    for _ in range(2):
        (outcome,) = own_pass(firm, "all")
        assert (outcome.result, outcome.betnr, outcome.id) == (Result.SKIPPED, betnr, record)
    assert len(firm.tasks()) == 1


def test_a_value_that_advoware_does_not_take_counts_as_different_until_both_sides_agree(firm: Firm) -> None:
    _, _, record, _ = linked(firm, adresseStreet="Weg 1")
    before = firm.crm_record(record, "CAdressen")["gueltigBis"]
    edit(firm, record, gueltigBis="2031-12-31")
    for _ in range(2):
        assert [outcome.different for outcome in own_pass(firm, "all")] == [("gueltig_bis",)]
    edit(firm, record, gueltigBis=before)
    assert [outcome.different for outcome in own_pass(firm, "all")] == [()]
    assert firm.tasks() == []


def test_an_address_that_advoware_never_answers_is_told_as_failed_and_tried_again_later_and_later(firm: Firm) -> None:
    """Its own unanswered request must not pass for somebody else's that is only waited for (sync-semantics.md 4)."""
    party, _ = firm.linked_party()
    record = address(firm, party)
    firm.office.fault("Adressen", "status", method="POST", status=500, times=None)
    (outcome,) = own_pass(firm, "due")
    assert (outcome.result, outcome.error_class) == (Result.FAILED, "OutcomeUnknown")
    told = here(firm, record)
    assert (told["syncStatus"], told["syncRetryCount"]) == ("failed", 1)
    assert told["syncErrorMessage"]
    assert told["syncNextRetry"]
    assert own_pass(firm, "due") == [], "its time has not come"
    firm.office.clear_faults()
    firm.clock.shift = timedelta(seconds=200)
    (outcome,) = own_pass(firm, "due")
    told = here(firm, record)
    assert (outcome.result, told["syncStatus"], told["syncRetryCount"]) == (Result.SYNCED, "clean", 0)
    assert told["syncNextRetry"] is None
    assert told["syncErrorMessage"] is None
