"""A pass that is stopped for longer than its lease, after any of its calls: from then on it leaves the record alone.

Meanwhile people edit again and another worker carries that on. Whoever lost the lease sends nothing to either system,
tells nobody that the record has failed, and puts it off (sync-semantics.md 3). The stop is played: time jumps, and the
lease's key is gone, as after a SIGSTOP (``crash/test_stopped_worker.py`` sends a real one). It jumps for all: what the
stopped one may have sent has arrived or never will, so the other worker need not wait for a create without an answer.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from vmh_sync.adressen.pipeline import PIPELINE as ADDRESSES
from vmh_sync.beteiligte.party import ENTITY
from vmh_sync.coordination import leases
from vmh_sync.coordination.connection import SyncRedis
from vmh_sync.coordination.leases import lease_key
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync.systems.transport import Transport
from vmh_sync_tests.fixtures.firm import Firm, ShiftedClock
from vmh_sync_tests.pipeline.adressen import test_addresses as addresses
from vmh_sync_tests.pipeline.kommunikation import sides
from vmh_sync_tests.pipeline.kommunikation.sides import mail, phone

MOST_CALLS = 60
LONGER_THAN_ANY_LEASE = 3600.0
LONGER_THAN_ANY_CREATE = timedelta(seconds=1)
"""Than ``VMH_CREATE_SETTLE_SECONDS`` of these firms. Short, for logins are judged by the same clock."""


@dataclass
class Situation:
    """A record with work to do, what people do while its worker is stopped, and what must hold in the end."""

    espo_id: str
    edit: Callable[[], None]
    check: Callable[[], None]
    run: Callable[[], RecordOutcome] | None = None
    """The pass that is stopped, when it is not the party's."""


@dataclass
class Stop:
    """Stops the first pass of this task after its call number ``place``; ``meanwhile`` runs in another thread."""

    redis: SyncRedis
    monkeypatch: pytest.MonkeyPatch
    place: int
    key: str
    meanwhile: Callable[[], Any]
    clock: ShiftedClock
    calls: int = 0
    struck: bool = False
    held_the_lease: bool = False
    _task: "asyncio.Task[Any] | None" = field(default=None)

    def lay(self) -> None:
        request = Transport._request
        ours = self

        async def counted(self: Transport, *args: Any, **kwargs: Any) -> Any:
            answer = await request(self, *args, **kwargs)
            if not ours.struck and ours.calls == ours.place:
                await ours._strike()
            ours.calls += not ours.struck
            return answer

        self.monkeypatch.setattr(Transport, "_request", counted)

    async def _strike(self) -> None:
        self.struck = True
        self.held_the_lease = bool(self.redis.delete(self.key))
        before = leases.now
        self.monkeypatch.setattr(leases, "now", lambda: before() + LONGER_THAN_ANY_LEASE)
        self.clock.shift += LONGER_THAN_ANY_CREATE
        # A thread of its own: nothing of this pass (its fences, its task) may be seen by the other worker.
        await asyncio.get_running_loop().run_in_executor(None, self.meanwhile)


def stopped_everywhere(
    firm: Firm, redis: SyncRedis, monkeypatch: pytest.MonkeyPatch, arrange: Callable[[int], Situation]
) -> int:
    """Stop a pass after each of its calls; returns at how many of them it held the lease."""
    held = 0
    firm.linked_party()  # the logins are known to work: nobody waits for the stopped one to have tried them
    for place in range(MOST_CALLS):
        situation = arrange(place)
        left: list[int] = []

        def meanwhile(situation: Situation = situation, left: list[int] = left) -> None:
            situation.edit()
            assert firm.sync(situation.espo_id).failures == []
            left.append(written(firm))

        with monkeypatch.context() as patched:
            stop = Stop(redis, patched, place, lease_key(f"{ENTITY}:{situation.espo_id}"), meanwhile, firm.clock)
            stop.lay()
            outcome = situation.run() if situation.run is not None else firm.outcomes(situation.espo_id)[0]
        if not stop.struck:
            return held
        if stop.held_the_lease:
            held += 1
            put_off(firm, situation.espo_id, outcome)
            assert written(firm) == left[-1], f"written after the lease was lost at call {place}"
        situation.check()
        if stop.held_the_lease:
            settled(firm, situation.espo_id)
            situation.check()
    raise AssertionError(f"a pass makes more than {MOST_CALLS} calls")


def settled(firm: Firm, espo_id: str) -> None:
    """At most one more pass has something to write: of an edit that came after what was stored last."""
    assert firm.sync(espo_id).failures == []
    assert not any(firm.sync(espo_id).writes.values())


def written(firm: Firm) -> int:
    return int(firm.office.calls()["writes"] + firm.crm.calls()["writes"])


def put_off(firm: Firm, espo_id: str, outcome: RecordOutcome) -> None:
    if outcome.result is not Result.SYNCED:  # all that was to do may have been done when it was stopped
        assert (outcome.result, outcome.later) == (Result.SKIPPED, True), outcome
    assert firm.crm_record(espo_id)["syncStatus"] == "clean"
    with firm.store.reading() as tx:
        known = tx.records.get(ENTITY, espo_id)
    assert known is None or known.status == "clean"


def addresses_pass(firm: Firm, record: str) -> list[RecordOutcome]:
    """The pass of one address alone."""

    async def one_pass(context: PassContext) -> list[RecordOutcome]:
        batch = await ADDRESSES.fetch(context, [record])
        ADDRESSES.map_fields(batch)
        ADDRESSES.diff(batch)
        return await ADDRESSES.write(context, batch)

    return list(firm.run(one_pass))


@pytest.mark.proof
def test_of_parties(firm: Firm, sync_redis: SyncRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    def arrange(number: int) -> Situation:
        espo_id, betnr = firm.linked_party(lastName=f"Alt{number}", titel="Dr.")
        firm.crm_edit(espo_id, titel="veraltet", lastName=f"Crm{number}")
        firm.office_edit(betnr, name=f"Office{number}")

        def edit() -> None:
            firm.crm_edit(espo_id, titel="Prof. Dr.")
            firm.office_edit(betnr, zusatz="c/o Kanzlei")

        def check() -> None:
            record, party = firm.crm_record(espo_id), firm.office_record(betnr)
            assert (record["titel"], record["zusatz"]) == ("Prof. Dr.", "c/o Kanzlei")
            assert (party["titel"], party["zusatz"]) == ("Prof. Dr.", "c/o Kanzlei")
            assert record["lastName"] == party["name"] == f"Crm{number}"

        return Situation(espo_id, edit, check)

    assert stopped_everywhere(firm, sync_redis, monkeypatch, arrange) >= 6


def test_of_new_parties(firm: Firm, sync_redis: SyncRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    def arrange(number: int) -> Situation:
        espo_id = firm.crm_party(firstName="Erika", lastName=f"Neu{number}", titel="veraltet")

        def check() -> None:
            (party,) = [one for one in firm.office_records() if one["name"] == f"Neu{number}"]
            record = firm.crm_record(espo_id)
            assert (record["betnr"], record["titel"], party["titel"]) == (party["betNr"], "Prof. Dr.", "Prof. Dr.")

        return Situation(espo_id, lambda: firm.crm_edit(espo_id, titel="Prof. Dr."), check)

    assert stopped_everywhere(firm, sync_redis, monkeypatch, arrange) >= 5


@pytest.mark.proof
def test_of_entries(firm: Firm, sync_redis: SyncRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    def arrange(number: int) -> Situation:
        espo_id, betnr = sides.party(firm, phones=[phone("+49511123456", primary=True)])
        firm.crm_edit(espo_id, emailAddressData=[mail(f"alt{number}@huber.example", primary=True)])

        def edit() -> None:
            firm.crm_edit(espo_id, emailAddressData=[mail(f"neu{number}@huber.example", primary=True)])

        def check() -> None:
            assert f"neu{number}@huber.example" in sides.addresses(firm, espo_id)
            there = sides.values(firm, betnr)
            assert f"neu{number}@huber.example" in there and f"alt{number}@huber.example" not in there

        return Situation(espo_id, edit, check)

    assert stopped_everywhere(firm, sync_redis, monkeypatch, arrange) >= 4


@pytest.mark.parametrize("own_pass", [pytest.param(False, marks=pytest.mark.proof), True])
def test_of_addresses(firm: Firm, sync_redis: SyncRedis, monkeypatch: pytest.MonkeyPatch, own_pass: bool) -> None:
    def arrange(number: int) -> Situation:
        espo_id, betnr, record, key = addresses.linked(firm)
        addresses.edit(firm, record, adresseStreet="Veraltete Gasse 2")

        def edit() -> None:
            addresses.edit(firm, record, adresseStreet=f"Neueste Gasse {number}")
            addresses.office_edit(firm, key, ort="Celle")

        def check() -> None:
            (there,) = addresses.there(firm, betnr)
            here = addresses.here(firm, record)
            assert (there["strasse"], there["ort"]) == (f"Neueste Gasse {number}", "Celle")
            assert (here["adresseStreet"], here["adresseCity"]) == (f"Neueste Gasse {number}", "Celle")

        def run() -> RecordOutcome:
            (outcome,) = addresses_pass(firm, record)
            return outcome

        return Situation(espo_id, edit, check, run if own_pass else None)

    assert stopped_everywhere(firm, sync_redis, monkeypatch, arrange) >= 4
