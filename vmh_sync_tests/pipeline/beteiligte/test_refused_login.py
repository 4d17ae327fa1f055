"""A login that is refused: sensors and runs of all entities stop at once, one line says why, nothing is lost."""

import asyncio
import re

import dagster as dg
import httpx
import pytest

from vmh_sync.clock import ManualClock
from vmh_sync.definitions import build_defs
from vmh_sync.doctor.examination import examine
from vmh_sync.doctor.line import Level
from vmh_sync.entities import with_records
from vmh_sync.orchestration.triggers import tick_time
from vmh_sync.orchestration.triggers.tick_time import TickOver
from vmh_sync.store.queue.inbox import InboxEvent
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.gateway import READ_KEY, DagsterDouble, GatewayProcess
from vmh_sync_tests.fixtures.jobs import job

SENSORS = [build_defs().resolve_sensor_def(f"{entity.name}_dirty") for entity in with_records()]
TICKS_A_MINUTE = 12
TOKEN = "/security/api/v1/Token"


def _tick() -> tuple[list[str], int]:
    """Every sensor once, as the daemon does it; returns why nothing was launched, and how many runs were asked for."""
    reasons: list[str] = []
    launches = 0
    with dg.DagsterInstance.ephemeral() as instance:
        for sensor in SENSORS:
            with dg.build_sensor_context(instance=instance) as context:
                found = sensor.evaluate_tick(context)
            launches += len(found.run_requests or ())
            if found.skip_message:
                reasons.append(found.skip_message)
    return reasons, launches


def _run() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        job("sync_beteiligte").execute_in_process(run_config={"selection": "pending"}, instance=instance)


def _waiting(firm: Firm, ids: list[str]) -> None:
    with firm.store.transaction() as tx:
        tx.inbox.add("beteiligte", [InboxEvent(espo_id=espo_id, action="update", source="webhook") for espo_id in ids])


def _in_inbox(firm: Firm, ids: list[str]) -> set[str]:
    with firm.store.reading() as tx:
        return set(tx.inbox.waiting_ids("beteiligte", ids))


def _logins(firm: Firm) -> int:
    return sum(1 for entry in firm.office.calls(last=1000)["log"] if entry["path"] == TOKEN)


def test_a_minute_of_sensors_with_a_refused_key_makes_one_bad_login(
    firm: Firm, firm_environment: pytest.MonkeyPatch
) -> None:
    espo_id, betnr = firm.linked_party(lastName="Muster")
    firm.crm_edit(espo_id, zusatz="wartet")
    good = firm.sandbox.environment["ESPOCRM_API_KEY"]
    firm_environment.setenv("ESPOCRM_API_KEY", "falsch")
    firm.crm.clear_calls()
    for _ in range(TICKS_A_MINUTE):
        reasons, launches = _tick()
        assert launches == 0
        assert len(reasons) == len(SENSORS)
        assert all("EspoCRM lehnt die Anmeldung ab" in reason for reason in reasons)
    _waiting(firm, [espo_id])
    with pytest.raises(dg.Failure, match="EspoCRM lehnt die Anmeldung ab"):
        _run()
    assert _in_inbox(firm, [espo_id]) == {espo_id}
    assert firm.crm.calls()["total"] == 1, "all sensors, ticks and runs together"

    firm_environment.setenv("ESPOCRM_API_KEY", good)
    reasons, _ = _tick()
    assert not any("Anmeldung" in reason for reason in reasons), "the good key starts at once, it was never locked out"
    firm.until_quiet()
    assert firm.office_record(betnr)["zusatz"] == "wartet"


def test_a_refused_password_of_advoware_is_tried_once_and_blames_nobody(
    firm: Firm, firm_environment: pytest.MonkeyPatch
) -> None:
    linked = [firm.linked_party(lastName=f"Muster {place}") for place in range(3)]
    parties = [espo_id for espo_id, _ in linked]
    for espo_id in parties:
        firm.crm_edit(espo_id, zusatz="wartet")
    _waiting(firm, parties)
    good = firm.sandbox.environment["ADVOWARE_PASSWORD"]
    firm_environment.setenv("ADVOWARE_PASSWORD", "falsch")
    # Another password is another login, but the shared token is still good: it ends here.
    firm.office.do("expire_tokens")
    firm.office.clear_calls()
    writes = firm.crm.calls()["writes"]

    with pytest.raises(dg.Failure, match="Advoware lehnt die Anmeldung ab"):
        _run()
    for _ in range(TICKS_A_MINUTE):
        reasons, launches = _tick()
        assert launches == 0
        assert all("Advoware lehnt die Anmeldung ab" in reason for reason in reasons)
    assert _logins(firm) == 1
    assert firm.crm.calls()["writes"] == writes, "no word about it on any record"
    assert _in_inbox(firm, parties) == set(parties), "what the run had claimed waits"

    firm_environment.setenv("ADVOWARE_PASSWORD", good)
    firm.until_quiet()
    assert {firm.office_record(betnr)["zusatz"] for _, betnr in linked} == {"wartet"}


def test_ready_and_metrics_tell_which_login_is_held_back_and_webhooks_launch_nothing(
    firm: Firm, firm_environment: pytest.MonkeyPatch, gateway: GatewayProcess, dagster_double: DagsterDouble
) -> None:
    assert "logins" not in httpx.get(f"{gateway.url}/ready", trust_env=False).json()
    firm_environment.setenv("ESPOCRM_API_KEY", "falsch")
    gateway.restart(ESPOCRM_API_KEY="falsch")
    _tick()
    with gateway.client(READ_KEY) as http:
        ready = http.get("/ready")
        assert ready.status_code == 200, "webhooks are taken all the same"
        assert list(ready.json()["logins"]) == ["espocrm"]
        told = ready.json()["problems"]["espocrm"]
        assert told.startswith("EspoCRM hat unsere Anmeldung abgelehnt, der nächste Versuch ist um "), told
        assert "Schlüssel oder Kennwort prüfen" in told
        metrics = http.get("/metrics").text
    espo_id = firm.crm_party(lastName="Neu")
    firm.crm.do("flush_webhooks")
    assert _in_inbox(firm, [espo_id]) == {espo_id}
    gateway.stop()  # lets what was noticed be launched
    assert dagster_double.launches == []
    seconds = {
        line.split('"')[1]: float(line.rsplit(" ", 1)[1])
        for line in metrics.splitlines()
        if line.startswith("vmh_login_held_back_seconds{")
    }
    assert 0 < seconds.pop("espocrm") <= 60
    assert seconds == {"advoware": 0, "google": 0}


def test_the_doctor_says_until_when_and_does_not_bring_the_lock_out_nearer(
    firm: Firm, firm_environment: pytest.MonkeyPatch
) -> None:
    clock = ManualClock(firm.clock.now())  # fifteen seconds later a person may try again
    firm_environment.setenv("ESPOCRM_API_KEY", "falsch")
    firm.crm.clear_calls()
    for _ in range(3):
        lines = [line for line in asyncio.run(examine(clock)) if line.name == "EspoCRM-Anmeldung"]
        assert [line.level for line in lines] == [Level.PROBLEM]
        assert re.search(r"Bis \d\d:\d\d:\d\d Uhr", lines[0].text)
    assert firm.crm.calls()["total"] == 1
    firm_environment.setenv("ESPOCRM_API_KEY", firm.sandbox.environment["ESPOCRM_API_KEY"])
    assert [line.level for line in asyncio.run(examine(clock)) if line.name == "EspoCRM-Anmeldung"] == [Level.OK]


def test_a_tick_ends_beside_an_espocrm_that_takes_the_call_and_stays_silent(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tick_time, "SECONDS", 0.2)
    firm.crm.fault(".*", "hang", seconds=20)
    reasons, launches = _tick()
    firm.crm.clear_faults()
    assert launches == 0
    assert [TickOver.people in reason for reason in reasons] == [True] * len(SENSORS)
