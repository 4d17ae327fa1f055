"""The first day on a copy: the report is true, and the real systems are only read."""

import json
import os
import subprocess
import sys
from pathlib import Path

from vmh_sync_tests.fixtures.firm import Firm


def test_a_rehearsal_reports_what_the_first_day_would_do_and_writes_nothing(firm: Firm, tmp_path: Path) -> None:
    firm.office_party(name="Zwilling", vorname="Anna", geburtsdatum="1980-05-17T00:00:00")
    firm.crm_party(lastName="Zwilling", firstName="Anna", dateOfBirth="1980-05-17")
    firm.crm_party(lastName="Neumann", firstName="Ina")
    firm.crm_party(lastName="Alt", firstName="Otto", betnr=firm.office_party(name="Alt", vorname="Otto"))
    for system in (firm.sandbox.office, firm.sandbox.crm):
        system.clear_calls()
    answer = subprocess.run(
        [sys.executable, "-c", "from vmh_sync.cli import main; main()", "rehearse", "--json"],
        cwd=tmp_path,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    report = json.loads(answer.stdout)
    assert report["copied"] == {"espocrm": 3, "advoware": 2}
    assert report["sync"]["writes"]["advoware"] > 0 and report["quiet"] and report["failures"] == []
    assert report["linked"] + report["questions"] == 1
    assert not firm.sandbox.office.calls()["writes"] and not firm.sandbox.crm.calls()["writes"]
    assert "Zwilling" not in answer.stdout
