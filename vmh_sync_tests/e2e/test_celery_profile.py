"""The Celery profile for real: shipped files, real processes, signed webhooks, killed workers."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import psycopg2
import pytest

from vmh_sync.services.valkey import ensure_redis
from vmh_sync_tests.e2e.celery_house import CeleryHouse, running_house
from vmh_sync_tests.e2e.dagster_stack import wait_until
from vmh_sync_tests.e2e.killing import a_killed_run_doubles_nothing, heals_when_all_is_killed
from vmh_sync_tests.fixtures.deployed import deployed
from vmh_sync_tests.fixtures.house import house_folder
from vmh_sync_tests.fixtures.sandbox import Sandbox

pytestmark = pytest.mark.e2e

DEPLOY = Path(__file__).parents[2] / "deploy"
WORKER = ["worker", "start", "-A", "dagster_celery.app", "-y", str(DEPLOY / "celery.yaml")]
WORKER_OPTIONS = ["--", "--concurrency", "2", "--max-tasks-per-child", "500"]
SENSOR_TICKS = """query($selector: SensorSelector!) { sensorOrError(sensorSelector: $selector) { ... on Sensor {
                    sensorState { ticks(limit: 20) { status } } } } }"""


@pytest.fixture
def folder() -> Iterator[Path]:
    made = house_folder()
    yield made
    shutil.rmtree(made, ignore_errors=True)


@contextmanager
def shipped_worker(folder: Path) -> Iterator[psutil.Process]:
    """The worker as deploy/README.md starts it; yields Celery's own process."""
    scripts = Path(sys.executable).parent
    with (
        (folder / "worker.log").open("wb") as log,
        subprocess.Popen(
            [str(scripts / "dagster-celery"), *WORKER, *WORKER_OPTIONS],
            env={**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"},
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as process,
    ):
        try:
            wait_until("the worker is ready", lambda: b" ready." in (folder / "worker.log").read_bytes(), 60)
            celery = psutil.Process(process.pid).children()[0]
            yield celery
            celery.terminate()
            celery.wait(30)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def test_shipped_files_on_postgresql(sandbox_process: Sandbox, folder: Path) -> None:
    with deployed() as place:
        queue = ensure_redis(folder / "vmh").replace("unix://", "redis+socket://")
        settings = {"DAGSTER_CELERY_BROKER": queue, "DAGSTER_CELERY_BACKEND": queue, "VMH_RUN_WORKERS": "elsewhere"}
        with running_house(sandbox_process, folder, {**place, **settings}) as house, shipped_worker(folder) as worker:
            _an_edit_arrives_through(house, worker)
            a_killed_run_doubles_nothing(house)
            ticks = _sensor_ticks(house, "beteiligte_dirty")
            assert ticks and set(ticks) <= {"SUCCESS", "SKIPPED", "STARTED"}, ticks
        assert _successful_runs(place) > 1
        assert list(Path(place["DAGSTER_HOME"]).rglob("*.db")) == [], "nothing of Dagster is in SQLite"


def _successful_runs(place: Mapping[str, str]) -> int:
    connection = psycopg2.connect(
        host=place["DAGSTER_PG_HOST"],
        port=place["DAGSTER_PG_PORT"],
        user=place["DAGSTER_PG_USER"],
        dbname=place["DAGSTER_PG_DB"],
    )
    with closing(connection), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM runs WHERE status = 'SUCCESS'")
        return int(cursor.fetchone()[0])


def _runs(house: CeleryHouse) -> list[str]:
    """The ids of all runs of parties, newest first."""
    return [run["runId"] for run in house.dagster.runs("sync_beteiligte")]


def _an_edit_arrives_through(house: CeleryHouse, worker: psutil.Process) -> None:
    espo_id, betnr = house.party_by_webhook("Eins")
    before = set(_runs(house))
    house.firm.crm_edit(espo_id, lastName="Zwei")
    house.deliver()
    wait_until("the edit arrives", lambda: house.firm.office_record(betnr)["name"] == "Zwei")
    run_id = next(one for one in reversed(_runs(house)) if one not in before)  # the webhook's, or a sensor was quicker
    assert house.dagster.finished(run_id) == "SUCCESS"
    assert house.process_of(run_id) in {child.pid for child in worker.children()}


def _sensor_ticks(house: CeleryHouse, name: str) -> list[str]:
    selector = {"repositoryName": "__repository__", "repositoryLocationName": "vmh_sync", "sensorName": name}
    state = house.dagster.query(SENSOR_TICKS, selector=selector)["sensorOrError"]["sensorState"]
    return [tick["status"] for tick in state["ticks"]]


@pytest.mark.proof
def test_embedded_home_heals_when_all_is_killed_during_a_run(sandbox_process: Sandbox, folder: Path) -> None:
    """With the default launcher: ``test_whole_house.py``."""
    with running_house(sandbox_process, folder, {"VMH_RUN_WORKERS": "celery"}) as house:
        heals_when_all_is_killed(house, "run_worker")
