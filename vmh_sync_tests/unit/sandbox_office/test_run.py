"""The sandbox as a process: one JSON line, real addresses, a clean end; and the fixture that serves it."""

import json
import signal
import socket
import subprocess
import sys
from typing import Any

import httpx
import pytest
from pytest_socket import SocketConnectBlockedError

from vmh_sync.sandbox.run import SandboxOptions, running
from vmh_sync.sandbox.systems import SystemsConfig
from vmh_sync_tests.fixtures.sandbox import Sandbox


def start(*arguments: str) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "vmh_sync.sandbox", "--json", *arguments], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())


def test_one_line_populated_and_ended_by_sigterm() -> None:
    process, described = start("--parties", "20", "--seed", "3", "--only", "office", "--only", "crm")
    assert set(described) == {"advoware", "espocrm", "control", "environment", "installation"}
    office = httpx.get(f"{described['control']['advoware']}/_sandbox/state").json()
    crm = httpx.get(f"{described['control']['espocrm']}/_sandbox/state").json()
    assert len(office["beteiligte"]) == 15
    assert len(crm["records"]["CBeteiligte"]) == 20
    linked = {row["betnr"] for row in crm["records"]["CBeteiligte"] if row["betnr"]}
    assert linked == {row["betNr"] for row in office["beteiligte"]}
    discovery = httpx.get(
        described["environment"]["ADVOWARE_CONFIGURATOR_URL"] + "/Url",
        params={"Kanzlei": described["environment"]["ADVOWARE_KANZLEI"]},
    )
    assert discovery.json()["relayUrl"] == f"{described['control']['advoware']}/relay/"
    parties = httpx.get(
        described["environment"]["ESPOCRM_API_BASE_URL"] + "/CBeteiligte",
        headers={"X-Api-Key": described["environment"]["ESPOCRM_API_KEY"]},
    ).json()
    assert parties["total"] == 20
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=10)
    assert (process.returncode, output) == (0, "")


def test_the_sandbox_ends_with_its_parent() -> None:
    parent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process, _ = start("--only", "office", "--parent-pid", str(parent.pid))
    parent.kill()
    parent.wait()
    assert process.wait(timeout=10) == 0


def test_the_sandbox_ends_with_a_parent_that_nobody_has_reaped() -> None:
    command = (
        "[sys.executable, '-m', 'vmh_sync.sandbox', '--json', '--only', 'office', '--parent-pid', str(os.getpid())]"
    )
    # It ends with the sandbox, so that a sandbox that cannot start fails the test instead of hanging it.
    script = f"import os, subprocess, sys; subprocess.Popen({command}).wait()"
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    url = json.loads(parent.stdout.readline())["control"]["advoware"]
    parent.kill()  # a zombie until it is waited for: its number still answers to signals
    # Reads to the end of the pipe, which is the end of the sandbox, and only then waits for the parent.
    assert parent.communicate(timeout=15)[0] == ""
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/_sandbox/health")


async def test_in_process_with_the_same_keys_for_the_same_seed() -> None:
    options = SandboxOptions(SystemsConfig(seed=9), only=("advoware",))
    async with running(options) as first, running(options) as second:
        assert first["advoware"]["api_key"] == second["advoware"]["api_key"]
        assert first["control"] != second["control"]


@pytest.mark.parametrize(("allowed", "status"), [((), 400), (("127.0.0.1:8800",), 201)])
async def test_a_newer_crm_calls_an_internal_address_only_if_its_administrator_has_listed_it(
    allowed: tuple[str, ...], status: int
) -> None:
    systems = SystemsConfig(blank_crm=True, crm_version="9.3.9", webhook_allowed=allowed)
    async with running(SandboxOptions(systems, only=("espocrm",))) as started, httpx.AsyncClient() as client:
        told = started["environment"]
        answer = await client.post(
            f"{told['ESPOCRM_API_BASE_URL']}/Webhook",
            json={"event": "Task.create", "url": "http://127.0.0.1:8800/hook"},
            auth=(told["ESPOCRM_ADMIN_USER"], told["ESPOCRM_ADMIN_PASSWORD"]),
        )
    assert answer.status_code == status, answer.text


def test_the_fixture_resets_everything(sandbox: Sandbox) -> None:
    made = sandbox.office.edit("Beteiligte", "create", values={"name": "Huber"})
    sandbox.crm.seed(records={"CBeteiligte": [{"lastName": "Huber", "betnr": made["id"]}]})
    sandbox.google.seed(calendars=[{"summary": "AW-AB"}])
    sandbox.office.do("switches", search=False)
    sandbox.crm.do("set_switch", optimistic={"CBeteiligte": True})
    sandbox.office.fault("Url", "status", status=500)
    url = sandbox.environment["ADVOWARE_CONFIGURATOR_URL"] + "/Url"
    assert httpx.get(url).status_code == 500
    assert sandbox.office.calls()["total"] == 1
    assert len(sandbox.crm.state()["records"]["CBeteiligte"]) == 1

    sandbox.reset()
    assert sandbox.office.state()["beteiligte"] == []
    assert sandbox.office.state()["switches"]["search"] is True
    assert sandbox.crm.state()["records"]["CBeteiligte"] == []
    assert sandbox.crm.do("set_switch")["optimistic"]["CBeteiligte"] is False
    assert sandbox.google.state()["calendars"] == []
    assert sandbox.office.calls()["total"] == 0
    assert httpx.get(url).status_code == 404


def test_a_refused_control_call_is_loud(sandbox: Sandbox) -> None:
    with pytest.raises(AssertionError, match="no Beteiligter 4711"):
        sandbox.office.edit("Beteiligte", id=4711, values={})
    with pytest.raises(AssertionError, match="refused"):
        sandbox.crm.edit("CBeteiligte", id="6900a1b2c3d4e5f60", values={"rechtsform": "Nonsens"})


def test_foreign_hosts_are_out_of_reach() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client,
        pytest.warns(Warning),
        pytest.raises(SocketConnectBlockedError),
    ):
        client.connect(("192.0.2.1", 80))
