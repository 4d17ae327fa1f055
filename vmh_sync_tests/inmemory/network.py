"""The wire between the product's real clients and the simulated systems, without sockets.

The cut is where the clients take it already: ``HttpClient``, and httplib2's ``Http`` for Google's client. On one side
everything of the product runs, also what builds requests and judges answers; on the other the sandbox, which shares
no code with it. ``Wire.fate`` is asked about every request: what becomes of it is the caller's to decide.
``Wire.around`` is asked before a write takes effect, and what it returns is called after it.
"""

import asyncio
import contextvars
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from json import dumps
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

import httpx
from starlette.types import ASGIApp, Message

from vmh_sync_tests.inmemory.loop import VirtualLoop, own_process

BASE = "http://{name}.sim.invalid"


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the wire sees it. ``system`` is advoware, espocrm or google."""

    system: str
    method: str
    path: str
    query: str
    process: str

    @property
    def is_write(self) -> bool:
        """Whether it may change something; asking for a token does not."""
        return self.method not in ("GET", "HEAD", "OPTIONS") and "oken" not in self.path


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a request.

    ``carried_out``: it takes effect at once, ``None`` never, a number so many seconds after everybody gave up waiting.
    ``answer``: "comes", "lost", "refused" (no connection came about) or a status that the system answers with.
    ``dies``: the sender dies "before" it leaves or "after" it took effect. ``says``: the body of an answer that is a
    status. ``of``: a request that is not of this kind arrives as usual.
    """

    seconds: float = 0.0
    carried_out: bool = True
    later: float | None = None
    answer: str | int = "comes"
    dies: str | None = None
    says: bytes = b""
    of: Callable[["Request"], bool] = lambda request: True


ARRIVES = Fate()
Answer = tuple[int, list[tuple[str, str]], bytes]


def ask(app: ASGIApp, method: str, url: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
    """Put one request to an ASGI app that never waits, and return status, headers and body."""
    parts = urlsplit(url)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": parts.scheme,
        "server": (parts.hostname, 80),
        "client": ("127.0.0.1", 5000),
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "root_path": "",
        "query_string": parts.query.encode(),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
    }
    told: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        told.append(message)

    answering = app(scope, receive, send)
    try:
        answering.send(None)  # type: ignore[attr-defined]
    except StopIteration:
        pass
    else:
        raise AssertionError(f"{method} {parts.path}: a simulated system waits for something")
    started = next(one for one in told if one["type"] == "http.response.start")
    content = b"".join(one.get("body", b"") for one in told if one["type"] == "http.response.body")
    return started["status"], [(n.decode("latin-1"), v.decode("latin-1")) for n, v in started["headers"]], content


@dataclass
class Wire:
    """All requests of all processes to the three systems. ``trace`` is told of each request and how it ended."""

    loop: VirtualLoop
    apps: dict[str, ASGIApp]
    fate: Callable[[Request], Fate] = lambda request: ARRIVES
    trace: Callable[[str], None] = lambda line: None
    around: Callable[[Request], Callable[[], None]] | None = None
    arrived: Callable[[Request], None] = lambda request: None
    writes: int = 0
    requests: int = 0
    cut: bool = False

    def judge(self, method: str, url: str) -> tuple[Request, Fate]:
        """Return a request and its fate, and count it."""
        process = own_process()
        parts = urlsplit(url)
        name = str(parts.hostname).partition(".")[0]
        request = Request(name, method, parts.path, parts.query, process.name if process else "-")
        self.requests += 1
        return request, self.fate(request)

    def carry_out(self, request: Request, url: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
        """Let the system take a request."""
        after = self.around(request) if self.around is not None and request.is_write else None
        answer = ask(self.apps[request.system], request.method, url, headers, body)
        if request.is_write and answer[0] < 400:
            self.writes += 1
        if after is not None:
            after()
        self.arrived(request)
        self.trace(f"{request.process} {request.method} {request.system}{request.path} {answer[0]}")
        return answer

    def outcome(
        self, fate: Fate, request: Request, url: str, headers: list[tuple[str, str]], body: bytes
    ) -> Callable[[], Answer | None]:
        """Let a request take effect as its fate says; what is returned tells the answer, ``None`` when none comes."""
        answer: Answer | None = None
        if fate.carried_out:
            answer = self.carry_out(request, url, headers, body)
        elif fate.later is not None and request.method == "POST":
            # Only creates: a change that arrives late takes back what was written since, which nobody can see coming.
            # Not as part of the process that sent it: that one may be dead by then.
            nobody = contextvars.Context()
            self.loop.call_later(fate.later, self.carry_out, request, url, headers, body, context=nobody)

        def told() -> Answer | None:
            if isinstance(fate.answer, int):
                return fate.answer, [("content-type", "application/json")] if fate.says else [], fate.says
            if fate.answer == "lost" or answer is None:
                self.trace(f"{request.process} {request.method} {request.system}{request.path} unanswered")
                return None
            return answer

        return told


class AsyncWire:
    """The ``HttpClient`` of the product's clients (``vmh_sync/systems/http.py``) over a :class:`Wire`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | list[tuple[str, Any]] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        follow_redirects: bool = False,
        extensions: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        """Carry one request; raises what httpx raises where no answer comes."""
        del follow_redirects
        wire = self._wire
        if wire.cut:
            raise httpx.ConnectError("the network is gone")
        if params:
            url = f"{url}?{urlencode(list(params.items()) if isinstance(params, Mapping) else params)}"
        body = b"" if json is None else dumps(json, ensure_ascii=False, separators=(",", ":")).encode()
        told_headers = [*(headers or {}).items(), ("content-type", "application/json")]
        sent, fate = wire.judge(method, url)
        if fate.seconds:
            await asyncio.sleep(fate.seconds)
        if fate.dies == "before":
            await _die()
        if fate.answer == "refused":
            raise httpx.ConnectError("refused")
        if extensions:
            await extensions["trace"]("http11.send_request_headers.started", {})
        told = wire.outcome(fate, sent, url, told_headers, body)
        if fate.dies == "after":
            await _die()
        answer = told()
        if answer is None:
            raise httpx.ReadTimeout("no answer")
        status, lines, content = answer
        return httpx.Response(status, headers=lines, content=content)


async def _die() -> None:
    process = own_process()
    if process is not None:
        process.kill()
    await asyncio.get_running_loop().create_future()
