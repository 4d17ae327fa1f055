"""A worker stopped in its write window for longer than its lease: what it still holds to send is not sent any more.

It stops itself (SIGSTOP) between the answer to its last look and its PUT, as a paused container or a suspended machine
does it at the worst moment. It owns a plan that was right when it was made; another pass has carried on a newer edit
since. ``pipeline/write_window/test_a_lease_lost_at_any_call.py`` plays the stop at every call and for every entity.
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
from vmh_sync_tests.crash.passes import KillablePass
from vmh_sync_tests.crash.test_kill_at_every_call import environment
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.fork_server import fork_server

pytestmark = pytest.mark.crash

PATIENCE = 60.0
"""For what has to come at some time; nothing is measured."""


def until(what: str, check: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not check():
        assert time.monotonic() < deadline, f"not within {PATIENCE:.0f} s: {what}"
        time.sleep(0.01)


def puts(firm: Firm) -> int:
    return sum(one["method"] == "PUT" for one in firm.office.calls()["log"])


@contextmanager
def stopped_in_the_write_window(
    firm: Firm, redis: SyncRedis, espo_id: str, *, in_queue: bool
) -> Iterator[KillablePass]:
    """Run a pass until it is about to send its PUT, or waits for its turn, and wait until its lease is gone."""
    worker = KillablePass(
        fork_server(), environment(), [espo_id], stops_before="replace_beteiligter", in_queue=in_queue
    )
    try:
        firm.office.clear_calls()
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


@pytest.mark.parametrize("in_queue", [False, True], ids=["before the call", "in the queue for a slot"])
def test_a_worker_stopped_beyond_its_lease_sends_no_stale_party_and_the_newer_edits_stand(
    firm: Firm, sync_redis: SyncRedis, in_queue: bool
) -> None:
    espo_id, betnr = firm.linked_party(lastName="Huber", titel="Dr.")
    firm.crm_edit(espo_id, titel="veraltet")
    with stopped_in_the_write_window(firm, sync_redis, espo_id, in_queue=in_queue) as worker:
        firm.crm_edit(espo_id, titel="Prof. Dr.")
        firm.office_edit(betnr, zusatz="c/o Kanzlei")
        assert firm.sync(espo_id).failures == []
        assert puts(firm) == 1
        firm.office.clear_calls()
        firm.crm.clear_calls()
        assert went_on(worker) == "skipped"
        assert firm.office.calls()["writes"] == 0, "the stale PUT arrived"
        assert firm.crm.calls()["writes"] == 0, "it said something about a record that is not its own any more"
    assert firm.until_quiet() == 1
    record, party = firm.crm_record(espo_id), firm.office_record(betnr)
    assert (record["titel"], record["zusatz"]) == ("Prof. Dr.", "c/o Kanzlei")
    assert (party["titel"], party["zusatz"]) == ("Prof. Dr.", "c/o Kanzlei")
    assert record["syncStatus"] == "clean"
