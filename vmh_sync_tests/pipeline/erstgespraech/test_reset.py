"""The reset of past calls, against the sandbox CRM."""

from typing import Any

import dagster as dg
import pytest

from vmh_sync.erstgespraech.definitions import erstgespraech_schedule
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.jobs import job

ENTITY = "CVmhErstgespraech"
PAST, FUTURE = "2020-01-01 08:00:00", "2099-01-01 08:00:00"


@pytest.fixture
def records(firm: Firm, firm_environment: pytest.MonkeyPatch) -> dict[str, str]:
    firm_environment.setenv("VMH_ERSTGESPRAECH_STATES", '["Warte auf Rückruf"]')

    def make(status: str, call: str | None) -> str:
        values = {"name": "Erstgespräch", "status": status, "nextCall": call}
        return str(firm.crm.edit(ENTITY, "create", values=values)["id"])

    return {
        "past": make("Warte auf Rückruf", PAST),
        "future": make("Warte auf Rückruf", FUTURE),
        "other": make("Erledigt", PAST),
        "empty": make("Warte auf Rückruf", None),
    }


def calls_of(firm: Firm, records: dict[str, str]) -> dict[str, Any]:
    return {name: firm.crm_record(record_id, ENTITY).get("nextCall") for name, record_id in records.items()}


def run() -> dict[str, Any]:
    result = job("erstgespraech_reset").execute_in_process(instance=dg.DagsterInstance.ephemeral())
    (event,) = [event for event in result.all_events if event.is_successful_output]
    return {name: value.value for name, value in event.step_output_data.metadata.items()}


def test_dry_run_first(firm: Firm, records: dict[str, str]) -> None:
    before = calls_of(firm, records)
    shown = run()

    assert shown["gefunden, IDs"] == [records["past"]]
    assert (shown["Probelauf"], shown["geschrieben"]) == (True, 0)
    assert calls_of(firm, records) == before


def test_writes_only_where_the_value_differs(
    firm: Firm, records: dict[str, str], firm_environment: pytest.MonkeyPatch
) -> None:
    firm_environment.setenv("VMH_ERSTGESPRAECH_DRY_RUN", "false")
    shown = run()

    assert shown["geschrieben, IDs"] == [records["past"]]
    assert calls_of(firm, records) == {"past": None, "future": FUTURE, "other": PAST, "empty": None}
    firm.crm.clear_calls()
    assert run()["geschrieben"] == 0
    assert firm.crm.calls()["writes"] == 0


def test_a_new_value_in_the_past_is_written_once(
    firm: Firm, records: dict[str, str], firm_environment: pytest.MonkeyPatch
) -> None:
    firm_environment.setenv("VMH_ERSTGESPRAECH_DRY_RUN", "false")
    firm_environment.setenv("VMH_ERSTGESPRAECH_NEW_VALUE", "2021-06-01 06:00:00")

    assert run()["geschrieben"] == 1
    assert calls_of(firm, records)["past"] == "2021-06-01 06:00:00"
    assert run()["geschrieben"] == 0


def test_without_settings_nothing_is_done(firm: Firm, records: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VMH_ERSTGESPRAECH_STATES")
    before = calls_of(firm, records)

    assert "VMH_ERSTGESPRAECH_STATES" in run()["Hinweis"]
    assert calls_of(firm, records) == before


def test_schedule_is_off() -> None:
    assert erstgespraech_schedule.default_status is dg.DefaultScheduleStatus.STOPPED
