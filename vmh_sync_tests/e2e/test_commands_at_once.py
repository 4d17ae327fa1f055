"""Several commands at once in a new folder: each waits for what another is setting up or writing, none fails."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from vmh_sync_tests.fixtures.firm import Firm

pytestmark = [pytest.mark.e2e, pytest.mark.proof]

COMMAND = [sys.executable, "-c", "from vmh_sync.cli import main; main()", "sync", "beteiligte", "--dirty", "--json"]
AT_ONCE = 5


def test_five_commands_at_once_in_a_new_folder_all_succeed_and_double_nothing(
    firm: Firm, firm_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # The embedded default: database, Valkey and Dagster home below VMH_HOME, none of them made yet.
    for name in ("REDIS_URL", "VMH_DATABASE_URL", "DAGSTER_HOME"):
        firm_environment.delenv(name, raising=False)
    firm_environment.setenv("VMH_HOME", str(tmp_path / "home"))
    ids = [firm.crm_party(lastName=f"Nr {number}") for number in range(4)]

    started = [
        subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(AT_ONCE)
    ]
    said = [process.communicate(timeout=120) for process in started]

    assert [process.returncode for process in started] == [0] * AT_ONCE, [errors[-2000:] for _, errors in said]
    assert [json.loads(output)["failed"] for output, _ in said] == [0] * AT_ONCE
    assert not [errors for _, errors in said if "locked" in errors]
    assert len(firm.office_records()) == len(ids), "each created once"
