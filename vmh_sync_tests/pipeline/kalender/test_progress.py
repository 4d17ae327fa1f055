"""A first load shows how far it is: in the run's log, on the asset, and on the command line (kalender.md 6)."""

import re
from collections.abc import Iterator

import dagster as dg
import pytest
from typer.testing import CliRunner

from vmh_sync.cli import app
from vmh_sync.kalender.pipeline import EMPLOYEES, KALENDER
from vmh_sync_tests.fixtures.chancery import Chancery
from vmh_sync_tests.fixtures.jobs import job

EVENTS = 110


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as made:
        yield made


def fill(chancery: Chancery) -> None:
    chancery.employee()
    day = f"{chancery.day().isoformat()}T00:00:00"
    times = {"datum": day, "datumBis": day, "uhrzeitVon": "10:30:00", "uhrzeitBis": "11:30:00"}
    chancery.office.seed(termine=[{"sb": "SB", "text": f"Termin {number}", **times} for number in range(EVENTS)])


def test_the_run_tells_in_its_log_and_on_the_asset_how_far_it_is(
    chancery: Chancery, instance: dg.DagsterInstance
) -> None:
    fill(chancery)
    result = job("sync_kalender").execute_in_process(instance=instance)
    log = [one.user_message for one in instance.all_logs(result.run_id)]
    first = next(line for line in log if line.startswith("Kürzel SB: 0 of 110 events written"))
    assert re.search(r"expected end \d\d:\d\d$", first)
    assert "Kürzel SB: 110 of 110 events written" in log
    found = instance.fetch_observations(EMPLOYEES, limit=10).records
    standing = [one.asset_observation for one in found if one.asset_observation is not None]
    (passed,) = instance.fetch_observations(KALENDER, limit=10).records
    whole = passed.asset_observation
    assert whole is not None
    assert [one.metadata["geschrieben"].value for one in standing] == [110, 0]
    assert standing[1].partition == "SB"
    assert re.fullmatch(r"\d\d\.\d\d\.\d{4} \d\d:\d\d", str(standing[1].metadata["fertig etwa"].value))
    assert (whole.partition, whole.description) == (None, "von Hand: 110 abgeglichen")
    assert whole.metadata["im Gleichstand"].value == 110
    assert float(str(whole.metadata["Kontingent Google (%)"].value)) > 0
    assert "Termin 1" not in " ".join(log), "no content in the log"


def test_the_command_line_tells_on_stderr_and_json_stays_alone(chancery: Chancery) -> None:
    fill(chancery)
    done = CliRunner().invoke(app, ["sync", "kalender", "--kuerzel", "SB"])
    assert done.exit_code == 0, done.output
    lines = [line for line in done.stderr.splitlines() if line.startswith("Kürzel SB")]
    assert re.fullmatch(r"Kürzel SB: 0 von 110 Terminen geschrieben, Ende etwa \d\d:\d\d Uhr", lines[0])
    assert lines[-1] == "Kürzel SB: 110 von 110 Terminen geschrieben"
    assert "110 Datensätze" in done.stdout and "Kürzel SB" not in done.stdout
    quiet = CliRunner().invoke(app, ["sync", "kalender", "--kuerzel", "SB", "--json"])
    assert "geschrieben," not in quiet.stderr
