"""Clients that send slowly, over real sockets, against uvicorn as the gateway runs it; the times are shortened."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from vmh_sync.gateway.http import patience
from vmh_sync.gateway.http.body_limit import BodyLimit
from vmh_sync.gateway.serve import server_config

SHORT = 0.4
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"


async def _echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse((await request.body()).decode())


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """Where a small app listens behind the gateway's own limits."""
    monkeypatch.setattr(patience, "HEAD_SECONDS", SHORT)
    app = Starlette(routes=[Route("/", _echo, methods=["GET", "POST"])])
    app.add_middleware(BodyLimit, limit=1000, seconds=SHORT)
    server = uvicorn.Server(server_config(app, "127.0.0.1", 0))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield listening.getsockname()
        server.should_exit = True
        thread.join(10)


def talk(address: tuple[str, int], *parts: bytes, pause: float = 0.0) -> tuple[bytes, float]:
    """Send parts with pauses, then read until the server hangs up; returns what came and how long it took."""
    began = time.monotonic()
    with socket.create_connection(address, timeout=10) as connection:
        received = threading.Thread(target=_send, args=(connection, parts, pause))
        received.start()
        found = b""
        while part := _received(connection):
            found += part
        received.join()
    return found, time.monotonic() - began


def _send(connection: socket.socket, parts: tuple[bytes, ...], pause: float) -> None:
    for part in parts:
        try:
            connection.sendall(part)
        except OSError:  # the server hung up, which is what is wanted
            return
        time.sleep(pause)


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        return b""


def test_a_head_that_never_ends_is_hung_up(address: tuple[str, int]) -> None:
    for parts in ((), (b"POST / HT",), (HEAD,), tuple(HEAD[place : place + 1] for place in range(len(HEAD)))):
        found, took = talk(address, *parts, pause=0.1)
        assert found == b""
        assert SHORT * 0.9 <= took < 5, parts


def test_a_second_head_on_the_same_connection_has_the_same_time(address: tuple[str, int]) -> None:
    found, took = talk(address, HEAD + b"\r\nabcd", HEAD[:20], pause=0.2)
    assert found.startswith(b"HTTP/1.1 200") and found.endswith(b"abcd")
    assert took < 5


def test_a_body_that_comes_by_drops_is_refused(address: tuple[str, int]) -> None:
    found, took = talk(address, HEAD + b"\r\n", b"a", b"b", pause=0.1)
    assert found.startswith(b"HTTP/1.1 408"), "EspoCRM sends it again"
    assert b"connection: close" in found.lower()
    assert took < 5


def test_a_slow_answer_is_no_slow_head(address: tuple[str, int]) -> None:
    close = HEAD.replace(b"Host", b"Connection: close\r\nHost")
    found, _ = talk(address, close[:10], close[10:] + b"\r\n", b"abcd", pause=0.15)
    assert found.startswith(b"HTTP/1.1 200")


def test_a_head_without_measure_is_hung_up(address: tuple[str, int]) -> None:
    parts = (b"GET / HTTP/1.1\r\nHost: x\r\nX: ", *[b"a" * 20_000] * 4)
    found, took = talk(address, *parts, pause=0.02)
    assert found == b""
    assert took < SHORT


CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    ("request_bytes", "answer"),
    [
        (CHUNKED + b"\r\n" + b"200\r\n" + b"a" * 512 + b"\r\n" + b"200\r\n" + b"a" * 512 + b"\r\n0\r\n\r\n", b"413"),
        (CHUNKED + b"Content-Length: 4\r\n\r\n0\r\n\r\nabcd", b"400"),
        (HEAD + b"Content-Length: 5\r\n\r\nabcde", b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999999999\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n", b"413"),
    ],
)
def test_bodies_with_tricks(address: tuple[str, int], request_bytes: bytes, answer: bytes) -> None:
    """Two lengths that contradict each other are how a request is smuggled past a proxy."""
    found, _ = talk(address, request_bytes)
    assert found.split(b" ")[1:2] == [answer], found[:200]
