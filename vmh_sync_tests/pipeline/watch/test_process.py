"""The process of the watch against a Dagster that only notes what is launched: kills, a second watch, a bad login."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psutil
import pytest

from vmh_sync.clock import ManualClock
from vmh_sync.coordination.connection import connect
from vmh_sync.coordination.watch_sign import (
    SILENT_SECONDS,
    WatchSign,
    give_sign,
    read_sign,
    silent_since,
    take_sign_away,
)
from vmh_sync.doctor.line import Level
from vmh_sync.doctor.own_services import check_watch
from vmh_sync.engine.passes.opening import PassSettings
from vmh_sync.entities import BETEILIGTE, Entity, with_records
from vmh_sync.services.signs_of_life import Pulse
from vmh_sync.settings import VmhSettings, load
from vmh_sync.systems.espocrm.errors import Transient
from vmh_sync.watch import process as watching
from vmh_sync.watch.process import check, switched_off, watch_for_ever, watch_until
from vmh_sync_tests.e2e.dagster_stack import wait_until
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.gateway import DagsterDouble, GatewayProcess


class WatchProcesses:
    """Starts ``python -m vmh_sync.watch``, any number."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, *options: str, pass_fds: Sequence[int] = ()) -> subprocess.Popen[bytes]:
        with (self._folder / f"watch{len(self.started)}.log").open("wb") as log:
            command = [sys.executable, "-m", "vmh_sync.watch", *options]
            self.started.append(subprocess.Popen(command, stdout=log, stderr=log, pass_fds=pass_fds))
        return self.started[-1]


@pytest.fixture
def processes(
    firm: Firm, firm_environment: pytest.MonkeyPatch, dagster_double: DagsterDouble, tmp_path: Path
) -> Iterator[WatchProcesses]:
    firm.crm.do("set_switch", optimistic={"CBeteiligte": True})
    firm_environment.setenv("VMH_DAGSTER_URL", dagster_double.url)
    firm_environment.setenv("VMH_WATCH_SECONDS", "0.2")
    found = WatchProcesses(tmp_path)
    yield found
    for process in found.started:
        if process.poll() is None:
            process.kill()
        process.wait(60)


def sign() -> WatchSign | None:
    """What the watch says of itself now."""

    async def read() -> WatchSign | None:
        redis = connect(os.environ["REDIS_URL"])
        try:
            return await read_sign(redis)
        finally:
            await redis.aclose()

    return asyncio.run(read())


def waits(firm: Firm, espo_id: str) -> bool:
    with firm.store.reading() as tx:
        return espo_id in tx.inbox.waiting_ids("beteiligte", [espo_id])


def test_an_edit_rings_the_bell_also_after_the_watch_was_killed_and_another_took_over(
    firm: Firm, processes: WatchProcesses, dagster_double: DagsterDouble
) -> None:
    first, _ = firm.linked_party(lastName="Eins")
    second, _ = firm.linked_party(lastName="Zwei")
    one = processes.start()
    wait_until("it watches", sign)
    another = processes.start()
    firm.crm_edit(first, firstName="Neu")
    wait_until("the edit waits for its sync", lambda: waits(firm, first))
    assert dagster_double.launched.wait(60)
    (launch,) = dagster_double.launches
    assert launch["selector"]["jobName"] == "sync_beteiligte"
    assert {"key": "vmh/trigger", "value": "watch"} in launch["executionMetadata"]["tags"]
    assert check() == 0

    one.send_signal(signal.SIGKILL)
    one.wait(60)
    firm.crm_edit(second, firstName="Neu")
    wait_until("the other one has found it", lambda: waits(firm, second))
    another.send_signal(signal.SIGTERM)
    assert another.wait(30) == 0


def test_a_refused_login_pauses_the_watch_without_a_call_and_is_said(
    firm: Firm, firm_environment: pytest.MonkeyPatch, processes: WatchProcesses, gateway: GatewayProcess
) -> None:
    firm_environment.setenv("ESPOCRM_API_KEY", "a key that was withdrawn")
    firm.crm.clear_calls()
    processes.start()

    wait_until("it pauses", lambda: (found := sign()) is not None and found.paused is not None)

    calls = firm.crm.calls()["total"]
    line = asyncio.run(check_watch(load(VmhSettings)))
    assert line.level is Level.HINT
    assert line.text.startswith("Pausiert: ")
    with gateway.client() as http:
        assert http.get("/ready").json()["watch"] == "paused"
        assert "vmh_watch_up 0.0" in http.get("/metrics").text
    assert calls <= 2, "the login is tried once"


def test_nothing_watches_when_it_is_switched_off_or_in_shadow_operation(
    firm: Firm, firm_environment: pytest.MonkeyPatch
) -> None:
    firm_environment.setenv("VMH_WATCH_SECONDS", "0")
    assert "VMH_WATCH_SECONDS" in str(switched_off(PassSettings.read()))
    assert asyncio.run(check_watch(load(VmhSettings))).level is Level.OK
    firm_environment.setenv("VMH_WATCH_SECONDS", "1")
    assert switched_off(PassSettings.read()) is None
    assert check() == 1
    assert "läuft nicht" in asyncio.run(check_watch(load(VmhSettings))).text.lower()
    firm_environment.setenv("VMH_SHADOW", "true")
    assert "VMH_SHADOW" in str(switched_off(PassSettings.read()))


async def test_an_office_that_is_away_pauses_the_watch_and_its_return_ends_the_pause(
    firm: Firm, firm_environment: pytest.MonkeyPatch, dagster_double: DagsterDouble
) -> None:
    firm_environment.setenv("VMH_DAGSTER_URL", dagster_double.url)
    firm_environment.setenv("VMH_WATCH_SECONDS", "0.1")
    await asyncio.to_thread(firm.crm.fault, "/api/v1/", "status", status=503)
    watching = asyncio.create_task(watch_for_ever(PassSettings.read(), firm.clock))
    try:
        await asyncio.to_thread(wait_until, "it pauses", lambda: (found := sign()) and found.paused)
        await asyncio.to_thread(firm.crm.clear_faults)
        await asyncio.to_thread(wait_until, "it watches", lambda: (found := sign()) and found.paused is None)
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def test_an_end_outside_a_look_takes_our_sign_away_too(
    firm: Firm, firm_environment: pytest.MonkeyPatch, redis_url: str
) -> None:
    """While it stands by for another watch, pauses before the next session, or opens one."""
    ended = asyncio.Event()
    ended.set()
    async with connect(redis_url) as redis:
        await give_sign(redis, WatchSign(firm.clock.now()))
        await watch_until(ended, PassSettings.read(), firm.clock)
        assert await read_sign(redis) is None
        other = {"at": firm.clock.now().isoformat(), "paused": None, "by": "another machine/1/1"}
        await redis.set("vmh:watch", json.dumps(other), ex=86_400)
        await watch_until(ended, PassSettings.read(), firm.clock)
        assert await read_sign(redis) is not None, "another one watches on"


async def test_a_sign_of_life_is_read_as_it_was_given_and_ends_by_itself(redis_url: str) -> None:
    clock = ManualClock(datetime(2026, 3, 2, 8, 0, tzinfo=UTC))
    redis = connect(redis_url)
    assert await read_sign(redis) is None
    await give_sign(redis, WatchSign(clock.now(), "EspoCRM antwortet nicht."))
    found = await read_sign(redis)
    assert found == WatchSign(clock.now(), "EspoCRM antwortet nicht.")
    assert await silent_since(redis) is None
    await redis.pexpire("vmh:watch", await redis.pttl("vmh:watch") - round(SILENT_SECONDS * 1000))
    assert await read_sign(redis) is None
    assert await silent_since(redis) == clock.now()
    await take_sign_away(redis)
    assert (await read_sign(redis), await silent_since(redis)) == (None, None)
    await redis.aclose()


def test_a_watch_gives_its_pulse_while_it_turns_and_takes_its_sign_away_when_it_ends_in_order(
    processes: WatchProcesses,
) -> None:
    pulse = Pulse()
    watch = processes.start("--pulse", str(pulse.writing), pass_fds=(pulse.writing,))
    wait_until("it watches and its pulse is felt", lambda: sign() and pulse())
    watch.send_signal(signal.SIGSTOP)
    wait_until("it is stopped", lambda: psutil.Process(watch.pid).status() == psutil.STATUS_STOPPED)
    pulse()
    assert not pulse()
    watch.send_signal(signal.SIGCONT)
    wait_until("it turns again", pulse)
    watch.terminate()
    assert watch.wait(60) == 0
    assert sign() is None


async def test_a_look_that_fails_lets_the_others_end_before_the_watch_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Theirs went on beside the next look through the same records, and beyond the clients."""
    ended: list[str] = []
    lease, rested = SimpleNamespace(lost=False), list[list[str]]()

    class Looking:
        def __init__(self, _context: object, entity: Entity, *_: object) -> None:
            self.name = entity.name

        async def look(self) -> int:
            if self.name == BETEILIGTE.name:
                raise Transient("away")
            await asyncio.sleep(0.05)
            ended.append(self.name)
            return 0

    async def rest(*_: object) -> None:
        rested.append(list(ended))
        lease.lost = True

    async def nothing(*_: object, **__: object) -> None: ...

    monkeypatch.setattr(watching, "EntityWatch", Looking)
    monkeypatch.setattr(watching, "own_user", nothing)
    monkeypatch.setattr(watching._Round, "_rest", rest)
    monkeypatch.setattr(watching._Round, "_keep_books", nothing)
    given: Any = SimpleNamespace(notice=None)
    await watching._Round(given, given, cast("Any", lease), given, every=0.01).until(5)
    assert rested == [[entity.name for entity in with_records() if entity is not BETEILIGTE]]
