"""Bank accounts through a job of their own: only the account is touched, a new party waits its turn."""

import json
from collections.abc import Sequence

import dagster as dg
import pytest
from typer.testing import CliRunner

from vmh_sync.bankverbindungen.part import KIND
from vmh_sync.bankverbindungen.pipeline import PIPELINE
from vmh_sync.children.selection import moved_since, select
from vmh_sync.cli import app
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.sync.reporting.outcome import PassSummary, RecordOutcome, Result
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.jobs import job
from vmh_sync_tests.pipeline.bankverbindungen.test_bank_accounts import IBAN, account, edit, here, linked, there


def own_pass(firm: Firm, *ids: str, selection: str = "all") -> list[RecordOutcome]:
    async def one_pass(context: PassContext) -> list[RecordOutcome]:
        chosen: Sequence[str] = ids or await select(context, KIND, selection)
        batch = await PIPELINE.fetch(context, chosen)
        PIPELINE.map_fields(batch)
        PIPELINE.diff(batch)
        return await PIPELINE.write(context, batch)

    return list(firm.run(one_pass))


def moved(firm: Firm) -> list[str]:
    async def look(context: PassContext) -> list[str]:
        return await moved_since(context, KIND, context.clock.now())

    return list(firm.run(look))


def test_only_the_account_is_synced(firm: Firm) -> None:
    party, betnr = firm.linked_party(lastName="Alt")
    record = account(firm, party)
    firm.crm_edit(party, lastName="Neu")
    assert moved(firm) == [record]
    (outcome,) = own_pass(firm, record)
    assert (outcome.result, outcome.advoware_writes, outcome.espocrm_writes) == (Result.SYNCED, 1, 1)
    assert there(firm, betnr)[0]["iban"] == IBAN
    assert firm.office_record(betnr)["name"] == "Alt"
    assert moved(firm) == [], "our own write is no change"
    assert [outcome.result for outcome in own_pass(firm)] == [Result.UNCHANGED]


def test_an_account_of_a_new_party_waits_and_puts_the_party_in_line(firm: Firm) -> None:
    party = firm.crm_party()
    record = account(firm, party)
    (outcome,) = own_pass(firm, record)
    assert outcome.result is Result.SKIPPED
    assert here(firm, record)["syncStatus"] == "unclean"
    with firm.store.reading() as tx:
        assert tx.inbox.pending_count("beteiligte", firm.clock.now()) == 1
    assert moved(firm) == [], "it does not start a run with every tick"
    firm.sync(party)
    assert here(firm, record)["syncStatus"] == "clean"


def test_a_deleted_account_opens_its_task(firm: Firm) -> None:
    _, _, record = linked(firm)
    firm.crm.edit("CBankverbindungen", "delete", id=record)
    own_pass(firm, record)
    assert len(firm.tasks()) == 1


def test_a_bad_iban_fails_alone(firm: Firm) -> None:
    party, betnr = firm.linked_party()
    bad = account(firm, party, iban="DE88370400440532013000")
    good = account(firm, party)
    outcomes = {outcome.id: outcome for outcome in own_pass(firm, bad, good)}
    assert outcomes[bad].result is Result.FAILED
    assert "Prüfziffer" in str(outcomes[bad].error)
    assert outcomes[good].result is Result.SYNCED
    assert len(there(firm, betnr)) == 1
    assert moved(firm) == []
    edit(firm, bad, iban="DE02120300000000202051")
    assert [outcome.result for outcome in own_pass(firm, selection="failed")] == [Result.SYNCED]
    assert len(there(firm, betnr)) == 2


def test_an_unreachable_office_leaves_the_account_to_be_retried(firm: Firm) -> None:
    party, betnr = firm.linked_party()
    record = account(firm, party)
    firm.office.fault("Bankverbindungen", "status", method="POST", status=429)
    (outcome,) = own_pass(firm, record)
    assert (outcome.result, outcome.retryable) == (Result.FAILED, True)
    with firm.store.reading() as tx:
        standing = tx.records.get("bankverbindungen", record)
    assert standing is not None
    assert standing.next_retry_at is not None
    firm.office.clear_faults()
    assert [outcome.result for outcome in own_pass(firm, record)] == [Result.SYNCED]
    assert len(there(firm, betnr)) == 1


def test_the_dagster_job_runs(firm: Firm) -> None:
    party, betnr = firm.linked_party()
    record = account(firm, party)
    with dg.DagsterInstance.ephemeral() as instance:
        result = job("sync_bankverbindungen").execute_in_process(run_config={"ids": [record]}, instance=instance)
    assert result.success
    outcomes = result.output_for_node("write_bankverbindungen").take()
    assert [outcome.result for outcome in outcomes] == [Result.SYNCED]
    assert len(there(firm, betnr)) == 1


@pytest.mark.parametrize("dry", [True, False])
def test_the_command_line(firm: Firm, dry: bool) -> None:
    party, betnr = firm.linked_party()
    account(firm, party)
    arguments = ["sync", "bankverbindungen", "--dirty", "--json", *(["--dry-run"] if dry else [])]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout.strip().splitlines()[-1])
    assert summary["records"] == 1
    assert summary["writes"]["advoware"] == (0 if dry else 1)
    assert len(there(firm, betnr)) == (0 if dry else 1)


def test_a_value_that_advoware_does_not_take_counts_as_different_until_both_sides_agree(firm: Firm) -> None:
    _, betnr, record = linked(firm, kontoinhaber="Muster")
    edit(firm, record, kontoinhaber="Beispiel")
    for result in (Result.SYNCED, Result.UNCHANGED):
        outcomes = own_pass(firm)
        assert [(one.result, one.different) for one in outcomes] == [(result, ("kontoinhaber",))]
        assert PassSummary().add(outcomes).to_json()["different"] == 1
    (there_now,) = there(firm, betnr)
    edit(firm, record, kontoinhaber=there_now["kontoinhaber"])
    assert [one.different for one in own_pass(firm)] == [()]
    assert firm.tasks() == []
