"""Kommunikation through a job of its own: phones and e-mails are carried, nothing else is counted as done."""

import json

import dagster as dg
import pytest
from typer.testing import CliRunner

from vmh_sync.beteiligte.kommunikation_alone import NOT_LINKED
from vmh_sync.beteiligte.pipeline import KOMMUNIKATION_ALONE
from vmh_sync.cli import app
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.store.queue.inbox import InboxEvent
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.jobs import job
from vmh_sync_tests.pipeline.kommunikation import sides
from vmh_sync_tests.pipeline.kommunikation.sides import mail, phone

OLD, NEW = "+49511123456", "+49511999999"


def alone(firm: Firm, *ids: str) -> list[RecordOutcome]:
    async def one_pass(context: PassContext) -> list[RecordOutcome]:
        batch = await KOMMUNIKATION_ALONE.fetch(context, ids, dry_run=False)
        KOMMUNIKATION_ALONE.map_fields(batch)
        KOMMUNIKATION_ALONE.diff(batch)
        return await KOMMUNIKATION_ALONE.write(context, batch, allow_mass_change=False)

    return list(firm.run(one_pass))


def books(firm: Firm, espo_id: str) -> tuple[object, object, int]:
    """All that our database says of the party itself, whatever is noted of its entries."""
    with firm.store.reading() as tx:
        standing = tx.records.get_many("beteiligte", [espo_id])
        waiting = tx.inbox.pending_count("beteiligte", firm.clock.now())
        return tx.links.get_many("beteiligte", [espo_id]), standing, waiting


def test_an_edit_of_the_master_data_in_espocrm_waits_for_the_full_pass(firm: Firm) -> None:
    espo_id, betnr = sides.party(firm, phones=[phone(OLD, primary=True)])
    firm.until_quiet()
    with firm.store.transaction() as tx:
        tx.inbox.add("beteiligte", [InboxEvent(espo_id=espo_id, action="update", source="webhook")])
    firm.crm_edit(espo_id, lastName="Neu", syncStatus="dirty", phoneNumberData=[phone(NEW, primary=True)])
    known = books(firm, espo_id)

    with dg.DagsterInstance.ephemeral() as instance:
        result = job("sync_kommunikation").execute_in_process(run_config={}, instance=instance)
    (outcome,) = result.output_for_node("write_kommunikation").take()

    assert (outcome.result, outcome.advoware_writes) == (Result.SYNCED, 1)
    assert sides.values(firm, betnr) == [NEW]
    assert firm.office_record(betnr)["name"] == "Muster"
    assert firm.crm_record(espo_id)["syncStatus"] == "dirty"
    assert books(firm, espo_id) == known
    assert [one.result for one in alone(firm, espo_id)] == [Result.UNCHANGED]
    assert books(firm, espo_id) == known

    firm.sync(espo_id)
    assert firm.office_record(betnr)["name"] == "Neu"
    assert firm.crm_record(espo_id)["syncStatus"] == "clean"
    assert firm.until_quiet() == 1


def test_an_edit_of_the_master_data_in_advoware_waits_for_the_full_pass(firm: Firm) -> None:
    espo_id, betnr = sides.party(firm, mails=[mail("a@huber.example", primary=True)])
    firm.until_quiet()
    firm.office_edit(betnr, name="Neu")
    sides.office_add(firm, betnr, "b@huber.example", 4)
    known = books(firm, espo_id)

    done = CliRunner().invoke(app, ["sync", "kommunikation", "--all", "--json"])

    assert done.exit_code == 0
    assert json.loads(done.stdout)["writes"] == {"advoware": 0, "espocrm": 1, "google": 0}
    assert sides.addresses(firm, espo_id) == ["a@huber.example", "b@huber.example"]
    assert firm.crm_record(espo_id)["lastName"] == "Muster"
    assert books(firm, espo_id) == known

    firm.sync(espo_id)
    assert firm.crm_record(espo_id)["lastName"] == "Neu"
    assert firm.until_quiet() == 1


def test_a_dry_run_plans_only_entries_and_its_saved_plan_is_applied(firm: Firm) -> None:
    espo_id, betnr = sides.party(firm, phones=[phone(OLD, primary=True)])
    firm.until_quiet()
    firm.crm_edit(espo_id, lastName="Neu", phoneNumberData=[phone(NEW, primary=True)])
    cli = CliRunner()

    shown = cli.invoke(app, ["sync", "kommunikation", "--id", espo_id, "--dry-run", "--save", "--json"])
    told = json.loads(shown.stdout)
    assert {row["entity"] for row in told["plan"]} == {"Kommunikation"}
    assert sides.values(firm, betnr) == [OLD]
    assert cli.invoke(app, ["plan", "apply", told["saved"]]).exit_code == 0
    assert sides.values(firm, betnr) == [NEW]
    assert firm.office_record(betnr)["name"] == "Muster"


def test_who_is_not_linked_is_left_out_with_a_sentence_and_an_unknown_id_is_named(firm: Firm) -> None:
    unlinked = firm.crm_party(phoneNumberData=[phone(OLD, primary=True)])
    left, unknown = alone(firm, unlinked, "0f5f2c0f5f2c0f5f2")
    assert (left.result, left.error) == (Result.SKIPPED, NOT_LINKED)
    assert (unknown.result, unknown.error_class) == (Result.FAILED, "UnknownId")
    assert firm.office_records() == []
    assert CliRunner().invoke(app, ["sync", "kommunikation", "--all"]).exit_code == 0
    assert CliRunner().invoke(app, ["sync", "kommunikation"]).exit_code == 2
    assert firm.office_records() == []


def test_a_failure_is_told_and_given_to_the_full_pass_which_keeps_the_books(firm: Firm) -> None:
    espo_id, betnr = sides.party(firm, phones=[phone(OLD, primary=True)])
    firm.until_quiet()
    firm.crm_edit(espo_id, lastName="Neu", phoneNumberData=[phone(NEW, primary=True)])
    _, standing, waiting = books(firm, espo_id)
    firm.office.fault("Kommunikationen/", "status", method="PUT", status=403, times=1)

    (outcome,) = alone(firm, espo_id)
    firm.office.clear_faults()

    assert outcome.result is Result.FAILED
    assert outcome.error is not None
    assert outcome.error.startswith("Kommunikation: ")
    assert books(firm, espo_id)[1:] == (standing, waiting + 1)
    firm.sync(espo_id)
    assert (firm.office_record(betnr)["name"], sides.values(firm, betnr)) == ("Neu", [NEW])


def test_an_answer_that_is_lost_doubles_nothing(firm: Firm) -> None:
    espo_id, betnr = sides.party(firm, phones=[phone(OLD, primary=True)])
    firm.until_quiet()
    firm.crm_edit(espo_id, phoneNumberData=[phone(OLD, primary=True), phone(NEW, "Mobile")])
    sides.office_add(firm, betnr, "b@huber.example", 4)
    firm.office.fault("Kommunikationen", "drop_after", method="POST", times=1)
    firm.crm.fault(f"CBeteiligte/{espo_id}", "drop_after", method="PUT", times=1)

    alone(firm, espo_id)
    firm.until_quiet()

    assert sides.values(firm, betnr) == [OLD, NEW, "b@huber.example"]
    assert (sides.numbers(firm, espo_id), sides.addresses(firm, espo_id)) == ([OLD, NEW], ["b@huber.example"])
    assert firm.tasks() == []


def test_a_selection_larger_than_a_batch_is_taken_whole_and_waits_in_no_inbox(
    firm: Firm, firm_environment: pytest.MonkeyPatch
) -> None:
    parties = [sides.party(firm, phones=[phone(OLD, primary=True)]) for _ in range(2)]
    for espo_id, _ in parties:
        firm.crm_edit(espo_id, phoneNumberData=[phone(NEW, primary=True)])
    firm_environment.setenv("VMH_BATCH_SIZE", "1")
    with dg.DagsterInstance.ephemeral() as instance:
        assert job("sync_kommunikation").execute_in_process(run_config={"selection": "all"}, instance=instance).success
    assert [sides.values(firm, betnr) for _, betnr in parties] == [[NEW], [NEW]]
    with firm.store.reading() as tx:
        assert tx.inbox.pending_count("kommunikation", firm.clock.now()) == 0
