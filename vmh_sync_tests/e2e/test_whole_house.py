"""The whole house over HTTP: triggers that reach real runs, many events, killed processes, nothing that leaks."""

from contextlib import suppress
from typing import Any

import psutil
import pytest

from vmh_sync_tests.e2e.celery_house import CeleryHouse
from vmh_sync_tests.e2e.dagster_stack import wait_until
from vmh_sync_tests.e2e.killing import a_killed_run_doubles_nothing, heals_when_all_is_killed
from vmh_sync_tests.e2e.leaking import Leaking
from vmh_sync_tests.fixtures import canaries
from vmh_sync_tests.fixtures.chancery import marked
from vmh_sync_tests.fixtures.everything_written import contents, found_in
from vmh_sync_tests.fixtures.gateway import READ_KEY
from vmh_sync_tests.fixtures.house import House, journal_of

pytestmark = pytest.mark.e2e

CALENDAR = "/advoware/calendar/sync"
OUR_DATABASE = "vmh_sync.sqlite3"
"""The one file, with its write-ahead log, that may hold what people typed: bases, audit log, intents."""
PARTIES = 20
ROUNDS = 15


def triggered(house: House, path: str, **how: Any) -> str:
    """Trigger a run, once no other is in the way (a schedule's); returns its id."""

    def accepted() -> str | None:
        answer = house.send("POST", path, **how)
        assert answer.status_code in (202, 409), answer.text
        return str(answer.json()["run_id"]) if answer.status_code == 202 else None

    return str(wait_until(f"{path} is accepted", accepted))


def test_one_record_is_synced_by_hand(house: House) -> None:
    firm = house.firm
    espo_id = firm.crm_party(lastName="Handarbeit")
    betnr = int(wait_until("the new party is linked", lambda: firm.crm_record(espo_id).get("betnr")))
    wait_until("no run is under way", house.is_quiet)
    path = f"/vmh/sync/beteiligte/{espo_id}"
    # Nothing but these runs looks at Advoware in this moment: the sensor sees EspoCRM only.
    firm.office_edit(betnr, titel="Dr.")
    before = house.send("GET", path, READ_KEY).json()

    dry = triggered(house, path, params={"dry_run": "true"})

    assert house.dagster.finished(dry) == "SUCCESS"
    plan = house.dagster.metadata(dry)["Plan"]
    assert "titel" in plan
    assert "Dr." not in plan, "values are shown only when asked for"
    assert firm.crm_record(espo_id)["titel"] is None
    assert house.send("GET", path, READ_KEY).json()["last_changes"] == before["last_changes"]
    waited = house.send("GET", path, READ_KEY).json()["base_age_seconds"]
    assert waited > before["base_age_seconds"], "a dry run agrees on nothing"

    run_id = triggered(house, path)

    assert house.dagster.finished(run_id) == "SUCCESS"
    assert house.dagster.metadata(run_id)["abgeglichen"] == 1
    assert firm.crm_record(espo_id)["titel"] == "Dr."
    after = house.send("GET", path, READ_KEY).json()
    assert after["status"] == "clean"
    assert after["base_age_seconds"] < waited
    assert [c["field"] for c in after["last_changes"] if c["run_id"] == run_id] == ["titel"]
    tags = house.dagster.runs("sync_beteiligte")[0]["tags"]
    assert {"key": "vmh/trigger", "value": "person"} in tags


def test_calendars_are_synced_by_hand(house: House) -> None:
    chancery = house.chancery
    chancery.employee("SB")
    chancery.employee("AH")
    first = chancery.termin("SB", "Verhandlung")

    assert house.send("POST", CALENDAR, json={"kuerzel": "XX"}).status_code == 404
    one = triggered(house, CALENDAR, json={"kuerzel": "sb", "full_content": False})
    assert house.dagster.finished(one) == "SUCCESS"
    assert chancery.event_of(first, "SB")["summary"] == "Termin"

    second = chancery.termin("AH", "Besprechung")
    chancery.office.fault("Termine", "latency", method="GET", seconds=4)
    try:
        everybody = triggered(house, CALENDAR)
        under_way = [house.send("POST", CALENDAR, json={"kuerzel": name}).status_code for name in ("SB", "ALL")]
    finally:
        chancery.office.clear_faults()
    assert under_way == [409, 409]
    assert house.dagster.finished(everybody) == "SUCCESS"
    assert house.dagster.metadata(everybody)["geschrieben nach Google"] == 2
    assert chancery.event_of(first, "SB")["summary"].startswith("Verhandlung")
    assert [marked(event) for event in chancery.events("AH").values()] == [str(second)]


def test_many_events_while_runs_drain_lose_nothing(house: House) -> None:
    """300 events, delivered by the CRM; ``test_backlog`` does it with 1,000, ``bench inbox_load`` with 10,000."""
    firm = house.firm
    ids = [firm.crm_party(lastName=f"Last {number}") for number in range(PARTIES)]
    firm.sync(*ids)
    firm.crm.do("flush_webhooks")
    journal = journal_of(house.folder)
    for number in range(ROUNDS):
        for espo_id in ids:
            firm.crm_edit(espo_id, zusatz=f"Stand {number}")
        queue = firm.crm.do("flush_webhooks")
        assert not queue.get("failed") and not queue.get("items"), queue
        if number % 7 == 6:  # so that the next ones come while a run is at work
            claims = journal.count("claim")
            wait_until("a run claims what waits", lambda seen=claims: journal.count("claim") > seen)  # type: ignore[misc]
    wait_until("the inbox is empty", lambda: not journal.waiting())

    assert journal.count("event") >= PARTIES * ROUNDS
    assert journal.workers() > 1
    assert journal.not_synced() == set()
    wanted = f"Stand {ROUNDS - 1}"
    by_number = {record["betNr"]: record["zusatz"] for record in firm.office_records()}
    assert [by_number[firm.crm_record(espo_id)["betnr"]] for espo_id in ids] == [wanted] * PARTIES


def killable(house: House) -> CeleryHouse:
    assert house.process is not None
    return CeleryHouse(house.folder, house.firm, house.dagster, house.gateway_url, house.process)


def test_a_killed_run_is_started_again_and_was_forked_from_the_warm_process(house: House) -> None:
    warm = a_killed_run_doubles_nothing(killable(house))
    assert "multiprocessing.forkserver" in " ".join(psutil.Process(warm).cmdline()), "not forked but started anew"


def test_the_house_heals_when_all_is_killed_during_a_run(house: House) -> None:
    heals_when_all_is_killed(killable(house), "forkserver")


def lives(process: psutil.Process) -> bool:
    """Whether it works on; one that has ended counts as running until its parent has asked for it."""
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def test_no_secret_and_no_value_of_a_person_is_written(house: House) -> None:
    """The last test of this module: it stops the house, so that everything is on the disk."""
    leaking = Leaking(house)
    leaking.gateway()
    tokens = canaries.access_tokens()
    leaking.failing_runs()
    secrets = canaries.secrets()
    processes = killable(house).processes("")
    house.stop()
    # Also a run that was under way: nothing works on when `up` has ended.
    assert [process.pid for process in processes if lives(process)] == []

    leaks = set()
    for path, content in contents(house.folder):
        values = {} if path.name.startswith(OUR_DATABASE) else canaries.PERSONAL
        logins = {} if house.folder / "vmh" / "valkey" in path.parents else tokens
        leaks |= {f"{path.relative_to(house.folder)}: {name}" for name in found_in(content, secrets | values | logins)}
    assert tokens
    told = "\n".join((*leaking.answers, *leaking.commands)).encode()
    leaks |= {f"answers and command lines: {name}" for name in found_in(told, secrets | tokens | canaries.PERSONAL)}
    leaks |= {f"results of the proxy: {name}" for name in found_in("\n".join(leaking.results).encode(), secrets)}
    assert leaks == set()
    assert len(leaking.commands) > 4, "the house's processes were seen"
    held = b"".join(content for path, content in contents(house.folder / "vmh") if path.name == OUR_DATABASE)
    assert found_in(held, canaries.PERSONAL), "the values were really there to be leaked"
