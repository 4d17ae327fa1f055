"""The demo and ``up`` as a user runs them: real processes, from the command line."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from vmh_sync_tests.e2e.dagster_stack import free_port, wait_until
from vmh_sync_tests.fixtures.firm import Firm

pytestmark = pytest.mark.e2e

COMMAND = [sys.executable, "-c", "from vmh_sync.cli import main; main()"]


def run(*arguments: str, seconds: float = 240, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def test_the_demo_ends_with_both_sides_alike_and_can_be_repeated(tmp_path: Path) -> None:
    for _ in range(2):
        result = run("demo", "--once", "--parties", "20", VMH_HOME=str(tmp_path / "vmh"))
        assert result.returncode == 0, result.stdout + result.stderr
        assert "NICHT in Ordnung" not in result.stdout
        assert "0 verschieden, " in result.stdout
        assert "DEBUG" not in result.stderr


def test_reconcile_finds_what_differs(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(firstName="Max", lastName="Muster")
    assert run("reconcile", "--json").returncode == 0
    firm.office_edit(betnr, titel="Prof.")
    result = run("reconcile", "--json")
    assert result.returncode == 3
    assert f'"id": "{espo_id}"' in result.stdout
    assert '"field": "titel"' in result.stdout
    assert "Prof." not in result.stdout, "no values"


def test_up_starts_everything_and_leaves_nothing_behind(
    firm: Firm, firm_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    web, gateway = free_port(), free_port()
    firm_environment.setenv("VMH_GATEWAY_PORT", str(gateway))
    process = subprocess.Popen([*COMMAND, "up", "--port", str(web)], stdout=subprocess.PIPE, text=True)
    try:
        wait_until("Dagster answers", lambda: _answers(f"http://127.0.0.1:{web}/server_info"))
        wait_until("the gateway answers", lambda: _answers(f"http://127.0.0.1:{gateway}/health"))
        espo_id = firm.crm_party(lastName="Neu")
        wait_until("the sensor syncs a new party", lambda: firm.crm_record(espo_id).get("betnr"))
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert not _answers(f"http://127.0.0.1:{web}/server_info")
    assert not _answers(f"http://127.0.0.1:{gateway}/health")


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def test_a_missing_setting_is_named_with_what_it_is_for(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ADVOWARE_", "ESPOCRM_"))}
    result = subprocess.run(
        [*COMMAND, "sync", "beteiligte", "--all"],
        env={**environment, "VMH_HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 2
    assert "ADVOWARE_KANZLEI fehlt" in result.stderr
    assert "Traceback" not in result.stderr
