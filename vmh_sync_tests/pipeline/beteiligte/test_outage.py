"""A foreign system that is down: the run fails and says so, no record is blamed, everything comes again."""

import asyncio
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

from vmh_sync.beteiligte import batch as stages
from vmh_sync.beteiligte.composition import PARTS
from vmh_sync.beteiligte.reading import fetch as reading
from vmh_sync.beteiligte.writing import write as writing
from vmh_sync.beteiligte.writing.write import PartySync
from vmh_sync.coordination.leases import Lease, Leases
from vmh_sync.engine.passes.opening import open_context
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.selecting.selection import PUT_OFF_SECONDS
from vmh_sync.store.errors import StoreUnavailable
from vmh_sync.store.queue.inbox import InboxEvent
from vmh_sync.sync.reporting.outcome import RecordOutcome
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.jobs import job
from vmh_sync_tests.pipeline.adressen.test_addresses import address


def _linked(firm: Firm, number: int) -> list[str]:
    parties = [firm.crm_party(lastName=f"Ausfall {place}") for place in range(number)]
    firm.until_quiet()
    return parties


def _waiting(firm: Firm, entity: str, ids: list[str]) -> None:
    with firm.store.transaction() as tx:
        tx.inbox.add(entity, [InboxEvent(espo_id=espo_id, action="update", source="webhook") for espo_id in ids])


def _pending(firm: Firm, entity: str, seconds: float) -> int:
    with firm.store.reading() as tx:
        return tx.inbox.pending_count(entity, firm.clock.now() + timedelta(seconds=seconds))


def _run(name: str, *, raises: bool = True) -> dg.ExecuteInProcessResult:
    with dg.DagsterInstance.ephemeral() as instance:
        return job(name).execute_in_process(
            run_config={"selection": "pending"}, instance=instance, raise_on_error=raises
        )


def test_advoware_down_fails_the_run_and_blames_no_party(firm: Firm) -> None:
    parties = _linked(firm, 3)
    for espo_id in parties:
        firm.crm_edit(espo_id, zusatz="wartet")
    _waiting(firm, "beteiligte", parties)
    firm.office.fault(r"Beteiligte/\d+$", "status", status=503)
    before = firm.crm.calls()["writes"]

    with pytest.raises(dg.Failure, match="Advoware"):
        _run("sync_beteiligte")

    assert firm.crm.calls()["writes"] == before, "an outage is no news about a party"
    assert {firm.crm_record(espo_id)["syncRetryCount"] or 0 for espo_id in parties} == {0}
    assert _pending(firm, "beteiligte", 0) == 0, "the next run does not follow at once"
    assert _pending(firm, "beteiligte", PUT_OFF_SECONDS + 5) == 3

    firm.office.clear_faults()
    firm.until_quiet()
    assert {firm.office_record(firm.crm_record(espo_id)["betnr"])["zusatz"] for espo_id in parties} == {"wartet"}


def test_trouble_with_two_parties_is_theirs(firm: Firm) -> None:
    parties = _linked(firm, 3)
    broken = [firm.crm_record(espo_id)["betnr"] for espo_id in parties[:2]]
    _waiting(firm, "beteiligte", parties)
    firm.office.fault(rf"Beteiligte/({'|'.join(map(str, broken))})$", "status", status=503)

    assert _run("sync_beteiligte").success
    assert [firm.crm_record(espo_id)["syncStatus"] for espo_id in parties] == ["failed", "failed", "clean"]
    assert _pending(firm, "beteiligte", PUT_OFF_SECONDS + 5) == 0


def test_advoware_down_fails_a_run_of_children_too(firm: Firm) -> None:
    children = [address(firm, party) for party in _linked(firm, 3)]
    _waiting(firm, "adressen", children)
    firm.office.fault(r"Beteiligte/\d+$", "status", status=503)

    with pytest.raises(dg.Failure, match="Advoware"):
        _run("sync_adressen")
    assert _pending(firm, "adressen", PUT_OFF_SECONDS + 5) == 3


def test_a_pass_that_an_outage_ends_leaves_nothing_running(firm: Firm) -> None:
    """The other parties of the pass went on with clients that were closed: "Session is closed", once for each."""
    ids = [firm.linked_party()[0] for _ in range(3)]
    for one in ids:
        firm.crm_edit(one, zusatz="Haus B")
    sync = PartySync.sync

    async def database_gone(self: PartySync, espo_id: str, *what: Any) -> RecordOutcome:
        if espo_id == ids[0]:
            raise StoreUnavailable("away")
        return await sync(self, espo_id, *what)

    async def one_pass(context: PassContext) -> set[asyncio.Task[Any]]:
        batch = await stages.fetch(context, PARTS, ids)
        stages.diff(PARTS, stages.map_fields(batch))
        before = asyncio.all_tasks()
        with pytest.raises(StoreUnavailable):
            await stages.write(context, PARTS, batch)
        return asyncio.all_tasks() - before

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(PartySync, "sync", database_gone)
        assert firm.run(one_pass) == set()
    firm.until_quiet()
    assert [row["zusatz"] for row in firm.office_records()] == ["Haus B"] * 3


def test_a_list_that_fails_leaves_no_read_of_a_party_running(firm: Firm) -> None:
    ids = [firm.linked_party()[0] for _ in range(2)]
    asked = asyncio.Semaphore(0)

    async def never(*_: Any) -> None:
        asked.release()
        await asyncio.sleep(60)

    async def no_list(*_: Any) -> None:
        await asked.acquire()
        raise StoreUnavailable("away")

    async def one_pass(context: PassContext) -> set[asyncio.Task[Any]]:
        before = asyncio.all_tasks()
        with pytest.raises(StoreUnavailable):
            await stages.fetch(context, PARTS, ids)
        return asyncio.all_tasks() - before

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(reading, "_ask_early", never)
        patched.setattr(reading, "_list", no_list)
        assert firm.run(one_pass) == set()


def test_what_several_ask_together_ends_before_the_clients_of_the_pass(firm: Firm) -> None:
    """It asked once more for each of them, of clients that were closed by then."""
    under_way = asyncio.Semaphore(0)

    async def never(_: Any) -> dict[str, int]:
        under_way.release()
        await asyncio.sleep(60)
        return {}

    async def one_pass() -> set[asyncio.Task[Any]]:
        before = asyncio.all_tasks()
        async with open_context("test", clock=firm.clock) as context:
            asking = asyncio.create_task(context.together.now("who", "a1", never, most=2))
            await under_way.acquire()
            asking.cancel()
        return asyncio.all_tasks() - before

    assert asyncio.run(one_pass()) == set()


def test_a_pass_that_is_told_to_end_gives_every_lease_back(firm: Firm) -> None:
    """The first party to end had the others cancelled once more, in the middle of it: their leases stayed."""
    ids = [firm.linked_party()[0] for _ in range(3)]
    for one in ids:
        firm.crm_edit(one, zusatz="Haus B")
    release, begun, writing_at = Leases._release, list[Lease](), asyncio.Semaphore(0)

    async def never(*_: Any) -> None:
        writing_at.release()
        await asyncio.sleep(60)

    async def slowly(self: Leases, lease: Lease) -> None:
        begun.append(lease)
        await asyncio.sleep(0.1 * len(begun))
        await release(self, lease)

    async def one_pass(context: PassContext) -> list[str | None]:
        batch = await stages.fetch(context, PARTS, ids)
        stages.diff(PARTS, stages.map_fields(batch))
        writes = asyncio.create_task(stages.write(context, PARTS, batch))
        for _ in ids:
            await writing_at.acquire()
        writes.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writes
        return [await context.leases.holder(f"beteiligte:{one}") for one in ids]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(writing, "write_master", never)
        patched.setattr(Leases, "_release", slowly)
        assert firm.run(one_pass) == [None] * 3
