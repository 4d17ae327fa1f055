"""A worker stopped in its write window for longer than its lease: what it still holds to send is not sent any more.

Stopped (SIGSTOP) between the office's answer to its last look and its PUT, as a paused container or a suspended machine
does it. It owns a plan that was right when it was made; another pass has carried on a newer edit since.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest

from vmh_sync.beteiligte.party import ENTITY
from vmh_sync.coordination.connection import SyncRedis
from vmh_sync.coordination.leases import lease_key
from vmh_sync_tests.crash.passes import KillablePass, fork_server
from vmh_sync_tests.crash.test_kill_at_every_call import ANY_CALL, environment
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.adressen import test_addresses as addresses

pytestmark = pytest.mark.crash

LEASE_SECONDS = 2
PATIENCE = 30.0


@pytest.fixture(autouse=True)
def short_leases(firm_environment: pytest.MonkeyPatch) -> None:
    firm_environment.setenv("VMH_LEASE_SECONDS", str(LEASE_SECONDS))


def until(what: str, check: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not check():
        assert time.monotonic() < deadline, f"not within {PATIENCE:.0f} s: {what}"
        time.sleep(0.01)


def puts(firm: Firm) -> int:
    return sum(one["method"] == "PUT" for one in firm.office.calls()["log"])


def looks_before_the_put(firm: Firm, espo_id: str) -> int:
    """Sync what was edited; returns how many reads of the office such a pass makes up to the one before its PUT."""
    firm.office.clear_calls()
    firm.sync(espo_id)
    calls = [(one["method"], one["path"]) for one in firm.office.calls()["log"] if "/Token" not in one["path"]]
    put = next(number for number, (method, _) in enumerate(calls) if method == "PUT")
    assert calls[put - 1][0] == "GET", "a PUT is sent directly after a look"
    return sum(method == "GET" for method, _ in calls[:put])


@contextmanager
def stopped_in_the_write_window(firm: Firm, redis: SyncRedis, espo_id: str, looks: int) -> Iterator[KillablePass]:
    """Run a pass until its last look was answered, stop it there, and wait until its lease is gone."""
    worker = KillablePass(fork_server(), environment(), [espo_id])
    try:
        firm.office.clear_calls()
        firm.office.fault(ANY_CALL, "stop_after", method="GET", skip=looks - 1, times=1, pid=worker.pid)
        worker.begin()
        process = psutil.Process(worker.pid)
        until("the worker stops", lambda: process.status() == psutil.STATUS_STOPPED)
        assert puts(firm) == 0, "stopped before its PUT left"
        assert redis.exists(lease_key(f"{ENTITY}:{espo_id}")), "it was stopped while it held the lease"
        until("the lease runs out", lambda: not redis.exists(lease_key(f"{ENTITY}:{espo_id}")))
        yield worker
    finally:
        worker.kill()


def went_on(worker: KillablePass) -> str:
    """Let the worker go on to its end; returns how its record ended."""
    os.kill(worker.pid, signal.SIGCONT)
    outcome = worker.end()
    assert outcome is not None
    return outcome[0][0]


def settled(firm: Firm, espo_id: str) -> None:
    """Nothing is left to do but to take back what the late worker told about itself on the record: it had failed."""
    for bookkeeping in (1, 0):
        firm.office.clear_calls()
        firm.crm.clear_calls()
        firm.sync(espo_id)
        assert firm.office.calls()["writes"] == 0
        assert firm.crm.calls()["writes"] <= bookkeeping


def test_a_worker_stopped_beyond_its_lease_sends_no_stale_party_and_the_newer_edits_stand(
    firm: Firm, sync_redis: SyncRedis
) -> None:
    espo_id, betnr = firm.linked_party(lastName="Huber", titel="Dr.")
    firm.crm_edit(espo_id, titel="Prof.")
    looks = looks_before_the_put(firm, espo_id)
    firm.crm_edit(espo_id, titel="veraltet")
    with stopped_in_the_write_window(firm, sync_redis, espo_id, looks) as worker:
        firm.crm_edit(espo_id, titel="Prof. Dr.")
        firm.office_edit(betnr, zusatz="c/o Kanzlei")
        assert firm.sync(espo_id).failures == []
        newer = puts(firm)
        assert newer == 1
        assert went_on(worker) == "failed"
        assert puts(firm) == newer, "the stale PUT arrived"
    settled(firm, espo_id)
    record, party = firm.crm_record(espo_id), firm.office_record(betnr)
    assert (record["titel"], record["zusatz"]) == ("Prof. Dr.", "c/o Kanzlei")
    assert (party["titel"], party["zusatz"]) == ("Prof. Dr.", "c/o Kanzlei")
    assert record["syncStatus"] == "clean"


def test_a_worker_stopped_beyond_its_lease_sends_no_stale_address_and_the_newer_edits_stand(
    firm: Firm, sync_redis: SyncRedis
) -> None:
    espo_id, betnr, record, key = addresses.linked(firm)
    addresses.edit(firm, record, adresseStreet="Neue Gasse 1")
    looks = looks_before_the_put(firm, espo_id)
    addresses.edit(firm, record, adresseStreet="Veraltete Gasse 2")
    with stopped_in_the_write_window(firm, sync_redis, espo_id, looks) as worker:
        addresses.edit(firm, record, adresseStreet="Neueste Gasse 3")
        addresses.office_edit(firm, key, ort="Celle")
        assert firm.sync(espo_id).failures == []
        newer = puts(firm)
        assert newer == 1
        assert went_on(worker) == "failed"
        assert puts(firm) == newer, "the stale PUT arrived"
    settled(firm, espo_id)
    (made,) = addresses.there(firm, betnr)
    assert (made["strasse"], made["ort"]) == ("Neueste Gasse 3", "Celle")
    here = addresses.here(firm, record)
    assert (here["adresseStreet"], here["adresseCity"]) == ("Neueste Gasse 3", "Celle")
    assert here["syncStatus"] == "clean"
