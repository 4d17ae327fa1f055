"""What is killed in a running house, and what must come of it; both launchers must pass."""

from contextlib import suppress

import psutil

from vmh_sync_tests.e2e.celery_house import CeleryHouse
from vmh_sync_tests.e2e.dagster_stack import wait_until


def a_killed_run_doubles_nothing(house: CeleryHouse) -> int:
    """The run's process is killed when Advoware has created the party, before it can note the number.

    Returns the process that the run was forked from.
    """
    firm = house.firm
    before = set(house.webhook_runs())
    firm.crm.fault("CBeteiligte", "latency", method="GET", seconds=3)  # each: the sensor reads too
    espo_id = firm.crm_party(lastName="Nur einmal")
    house.deliver()
    run_id = wait_until("its run is launched", lambda: next(iter(set(house.webhook_runs()) - before), None))
    child = wait_until("it runs", lambda: house.process_of(run_id))
    parent = psutil.Process(child).ppid()
    firm.office.fault("Beteiligte$", "kill_after", method="POST", times=1, pid=child)
    firm.crm.clear_faults()
    wait_until("the child is gone", lambda: not psutil.pid_exists(child))
    assert house.dagster.finished(run_id) == "FAILURE"
    # Not only the sensors see to it: a run over chosen records has nobody else.
    wait_until("Dagster starts it again", lambda: _started_again(house, run_id))
    betnr = wait_until("the party is linked", lambda: firm.crm_record(espo_id).get("betnr"))
    wait_until("it is in order", lambda: firm.crm_record(espo_id)["syncStatus"] == "clean")
    assert [row["betNr"] for row in firm.office_records() if row["name"] == "Nur einmal"] == [betnr]
    return parent


def _started_again(house: CeleryHouse, run_id: str) -> bool:
    of_it = {"key": "dagster/parent_run_id", "value": run_id}
    return any(of_it in run["tags"] for run in house.dagster.runs("sync_beteiligte"))


def heals_when_all_is_killed(house: CeleryHouse, runs_in: str) -> None:
    """SQLite and the embedded Valkey. Nobody is left who could notice that the run has died."""
    firm = house.firm
    espo_id, betnr = house.party_by_webhook("Eins")
    before = set(house.webhook_runs())
    firm.office.fault(f"Beteiligte/{betnr}", "latency", method="GET", seconds=20)
    firm.crm_edit(espo_id, lastName="Zwei")
    house.deliver()
    run_id = wait_until("a run is launched", lambda: next(iter(set(house.webhook_runs()) - before), None))
    own = wait_until("it runs", lambda: house.process_of(run_id))
    assert own in {process.pid for process in house.processes(runs_in)}
    for process in house.processes(""):
        with suppress(psutil.NoSuchProcess):  # some end with the one before
            process.kill()
    firm.office.clear_faults()
    wait_until("Dagster is up again", house.dagster.is_up)
    assert house.dagster.finished(run_id) == "FAILURE"
    wait_until("the edit arrives", lambda: firm.office_record(betnr)["name"] == "Zwei")
    house.party_by_webhook("Drei")
    names = [row["name"] for row in firm.office_records()]
    assert [names.count(name) for name in ("Eins", "Zwei", "Drei")] == [0, 1, 1]
