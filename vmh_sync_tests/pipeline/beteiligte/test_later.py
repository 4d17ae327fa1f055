"""An event whose record could not be decided about stays in the inbox (design.md 3, invariant 6)."""

from datetime import timedelta

import pytest

from vmh_sync.beteiligte.party import ENTITY
from vmh_sync.beteiligte.pipeline import PIPELINE
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.orchestration.jobs.sync_job import read_batch, write_batch
from vmh_sync.orchestration.run_config import SyncRunConfig
from vmh_sync.store.queue.inbox import InboxEvent
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.adressen.test_addresses import address


def ring(firm: Firm, espo_id: str) -> None:
    """A webhook reports the record."""
    with firm.store.transaction() as tx:
        tx.inbox.add(ENTITY, [InboxEvent(espo_id=espo_id, action="update", source="webhook")])


def waiting(firm: Firm, espo_id: str) -> bool:
    with firm.store.reading() as tx:
        return bool(tx.inbox.waiting_ids(ENTITY, [espo_id]))


async def drain(context: PassContext) -> list[RecordOutcome]:
    """One run over what waits."""
    work = await read_batch(context, PIPELINE, SyncRunConfig(selection="pending"))
    PIPELINE.map_fields(work.batch)
    PIPELINE.diff(work.batch)
    return await write_batch(context, PIPELINE, work)


async def drain_beside_another_worker(context: PassContext) -> list[RecordOutcome]:
    """One run, while somebody else has the only record."""
    with context.store.reading() as tx:
        (key,) = tx.links.keys(ENTITY)
    async with context.leases.hold(f"{ENTITY}:{key.espo_id}"):
        return await drain(context)


def test_an_event_of_a_record_that_somebody_else_has_is_answered_later(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(lastName="Alt")
    firm.crm_edit(espo_id, lastName="Neu")
    ring(firm, espo_id)
    (outcome,) = firm.run(drain_beside_another_worker)
    assert (outcome.result, waiting(firm, espo_id)) == (Result.SKIPPED, True)
    assert firm.run(drain) == [], "not again at once"
    firm.clock.shift = timedelta(seconds=90)
    (outcome,) = firm.run(drain)
    assert (outcome.result, waiting(firm, espo_id)) == (Result.SYNCED, False)
    assert firm.office_record(betnr)["name"] == "Neu"


def test_an_event_of_a_create_that_may_still_arrive_is_answered_later(
    firm: Firm, firm_environment: pytest.MonkeyPatch
) -> None:
    firm_environment.setenv("VMH_CREATE_SETTLE_SECONDS", "150")
    espo_id = firm.crm_party(lastName="Langsam")
    firm.office.fault("/Beteiligte$", "drop_before", method="POST", times=1)
    firm.sync(espo_id)
    ring(firm, espo_id)
    (outcome,) = firm.run(drain)
    assert (outcome.result, waiting(firm, espo_id)) == (Result.SKIPPED, True)
    firm.clock.shift = timedelta(seconds=200)
    (outcome,) = firm.run(drain)
    assert (outcome.result, waiting(firm, espo_id)) == (Result.SYNCED, False)


def test_two_parts_that_only_wait_are_no_failure(firm: Firm, firm_environment: pytest.MonkeyPatch) -> None:
    firm_environment.setenv("VMH_CREATE_SETTLE_SECONDS", "150")
    espo_id, _ = firm.linked_party(lastName="Langsam")
    account = {"name": "Konto", "beteiligteId": espo_id, "iban": "DE89370400440532013000", "kontoinhaber": "L"}
    firm.crm.edit("CBankverbindungen", "create", values=account)
    address(firm, espo_id)
    firm.office.fault("Adressen|Bankverbindungen", "drop_before", method="POST", times=2)
    (first,) = firm.outcomes(espo_id)
    (second,) = firm.outcomes(espo_id)
    assert (first.result, second.result) == (Result.FAILED, Result.SKIPPED)
    assert firm.crm_record(espo_id)["syncRetryCount"] == 1
