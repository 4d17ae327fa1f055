"""Runs are forked from a warm process, and are still processes that can die alone."""

import os
import re
import signal
from pathlib import Path

import psutil
import pytest

from vmh_sync.orchestration.dagster_home import ensure_dagster_home
from vmh_sync_tests.e2e.dagster_stack import DagsterStack, running_dagster, wait_until
from vmh_sync_tests.fixtures.firm import Firm

pytestmark = pytest.mark.e2e


def test_a_killed_run_harms_no_other_and_nothing_is_left_at_the_end(
    firm: Firm, firm_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = ensure_dagster_home(tmp_path / "dagster")
    firm_environment.setenv("DAGSTER_HOME", str(home))
    with running_dagster(home, {}) as dagster:
        # Nobody else may take the hanging request, or the two places for runs of this entity.
        dagster.stop_schedules()
        dagster.stop_sensors()
        espo_id = firm.crm_party(lastName="Mitten im Lauf")
        firm.office.fault(r"Beteiligte$", "hang", method="POST", seconds=60, times=1)
        run_id = dagster.launch("sync_beteiligte", {"ids": [espo_id]})
        run = psutil.Process(wait_until("the run tells its process", lambda: _process_of(dagster, run_id)))
        warm = run.parent()
        assert warm is not None
        assert "multiprocessing.forkserver" in " ".join(warm.cmdline()), "the run was not forked but started anew"

        wait_until("the run hangs in the middle of a create", lambda: _creating(firm))
        os.kill(run.pid, signal.SIGKILL)
        assert dagster.finished(run_id) == "FAILURE"

        # Dagster starts crashed runs again, and nobody else would: the record is created, and once.
        wait_until("the party is created after all", lambda: firm.crm_record(espo_id).get("betnr"))
        assert [row["name"] for row in firm.office_records()].count("Mitten im Lauf") == 1
    wait_until("the warm process ends with the code server", lambda: not warm.is_running(), 20)


def _process_of(dagster: DagsterStack, run_id: str) -> int | None:
    data = dagster.query(
        "query($id: ID!) { runOrError(runId: $id) { ... on Run { eventConnection { events {"
        " ... on MessageEvent { message } } } } } }",
        id=run_id,
    )
    messages = " ".join(event.get("message", "") for event in data["runOrError"]["eventConnection"]["events"])
    found = re.search(r"Started process for run \(pid: (\d+)\)", messages)
    assert found or dagster.run_status(run_id) not in {"FAILURE", "CANCELED"}, messages
    return int(found[1]) if found else None


def _creating(firm: Firm) -> bool:
    return any(call["method"] == "POST" and call["path"].endswith("/Beteiligte") for call in _log(firm))


def _log(firm: Firm) -> list[dict[str, str]]:
    log: list[dict[str, str]] = firm.office.calls(last=50)["log"]
    return log
