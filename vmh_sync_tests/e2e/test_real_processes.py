"""The real processes, driven as a person drives them in the Dagster UI: launch, sensor, dry run, backfill.

The long form: the normal run sees the same in ``test_browser``, ``test_whole_house`` and ``pipeline/repair``.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from vmh_sync.orchestration.dagster_home import ensure_dagster_home
from vmh_sync_tests.e2e.dagster_stack import DagsterStack, running_dagster, wait_until
from vmh_sync_tests.fixtures.firm import Firm

pytestmark = [pytest.mark.e2e, pytest.mark.proof]


@pytest.fixture
def dagster(firm: Firm, firm_environment: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[DagsterStack]:
    home = ensure_dagster_home(tmp_path / "dagster")
    firm_environment.setenv("DAGSTER_HOME", str(home))
    with running_dagster(home, {}) as stack:
        yield stack


def test_launch_sensor_dry_run_and_backfill(firm: Firm, dagster: DagsterStack) -> None:
    # A person launches the job for one record.
    first = firm.crm_party(lastName="Von Hand")
    run_id = dagster.launch("sync_beteiligte", {"ids": [first]})
    assert dagster.finished(run_id) == "SUCCESS"
    assert dagster.metadata(run_id)["abgeglichen"] == 1
    betnr = firm.crm_record(first)["betnr"]
    assert firm.office_record(betnr)["name"] == "Von Hand"

    # The sensor finds what changes in EspoCRM, without anybody launching anything.
    second = firm.crm_party(lastName="Gefunden")
    firm.crm_edit(first, lastName="Umbenannt")
    wait_until("the sensor syncs the new party", lambda: firm.crm_record(second).get("betnr"))
    wait_until("the sensor syncs the edit", lambda: firm.office_record(betnr)["name"] == "Umbenannt")

    # A dry run shows the plan and changes nothing.
    firm.office_edit(betnr, titel="Dr.")
    dry = dagster.launch("sync_beteiligte", {"ids": [first], "dry_run": True})
    assert dagster.finished(dry) == "SUCCESS"
    plan = dagster.metadata(dry)["Plan"]
    assert "titel" in plan
    assert "Dr." not in plan, "values are shown only when asked for"
    assert firm.crm_record(first)["titel"] is None

    # Records that failed show up as partitions, and a backfill mends them in one run.
    failing = [firm.crm_party(lastName=f"Fehler {number}") for number in range(3)]
    firm.office.fault(r"Beteiligte$", "status", method="POST", status=400, body="Pflichtfeld fehlt")
    wait_until(
        "the failed records are partitions",
        lambda: set(failing) <= set(dagster.partition_keys("repaired_beteiligte")),
    )
    assert firm.crm_record(failing[0])["syncStatus"] == "permanently_failed"
    firm.office.clear_faults()
    backfill = dagster.backfill("repaired_beteiligte", failing)
    wait_until("the backfill is done", lambda: dagster.backfill_status(backfill) == "COMPLETED_SUCCESS", 150)
    assert all(firm.crm_record(espo_id)["syncStatus"] == "clean" for espo_id in failing)
    assert all(firm.crm_record(espo_id)["betnr"] for espo_id in failing)
    runs = [r for r in dagster.runs("__ASSET_JOB") + dagster.runs("repair_beteiligte") if r["status"] == "SUCCESS"]
    assert len(runs) == 1, "one run for all keys"
    wait_until("healed records are partitions no more", lambda: not dagster.partition_keys("repaired_beteiligte"))
