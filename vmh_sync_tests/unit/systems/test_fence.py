"""No write leaves after its lease has ended, and none is waited for beyond it (sync-semantics.md 3)."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import cast

import pytest

from vmh_sync import fence
from vmh_sync.coordination import leases as lease_module
from vmh_sync.coordination.connection import AsyncRedis
from vmh_sync.coordination.errors import LeaseLost
from vmh_sync.coordination.leases import Leases
from vmh_sync.systems.calls import NullObserver
from vmh_sync.systems.errors import NoAnswerError
from vmh_sync.systems.google_calendar.http import SingleSendHttp
from vmh_sync.systems.http import make_http
from vmh_sync.systems.transport import HttpCall, Transport
from vmh_sync_tests.unit.coordination.stubborn import StubbornRedis


class Office:
    """Notes what arrives; answers unless it is told to be silent."""

    def __init__(self) -> None:
        self.arrived: list[str] = []
        self.silent = False
        self._server: asyncio.Server | None = None

    async def start(self) -> str:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/x"

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readline()
        while line and (await reader.readline()).strip():
            pass
        if line:
            self.arrived.append(line.decode().split()[0])
            if not self.silent:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
                await writer.drain()
                writer.close()

    def close(self) -> None:
        if self._server is not None:
            self._server.close()


class Ending:
    """A fence that ends after it was looked at a number of times."""

    def __init__(self, looks: int, seconds: float = 5.0) -> None:
        self.looks = looks
        self.seconds = seconds

    def seconds_left(self) -> float:
        if self.looks <= 0:
            raise LeaseLost("over")
        self.looks -= 1
        return self.seconds


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    office = Office()
    yield office
    office.close()


@contextmanager
def behind(one: fence.Fence) -> Iterator[None]:
    fence.put_up(one)
    try:
        yield
    finally:
        fence.take_down(one)


def put(url: str, method: str = "PUT", *, changes_nothing: bool = False) -> HttpCall:
    return HttpCall(method, url, "x", changes_nothing=changes_nothing)


@pytest.mark.parametrize("looks", [0, 1])
async def test_a_write_is_looked_at_when_a_slot_is_free_and_again_when_the_connection_stands(
    office: Office, looks: int
) -> None:
    url = await office.start()
    async with make_http(5, 1) as http:
        transport = Transport(system="x", http=http, observer=NullObserver(), concurrency=1)
        with behind(Ending(looks)):
            with pytest.raises(LeaseLost):
                await transport.send(put(url), retry=False)
            await transport.send(put(url, "GET"), retry=False)
            await transport.send(put(url, "POST", changes_nothing=True), retry=False)
        assert office.arrived == ["GET", "POST"]
        await transport.send(put(url), retry=False)
    assert office.arrived[2:] == ["PUT"]


async def test_a_write_that_waits_for_a_slot_does_not_leave_when_its_lease_ended_meanwhile(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await office.start()
    moment = 1000.0
    monkeypatch.setattr(lease_module, "now", lambda: moment)
    async with make_http(30, 1) as http:
        transport = Transport(system="x", http=http, observer=NullObserver(), concurrency=1)
        office.silent = True
        slow = asyncio.create_task(transport.send(put(url, "GET"), retry=False))
        while not office.arrived:  # noqa: ASYNC110 - nothing tells when it happens
            await asyncio.sleep(0)
        async with Leases(cast("AsyncRedis", StubbornRedis()), 30).hold("r"):
            waiting = asyncio.create_task(transport.send(put(url), retry=False))
            await asyncio.sleep(0)
            moment += 40  # the machine was asleep
            slow.cancel()
            with pytest.raises(LeaseLost):
                await waiting
    assert office.arrived == ["GET"]


@pytest.mark.parametrize("clock", ["now", "wall"])
async def test_a_lease_ends_by_whichever_clock_says_so_first(monkeypatch: pytest.MonkeyPatch, clock: str) -> None:
    # Redis ends keys by the time of day; a machine that was suspended may notice it on that clock only.
    moments = {"now": 1000.0, "wall": 5000.0}
    monkeypatch.setattr(lease_module, "now", lambda: moments["now"])
    monkeypatch.setattr(lease_module, "wall", lambda: moments["wall"])
    async with Leases(cast("AsyncRedis", StubbornRedis()), 30).hold("r"):
        moments[clock] += 20
        assert fence.seconds_for_a_write() == pytest.approx(10)
        moments[clock] += 10
        with pytest.raises(LeaseLost):
            fence.seconds_for_a_write()


def test_what_fails_after_the_end_of_a_lease_is_its_end() -> None:
    with behind(Ending(1)), pytest.raises(KeyError), fence.over_comes_first():
        raise KeyError
    with behind(Ending(0)), pytest.raises(LeaseLost), fence.over_comes_first():
        raise KeyError


async def test_an_answer_is_not_waited_for_beyond_the_end_of_the_lease(office: Office) -> None:
    url = await office.start()
    office.silent = True
    async with make_http(30, 1) as http:
        transport = Transport(system="x", http=http, observer=NullObserver(), concurrency=1)
        began = time.monotonic()
        with behind(Ending(9, seconds=0.2)), pytest.raises(NoAnswerError):
            await transport.send(put(url), retry=False)
    assert time.monotonic() - began < 10
    assert office.arrived == ["PUT"]


async def test_what_a_block_started_stays_behind_its_fence_also_in_a_thread(office: Office) -> None:
    url = await office.start()

    def write() -> None:
        SingleSendHttp(timeout=5).request(url, "PUT", body="")

    with behind(Ending(0)):
        call = fence.carried(write)
    with pytest.raises(LeaseLost):
        await asyncio.to_thread(call)
    assert office.arrived == []
    await asyncio.to_thread(write)
    assert office.arrived == ["PUT"]


def test_a_write_to_google_waits_no_longer_than_its_lease_lasts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x"
        failed: list[BaseException] = []

        def write() -> None:
            with behind(Ending(9, seconds=0.2)):
                try:
                    SingleSendHttp(timeout=60).request(url, "PUT", body="")
                except OSError as error:
                    failed.append(error)

        thread = threading.Thread(target=write, daemon=True)
        thread.start()
        thread.join(10)
    assert isinstance(failed[0], TimeoutError)
