"""A thousand signed events that arrived while Dagster was gone are drained to the last row, whatever dies meanwhile."""

import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from vmh_sync_tests.e2e.dagster_stack import wait_until
from vmh_sync_tests.fixtures.gateway import GatewayProcess
from vmh_sync_tests.fixtures.house import House, journal_of, running_up

pytestmark = pytest.mark.e2e

EVENTS = 1000
DRAIN_SECONDS = 480.0
DAGSTER = ("dagster-daemon", "dagster-webserver", "code_server")


def _kill_dagster(process: psutil.Process) -> int:
    """Kill all processes of Dagster, runs included; returns how many."""
    killed = 0
    for child in process.children(recursive=True):
        try:
            line = " ".join(child.cmdline())
            if any(name in line for name in DAGSTER) or "forkserver" in line:
                child.kill()
                killed += 1
        except psutil.NoSuchProcess:
            continue
    return killed


@pytest.mark.proof
def test_what_arrived_while_dagster_was_gone_is_synced_to_the_last_record(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    firm = house.firm
    journal = journal_of(house.folder)
    assert house.process is not None
    assert _kill_dagster(psutil.Process(house.process.pid)) >= len(DAGSTER)
    os.kill(house.process.pid, signal.SIGKILL)
    house.process.wait(30)
    port = house.gateway_url.rpartition(":")[2]
    alone = GatewayProcess(tmp_path / "gateway.log", VMH_GATEWAY_PORT=port, VMH_DAGSTER_URL=house.dagster.url)
    ids = [firm.crm_party(lastName=f"Stau {number}") for number in range(EVENTS)]
    queue = firm.crm.do("flush_webhooks")
    assert not queue.get("failed") and not queue.get("items"), queue
    alone.stop()
    assert journal.count("event") >= EVENTS
    assert journal.waiting() >= EVENTS

    began = time.monotonic()
    with running_up(house.folder, house.gateway_url, int(house.dagster.url.rpartition(":")[2])) as process:
        wait_until("a quarter is done", lambda: journal.count("done") >= EVENTS // 4, DRAIN_SECONDS)
        assert _kill_dagster(psutil.Process(process.pid)) >= len(DAGSTER)
        wait_until("the inbox is empty", lambda: not journal.waiting(), DRAIN_SECONDS)
        seconds = time.monotonic() - began

    records = {record["id"]: record for record in firm.crm_records("CBeteiligte")}
    numbers = [records[espo_id]["betnr"] for espo_id in ids]
    with capsys.disabled():
        sys.stderr.write(
            f"{EVENTS} events drained by {journal.workers()} runs in {seconds:.0f} s, Dagster killed once\n"
        )
    assert journal.not_synced() == set()
    assert [espo_id for espo_id in ids if records[espo_id]["syncStatus"] != "clean"] == []
    assert len(set(numbers)) == EVENTS, "each has a number of its own"
    assert len(firm.office_records()) == EVENTS, "and was created once"
