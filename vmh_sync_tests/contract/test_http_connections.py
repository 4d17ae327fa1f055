"""The requests that leave and the connections they take."""

import asyncio
import logging
from typing import Any

import pytest

from vmh_sync.systems import http as http_module
from vmh_sync.systems.errors import NoAnswerError, NotSentError
from vmh_sync.systems.transport import HttpCall
from vmh_sync_tests.fixtures.http_transports import BODY, PATIENT, Client, call, opened, opened_with_httpx
from vmh_sync_tests.fixtures.rogue import (
    ANSWER,
    Habit,
    Talk,
    answering,
    once,
    rogue,
    silent,
    silent_in_the_body,
    stuck,
)

pytestmark = pytest.mark.usefixtures("without_proxies")

# Requests


CALLS: list[Any] = [
    ("GET", "/api/v1/A", None, None),
    ("GET", "/api/v1/A?x=%C3%BC&y=a+b", None, None),
    ("GET", "/api/v1/A", [("where[0][type]", "equals"), ("where[0][value]", "Müller & Söhne + 50 %/ü")], None),
    ("GET", "/api/v1/A", {"maxSize": 20, "total": False, "none": None, "list": ["a", "b"]}, None),
    ("GET", "/api/v1/a b/ü/%2F/..", {}, None),
    ("POST", "/api/v1/A", None, BODY),
    ("POST", "/api/v1/A", None, []),
    ("POST", "/api/v1/A", None, None),
    ("PUT", "/api/v1/A/1", {"a": "b"}, {"n": None, "x": [1.5, True]}),
    ("PATCH", "/api/v1/A/1", None, ""),
    ("DELETE", "/api/v1/A/1", None, None),
    ("DELETE", "/api/v1/A/1", None, {"ids": ["a"]}),
]


async def _request(client: Client, order: tuple[str, str, object, object]) -> tuple[str, set[tuple[str, str]], bytes]:
    method, path, params, body = order
    headers = {"X-Api-Key": "k", "X-Skip-Duplicate-Check": "true"}
    async with rogue(answering()) as server, client() as transport:
        await transport.send(HttpCall(method, server.url + path, "x", params, body, headers), retry=False)  # type: ignore[arg-type]
        arrived = server.arrived[0]
        fields = {(name, value) for name, value in arrived.headers if name != "host"}
        # No body and a body of no bytes are the same to a DELETE.
        return arrived.line, fields - {("content-length", "0")}, arrived.body


@pytest.mark.parametrize("order", CALLS, ids=[f"{method} {number}" for number, (method, *_) in enumerate(CALLS)])
async def test_a_request_leaves_as_from_httpx_itself(order: tuple[str, str, object, object]) -> None:
    assert await _request(opened, order) == await _request(opened_with_httpx, order)


@pytest.mark.parametrize("body", [{"x": float("nan")}, {"x": object()}])
async def test_what_is_no_json_is_not_sent(body: object) -> None:
    async with rogue(answering()) as server, opened() as transport:
        with pytest.raises((ValueError, TypeError)):
            await transport.send(HttpCall("POST", server.url, "x", body=body), retry=False)
        assert server.connections == 0


async def test_a_login_in_the_address_is_sent_as_one() -> None:
    async with rogue(answering()) as server, opened() as transport:
        await transport.send(call(server, "GET", "/x"), retry=False)
        server.url = server.url.replace("//", "//web:ge%40heim@")
        await transport.send(call(server, "GET", "/x"), retry=False)
        assert [one.header("authorization") for one in server.arrived] == [None, "Basic d2ViOmdlQGhlaW0="]


async def test_cookies_of_the_server_come_back_to_it() -> None:
    answer = ANSWER.replace(b"\r\n", b"\r\nSet-Cookie: balancer=7; Path=/; HttpOnly\r\n", 1)
    async with rogue(answering(answer)) as server, opened() as transport:
        for _ in range(2):
            await transport.send(call(server, "GET"), retry=False)
        assert [one.header("cookie") for one in server.arrived] == [None, "balancer=7"]


@pytest.mark.parametrize(
    ("exempt", "asked"),
    [("", "proxy"), ("127.0.0.1", "server"), ("127.0.0.1:{port}", "server"), ("127.0.0.1:1", "proxy")],
)
async def test_the_proxy_of_the_environment_is_used_and_its_exceptions_kept(
    monkeypatch: pytest.MonkeyPatch, exempt: str, asked: str
) -> None:
    async with rogue(answering()) as server, rogue(answering()) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", exempt.format(port=server.url.rpartition(":")[2]))
        async with opened() as transport:
            await transport.send(call(server, "GET", "/x"), retry=False)
        lines = {"server": [one.line for one in server.arrived], "proxy": [one.line for one in proxy.arrived]}
    expected = {"server": [], "proxy": [], asked: [f"GET {server.url if asked == 'proxy' else ''}/x HTTP/1.1"]}
    assert lines == expected


async def test_a_proxy_of_another_kind_is_not_sent_what_it_cannot_read(monkeypatch: pytest.MonkeyPatch) -> None:
    async with rogue(answering()) as server, rogue(answering()) as proxy:
        monkeypatch.setenv("ALL_PROXY", proxy.url.replace("http://", "socks5://"))
        async with opened() as transport:
            with pytest.raises(NotSentError, match="UnsupportedProtocol"):
                await transport.send(call(server), retry=False)
        assert server.connections == proxy.connections == 0


# Connections


async def test_connections_are_kept_and_let_go_before_the_server_does(monkeypatch: pytest.MonkeyPatch) -> None:
    async with rogue(answering()) as server:
        async with opened() as transport:
            for _ in range(3):
                await transport.send(call(server), retry=False)
        assert server.connections == 1
        await asyncio.wait_for(server.closed.acquire(), PATIENT)
        monkeypatch.setattr(http_module, "KEEPALIVE_SECONDS", -1.0)
        async with opened() as transport:
            for _ in range(3):
                await transport.send(call(server), retry=False)
        assert server.connections == 4


async def test_a_connection_that_the_server_has_let_go_is_not_used_again() -> None:
    async with rogue(once(ANSWER)) as server, opened() as transport:
        for _ in range(5):
            await transport.send(call(server), retry=False)
            await asyncio.wait_for(server.closed.acquire(), PATIENT)
        assert server.connections == len(server.arrived) == 5


async def test_what_a_server_says_without_being_asked_answers_no_request() -> None:
    stray = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"
    said = asyncio.Semaphore(0)

    async def habit(talk: Talk) -> None:
        while await talk.request():
            await talk.say(ANSWER)
            await talk.say(stray)
            said.release()

    async with rogue(habit) as server, opened() as transport:
        for _ in range(5):
            assert (await transport.send(call(server), retry=False)).status_code == 200
            await asyncio.wait_for(said.acquire(), PATIENT)
        assert len(server.arrived) == 5


@pytest.mark.parametrize("habit", [silent, silent_in_the_body])
async def test_a_call_that_was_cancelled_leaves_no_connection_behind(habit: Habit) -> None:
    async with rogue(habit) as server, opened(concurrency=1) as transport:
        for number in range(1, 8):  # more than the pool holds
            task = asyncio.create_task(transport.send(call(server), retry=False))
            while len(server.arrived) < number:  # noqa: ASYNC110 - nothing tells when it happens
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.wait_for(server.gone.acquire(), PATIENT)
        server.habit = answering()
        assert (await transport.send(call(server), retry=False)).status_code == 200


async def test_a_call_that_was_cancelled_while_it_connects_leaves_no_place_taken() -> None:
    async with rogue(stuck) as server, opened(concurrency=1) as transport:
        secure = HttpCall("GET", server.url.replace("http://", "https://"), "x")
        for number in range(1, 8):
            task = asyncio.create_task(transport.send(secure, retry=False))
            while server.connections < number:  # noqa: ASYNC110 - nothing tells when it happens
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        server.habit = answering()
        assert (await transport.send(call(server), retry=False)).status_code == 200


def test_every_event_loop_has_connections_of_its_own() -> None:
    async def work() -> int:
        async with rogue(answering()) as server, opened() as transport:
            await asyncio.gather(*(transport.send(call(server), retry=False) for _ in range(8)))
            return len(server.arrived)

    assert [asyncio.run(work()) for _ in range(2)] == [8, 8]


async def test_no_address_reaches_a_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with rogue(answering()) as server, opened() as transport:
        await transport.send(call(server, "GET", "/x?name=Geheimrat"), retry=False)
    async with rogue(once(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")) as server, opened() as transport:
        with pytest.raises(NoAnswerError) as caught:
            await transport.send(call(server, "GET", "/x?name=Geheimrat"), retry=False)
    assert "Geheimrat" not in str(caught.value)
    assert "Geheimrat" not in caplog.text
