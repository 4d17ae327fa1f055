"""What Dagster shows of a run has German names, each its own."""

from dataclasses import fields

import pytest

from vmh_sync.clock import ManualClock
from vmh_sync.erstgespraech.reset import ResetResult
from vmh_sync.housekeeping.database import clean_tables
from vmh_sync.housekeeping.runs import RunsDeleted
from vmh_sync.kalender.decision.operations import FindingKind
from vmh_sync.orchestration.jobs.german_labels import in_german
from vmh_sync.store import Store
from vmh_sync.sync.reporting.words_de import CALENDAR_ACTIONS

PLAN = [*CALENDAR_ACTIONS, *(f"finding_{kind}" for kind in FindingKind), "unchanged", "appointments", "writes_google"]
READ = ["employees", "employees_failed", "employees_later", "read_advoware", "read_google", "google_full_reads"]
CODES = {
    "calendars": [*READ, "lost", "waiting_for_advoware", *(f"plan_{name}" for name in PLAN)],
    "tasks": ["tasks_written", "tasks_waiting"],
    "old runs": [f"runs_{one.name}" for one in fields(RunsDeleted)],
    "calls": ["dry_run", *(one.name + more for one in fields(ResetResult) for more in ("", "_ids"))],
}


@pytest.mark.parametrize("codes", CODES.values(), ids=CODES)
def test_every_number_of_a_run_has_a_german_name_of_its_own(codes: list[str]) -> None:
    told = in_german(dict.fromkeys(codes, 1))
    assert len(told) == len(codes), "two codes with one name would hide a number"
    assert not {name for name in told if name in codes or "_" in name}


def test_what_the_nightly_cleaning_deleted_is_told_in_german(store: Store, store_clock: ManualClock) -> None:
    deleted = clean_tables(store, store_clock.now(), audit_days=90)
    told = in_german(deleted)
    assert len(told) == len(deleted) and not {name for name in told if "_" in name}


def test_an_unknown_code_stays_and_a_reason_of_google_stands_as_google_says_it() -> None:
    assert in_german({"google_token_refused_fullSyncRequired": 1, "new": 2}) == {
        "Google liest neu: fullSyncRequired": 1,
        "new": 2,
    }
