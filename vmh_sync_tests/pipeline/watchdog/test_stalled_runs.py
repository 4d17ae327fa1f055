"""A run in which nothing goes on ends itself as retryable, says where it stood, and holds nothing back."""

import logging
import time

import dagster as dg
import pytest

from vmh_sync.coordination.connection import SyncRedis
from vmh_sync.definitions import defs
from vmh_sync_tests.fixtures.chancery import Chancery
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.adressen.test_addresses import address

HANGS = 12
"""Seconds for which the other side says nothing: shorter than any time-out of a call, longer than a test may take."""


def failure_of(job: str, config: object) -> str:
    """Run a job that must fail; returns why it failed."""
    result = defs.get_job_def(job).execute_in_process(
        run_config=config, instance=dg.DagsterInstance.ephemeral(), raise_on_error=False
    )
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
    chosen = espo_id if job == "sync_beteiligte" else address(firm, espo_id, adresseStreet="Geheimer Weg 1")
    firm_environment.setenv("VMH_STALL_SECONDS", "1")
    firm.office.fault("/Beteiligte", "hang", method=method, seconds=HANGS)
    began = time.monotonic()
    with caplog.at_level(logging.ERROR, "vmh_sync.watchdog"):
        description = failure_of(job, {"ids": [chosen]})
    assert time.monotonic() - began < HANGS
    assert "kam 1 Sekunden lang nicht voran" in description
    assert "transport.py" in caplog.text and "Geheim" not in caplog.text
    assert list(sync_redis.scan_iter("vmh:lease:*")) == []


def test_a_calendar_run_whose_google_falls_silent_ends_and_gives_its_leases_back(
    chancery: Chancery,
    monkeypatch: pytest.MonkeyPatch,
    sync_redis: SyncRedis,
    caplog: pytest.LogCaptureFixture,
) -> None:
    chancery.termin(chancery.employee("SB"), "Geheim")
    monkeypatch.setenv("VMH_STALL_SECONDS", "1")
    chancery.google.fault("events", "hang", seconds=HANGS)
    began = time.monotonic()
    with caplog.at_level(logging.ERROR, "vmh_sync.watchdog"):
        description = failure_of("sync_kalender", None)
    assert time.monotonic() - began < HANGS
    assert "kam 1 Sekunden lang nicht voran" in description
    assert "google_calendar" in caplog.text and "Geheim" not in caplog.text
    assert list(sync_redis.scan_iter("vmh:lease:*")) == []
