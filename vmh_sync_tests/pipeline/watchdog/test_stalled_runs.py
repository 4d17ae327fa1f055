"""A run in which nothing goes on ends itself as retryable, says where it stood, and holds nothing back."""

import logging
import time
from typing import Any

import dagster as dg
import pytest

from vmh_sync.coordination.connection import SyncRedis
from vmh_sync.definitions import defs
from vmh_sync.housekeeping.dead_runs import release_dead_claims
from vmh_sync_tests.fixtures.chancery import Chancery
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.adressen.test_addresses import address
from vmh_sync_tests.pipeline.bankverbindungen.test_bank_accounts import account
from vmh_sync_tests.pipeline.beteiligte.test_later import ring, waiting

HANGS = 12
"""Seconds for which the other side says nothing: shorter than any time-out of a call, longer than a test may take."""


def run_of(job: str, config: Any, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    """Run a job, which may fail."""
    return defs.get_job_def(job).execute_in_process(run_config=config, instance=instance, raise_on_error=False)


def failure_of(job: str, config: Any) -> str:
    """Run a job that must fail, and may be run again; returns why it failed."""
    result = run_of(job, config, dg.DagsterInstance.ephemeral())
    assert not result.success
    (failed,) = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    told = failed.step_failure_data.user_failure_data
    assert told is not None
    return told.description or ""


@pytest.mark.parametrize(
    ("job", "method"),
    [
        ("sync_beteiligte", "GET"),
        ("sync_beteiligte", "PUT"),
        ("sync_adressen", "GET"),
        ("sync_adressen", "POST"),
        ("sync_bankverbindungen", "GET"),
        ("sync_bankverbindungen", "POST"),
    ],
)
def test_a_run_whose_office_falls_silent_ends_and_gives_its_leases_back(
    firm: Firm,
    firm_environment: pytest.MonkeyPatch,
    sync_redis: SyncRedis,
    caplog: pytest.LogCaptureFixture,
    job: str,
    method: str,
) -> None:
    espo_id, _betnr = firm.linked_party(lastName="Geheim")
    firm.crm_edit(espo_id, lastName="Geheimer")
    chosen = {
        "sync_beteiligte": lambda: espo_id,
        "sync_adressen": lambda: address(firm, espo_id, adresseStreet="Geheimer Weg 1"),
        "sync_bankverbindungen": lambda: account(firm, espo_id, bankname="Geheime Kasse"),
    }[job]()
    firm_environment.setenv("VMH_STALL_SECONDS", "1")
    firm.office.fault("/Beteiligte", "hang", method=method, seconds=HANGS)
    began = time.monotonic()
    with caplog.at_level(logging.ERROR, "vmh_sync.watchdog"):
        description = failure_of(job, {"ids": [chosen]})
    assert time.monotonic() - began < HANGS
    assert "kam 1 Sekunden lang nicht voran" in description
    assert "transport.py" in caplog.text and "Geheim" not in caplog.text
    assert list(sync_redis.scan_iter("vmh:lease:*")) == []


def test_what_a_stalled_run_had_claimed_is_taken_by_the_next_one(
    firm: Firm, firm_environment: pytest.MonkeyPatch
) -> None:
    espo_id, betnr = firm.linked_party(lastName="Alt")
    firm.crm_edit(espo_id, lastName="Neu")
    ring(firm, espo_id)
    firm_environment.setenv("VMH_STALL_SECONDS", "1")
    firm.office.fault("/Beteiligte", "hang", method="PUT", seconds=HANGS)
    with dg.DagsterInstance.ephemeral() as instance:
        stalled = run_of("sync_beteiligte", {"selection": "pending"}, instance)
        assert not stalled.success
        # What housekeeping does for every run that is over (housekeeping/pipeline.py).
        assert release_dead_claims(instance, firm.store) == {stalled.run_id: 1}
        assert waiting(firm, espo_id)
        firm.office.clear_faults()
        firm_environment.delenv("VMH_STALL_SECONDS")
        again = run_of("sync_beteiligte", {"selection": "pending"}, instance)
    assert again.success and not waiting(firm, espo_id)
    assert firm.office_record(betnr)["name"] == "Neu"


@pytest.mark.parametrize("silent", ["google", "office"])
def test_a_calendar_run_whose_google_or_office_falls_silent_ends_and_gives_its_leases_back(
    chancery: Chancery,
    monkeypatch: pytest.MonkeyPatch,
    sync_redis: SyncRedis,
    caplog: pytest.LogCaptureFixture,
    silent: str,
) -> None:
    chancery.termin(chancery.employee("SB"), "Geheim")
    if silent == "office":
        chancery.until_quiet()
        chancery.event(summary="Geheimer Ortstermin")
    monkeypatch.setenv("VMH_STALL_SECONDS", "1")
    if silent == "google":
        chancery.google.fault("events", "hang", seconds=HANGS)
    else:
        chancery.office.fault("Termine", "hang", method="POST", seconds=HANGS)
    began = time.monotonic()
    with caplog.at_level(logging.ERROR, "vmh_sync.watchdog"):
        description = failure_of("sync_kalender", None)
    assert time.monotonic() - began < HANGS
    assert "kam 1 Sekunden lang nicht voran" in description
    assert {"google": "google_calendar", "office": "transport.py"}[silent] in caplog.text
    assert "Geheim" not in caplog.text
    assert list(sync_redis.scan_iter("vmh:lease:*")) == []
