"""SIGKILL of ``vmh-sync sync`` with everything it started: the next start repairs what is left."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vmh_sync_tests.e2e.dagster_stack import wait_until
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.warm_programs import carried_out

pytestmark = pytest.mark.crash

WORDS = ("sync", "beteiligte", "--all", "--json")
COMMAND = [sys.executable, "-c", "from vmh_sync.cli import main; main()", *WORDS]


def posts(firm: Firm) -> int:
    return int(firm.office.calls()["by_route"].get("POST Beteiligte", 0))


def test_a_killed_command_and_its_embedded_services_leave_nothing_that_the_next_start_does_not_repair(
    firm: Firm, firm_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # The embedded default: database, Valkey and Dagster home below VMH_HOME.
    for name in ("REDIS_URL", "VMH_DATABASE_URL", "DAGSTER_HOME"):
        firm_environment.delenv(name, raising=False)
    firm_environment.setenv("VMH_HOME", str(tmp_path / "home"))
    ids = [firm.crm_party(lastName=f"Nr {number}") for number in range(10)]
    firm.office.fault(r"/Beteiligte$", "hang", method="POST", skip=4, times=1, seconds=30)
    with subprocess.Popen(COMMAND, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True) as run:
        wait_until("it creates the fifth", lambda: run.poll() is not None or posts(firm) >= 5)
        assert run.poll() is None, "the command ended before it could be killed"
        os.killpg(run.pid, signal.SIGKILL)
    firm.office.clear_faults()
    for expected in ({"failed": 0}, {"failed": 0, "synced": 0}):
        result = carried_out(WORDS, os.environ)
        assert result.returncode == 0, result.stderr
        summary = json.loads(result.stdout)
        assert {name: summary[name] for name in expected} == expected
    assert summary["writes"] == {"advoware": 0, "espocrm": 0, "google": 0}
    assert len(firm.office_records()) == 10, "each created once"
    assert all(firm.crm_record(espo_id)["syncStatus"] == "clean" for espo_id in ids)
