"""The probe of Google Calendar cleans up, records no value, and what it refutes holds the calendars."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from vmh_sync.cli import app
from vmh_sync.clock import SystemClock
from vmh_sync.commands.installation.probe_check import play
from vmh_sync.engine.installation.known_installation import AssumptionRefuted, keep_known
from vmh_sync.kalender.context import open_calendar
from vmh_sync.probe.effects import known_google_from
from vmh_sync.probe.findings import Finding, Probed, Verdict
from vmh_sync.probe.google.assumptions import GOOGLE_ASSUMPTIONS
from vmh_sync.probe.google.run import probe_google
from vmh_sync.probe.recording import write_recording
from vmh_sync.probe.texts import OWN_WORDS
from vmh_sync.sandbox.serving import LoopbackServer
from vmh_sync.sandbox.systems import SystemsConfig, simulated
from vmh_sync.settings import GoogleCalendarSettings
from vmh_sync.systems.google_calendar.client import INSERT, GoogleCalendarClient
from vmh_sync.systems.google_calendar.errors import GoogleCalendarError
from vmh_sync.systems.google_calendar.quota import unlimited
from vmh_sync.systems.google_calendar.service import ServiceFactory
from vmh_sync_tests.fixtures.firm import Firm

Json = dict[str, Any]
CANARY = {
    "summary": "Kanarienvogel vmh-sync Probe",
    "start": {"dateTime": "2027-03-02T09:00:00Z"},
    "end": {"dateTime": "2027-03-02T10:00:00Z"},
}


@asynccontextmanager
async def google() -> AsyncIterator[tuple[GoogleCalendarClient, str, httpx.AsyncClient]]:
    """One simulated Google with a scratch calendar in which an event of the firm stands."""
    simulation = simulated("google", SystemsConfig())
    async with LoopbackServer(simulation.app) as server:
        described = simulation.describe(server.url)
        values = {"service_account_json": described["service_account_json"], "api_endpoint": described["api_endpoint"]}
        client = GoogleCalendarClient(ServiceFactory(GoogleCalendarSettings.model_validate(values)), unlimited)
        async with httpx.AsyncClient(trust_env=False, base_url=f"{server.url}/_sandbox/") as control:
            yield client, await in_thread(made_calendar, client), control


def made_calendar(client: GoogleCalendarClient) -> str:
    made = client.exchange(INSERT, lambda service: service.calendars().insert(body={"summary": "Voliere"}))
    calendar = str(made.body["id"])
    client.exchange(INSERT, lambda service: service.events().insert(calendarId=calendar, body=CANARY))
    return calendar


async def in_thread(call: Any, *args: Any) -> Any:
    return await asyncio.to_thread(call, *args)


async def probed(client: GoogleCalendarClient, calendar: str) -> Probed:
    done = await in_thread(probe_google, client, calendar, None, SystemClock().now())
    assert isinstance(done, Probed)
    return done


async def living(control: httpx.AsyncClient) -> list[str]:
    calendars = (await control.get("state")).json()["calendars"]
    events = [one for calendar in calendars for one in calendar["events"].values()]
    return [one["summary"] for one in events if one["status"] != "cancelled"]


async def test_google_as_documented_confirms_everything_and_nothing_is_left() -> None:
    async with google() as (client, calendar, control):
        done = await probed(client, calendar)
        assert await living(control) == [CANARY["summary"]]
    untried = dict.fromkeys(("google_channel", "google_quota"), Verdict.NOT_TRIED)
    expected = dict.fromkeys((one.key for one in GOOGLE_ASSUMPTIONS), Verdict.CONFIRMED) | untried
    assert {one.key: one.verdict for one in done.findings} == expected


async def test_what_a_killed_probe_left_the_next_one_deletes() -> None:
    async with google() as (client, calendar, control):
        await control.post(
            "faults", json=[{"method": "DELETE", "path": "/events/", "action": "drop_before", "times": None}]
        )
        with pytest.raises(GoogleCalendarError):
            await probed(client, calendar)
        await control.delete("faults")
        assert len(await living(control)) == 2
        await probed(client, calendar)
        assert await living(control) == [CANARY["summary"]]


@pytest.mark.parametrize("own_name", [False, True])
async def test_a_recording_of_google_holds_no_value_and_plays_the_same(tmp_path: Path, own_name: bool) -> None:
    async with google() as (client, calendar, _):
        done = await probed(client, "primary" if own_name else calendar)
    path = tmp_path / "probe.jsonl"
    assert write_recording(path, done.exchanges, OWN_WORDS | done.own_words) == len(done.exchanges) == 11
    text = path.read_text(encoding="utf-8")
    values = ("Kanarienvogel", "Voliere", calendar, calendar.partition("@")[0], "vmh-sandbox", "2027-03-02")
    assert [value for value in values if value in text] == []
    assert await play([json.loads(line) for line in text.splitlines()]) == {}


async def test_what_is_refuted_holds_the_calendars_and_nothing_else(firm: Firm) -> None:
    found = [Finding("google_if_match", Verdict.REFUTED), Finding("google_html", Verdict.REFUTED)]
    keep_known(firm.store, known_google_from(found, SystemClock().now()))
    with pytest.raises(AssumptionRefuted, match="If-Match") as refusal:
        async with open_calendar("probe-test"):
            pass
    assert "Beschreibung" not in str(refusal.value)
    keep_known(firm.store, known_google_from([], SystemClock().now()))
    async with open_calendar("probe-test"):
        pass


def test_the_plan_names_the_calendar(firm: Firm) -> None:
    plan = CliRunner().invoke(app, ["probe", "--calendar", "voliere@group.calendar.google.com", "--plan"])
    assert plan.exit_code == 0 and "voliere@group.calendar.google.com" in plan.stdout
