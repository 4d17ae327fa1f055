"""The whole house told by Google: an edit in a calendar stands in Advoware although no schedule runs."""

from collections.abc import Mapping

import pytest

from vmh_sync_tests.e2e.dagster_stack import wait_until
from vmh_sync_tests.fixtures.house import House

pytestmark = [pytest.mark.e2e, pytest.mark.proof]


@pytest.fixture(scope="module")
def house_settings() -> Mapping[str, str]:
    return {"CALENDAR_SYNC_PUSH_URL": "{gateway_url}"}


def test_what_people_do_in_google_stands_in_advoware_without_a_schedule(house: House) -> None:
    chancery = house.chancery
    house.dagster.stop_schedules()
    chancery.employee("SB")
    chancery.termin("SB", "Verhandlung")
    first = house.send("POST", "/advoware/calendar/sync").json()["run_id"]
    assert house.dagster.finished(first) == "SUCCESS"

    def texts() -> list[str]:
        return sorted(row["text"] for row in chancery.termine().values())

    event_id = chancery.event("SB", summary="Ortstermin")
    wait_until("the new event stands in Advoware", lambda: texts() == ["Ortstermin", "Verhandlung"])
    for number in range(3):
        chancery.edit_event("SB", event_id, summary=f"Ortstermin {number}")
    wait_until("the last edit stands in Advoware", lambda: texts() == ["Ortstermin 2", "Verhandlung"])
    chancery.drop_event("SB", event_id)
    wait_until("the deletion stands in Advoware", lambda: texts() == ["Verhandlung"])
    wait_until("our own writes ring no run for ever", house.is_quiet)
