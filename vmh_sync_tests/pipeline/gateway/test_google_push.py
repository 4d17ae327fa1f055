"""Google's notifications at the gateway: only genuine ones ring, and what rings is synced without a schedule."""

from typing import Any

import pytest

from vmh_sync.kalender.pipeline import sync_kalender
from vmh_sync.kalender.reading.push import PATH, token_hash
from vmh_sync.kalender.resources import CALENDAR_RESOURCES
from vmh_sync.orchestration.run_tags import PENDING_TAG
from vmh_sync.store.calendars.calendar_channels import CalendarChannel
from vmh_sync_tests.fixtures.chancery import Chancery
from vmh_sync_tests.fixtures.gateway import DagsterDouble, GatewayProcess

SECONDS = 60
"""How long the test waits for another process; it does not wait for a time to pass."""


@pytest.fixture
def office(gateway: GatewayProcess, chancery: Chancery, monkeypatch: pytest.MonkeyPatch) -> Chancery:
    """A calendar whose changes Google tells to the gateway."""
    monkeypatch.setenv("CALENDAR_SYNC_PUSH_URL", gateway.url)
    chancery.employee()
    chancery.sync()
    return chancery


def channel(office: Chancery) -> CalendarChannel:
    with office.store.reading() as tx:
        (found,) = tx.calendar_channels.of("SB")
    return found


def notify(gateway: GatewayProcess, channel_id: str, token: str | None, state: str = "exists") -> int:
    headers = {b"X-Goog-Channel-ID": channel_id.encode(), b"X-Goog-Resource-State": state.encode()}
    headers |= {b"X-Goog-Channel-Token": token.encode()} if token is not None else {}
    with gateway.client() as http:
        return http.post(PATH, headers=headers).status_code


def launched(double: DagsterDouble) -> list[dict[str, Any]]:
    return [one["runConfigData"]["ops"]["fetch_calendars"]["config"] for one in double.launches]


def test_an_edit_in_google_stands_in_advoware_after_the_notification_without_any_schedule(
    office: Chancery, dagster_double: DagsterDouble
) -> None:
    office.event(summary="Ortstermin")
    assert dagster_double.launched.wait(SECONDS)
    (launch,) = dagster_double.launches
    assert launch["selector"]["jobName"] == "sync_kalender"
    assert launched(dagster_double)[0]["rung"] is True
    config = launch["runConfigData"]
    assert sync_kalender.execute_in_process(run_config=config, resources=CALENDAR_RESOURCES).success
    assert [row["text"] for row in office.termine().values()] == ["Ortstermin"]


def test_only_the_secret_of_its_channel_rings_once_and_opened_or_doubled_messages_are_harmless(
    gateway: GatewayProcess, chancery: Chancery, dagster_double: DagsterDouble
) -> None:
    known = CalendarChannel(
        channel_id="channel-1",
        kuerzel="SB",
        calendar_id="c",
        address=gateway.url,
        token_hash=token_hash("geheim"),
        expires_at=chancery.clock.now(),
        resource_id="r",
    )
    with chancery.store.transaction() as tx:
        tx.calendar_channels.add(known)
    id_ = known.channel_id
    strangers = [("", None), (id_, None), (id_, "falsch"), ("unbekannt", "geheim"), ("x" * 300, "geheim"), (id_, "ä")]
    assert [notify(gateway, *one) for one in strangers] == [401] * len(strangers)
    assert notify(gateway, "channel-1", "geheim", "sync") == 204
    assert channel(chancery).rung_at is None and dagster_double.launches == []
    assert notify(gateway, "channel-1", "geheim") == 204
    assert dagster_double.launched.wait(SECONDS)
    first = channel(chancery).rung_at
    waiting = [{"key": PENDING_TAG, "value": "yes"}]
    dagster_double.active = [{"runId": "run-1", "status": "QUEUED", "runConfig": {}, "tags": waiting}]
    assert [notify(gateway, "channel-1", "geheim", state) for state in ("exists", "not_exists")] == [204, 204]
    with gateway.client() as http:
        metrics = http.get("/metrics").text
    counts = {"refused": len(strangers), "opened": 1, "rung": 3}
    for result, count in counts.items():
        assert f'vmh_calendar_notifications_total{{result="{result}"}} {count}.0' in metrics
    gateway.stop()  # what was noticed is launched before it ends
    assert channel(chancery).rung_at == first is not None and len(dagster_double.launches) == 1
