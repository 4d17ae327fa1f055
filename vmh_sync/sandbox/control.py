"""The back door of every simulated system: state, edits, seeding, scripted faults, call counts.

:class:`ControlledApp` wraps the ASGI app of a simulated system. Paths under ``/_sandbox/`` belong to the control
layer, are answered to loopback clients only and are never part of the simulated API; everything else goes through
the fault rules to the wrapped app and is counted.
"""

import asyncio
import contextlib
import inspect
import ipaddress
import json
import os
import signal
from collections.abc import Awaitable
from typing import Any, Protocol
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vmh_sync.clock import Clock, SystemClock
from vmh_sync.sandbox.calls import CallLog
from vmh_sync.sandbox.connection import hang_up
from vmh_sync.sandbox.faults import FaultBook, FaultRule
from vmh_sync.sandbox.tampering import tampered

PREFIX = "/_sandbox/"
BROKEN_JSON = b'{"broken": [1, 2'
_JSON_TYPE = (b"content-type", b"application/json")

Json = dict[str, Any]
Answer = Json | Awaitable[Json]


class ControlError(ValueError):
    """A control request asks for something that does not exist; the message says what."""


class ControlHooks(Protocol):
    """What a simulated system offers to its control layer; each may be sync or async."""

    def state(self) -> Answer:
        """Return everything the system holds, as plain JSON."""
        ...

    def edit(self, body: Json) -> Answer:
        """Do what a person at that system does: ``{"entity", "id", "action", "values"}``."""
        ...

    def seed(self, body: Json) -> Answer:
        """Add records as if they had always been there."""
        ...

    def reset(self, body: Json) -> Answer:
        """Forget all records and switches."""
        ...

    def command(self, name: str, body: Json) -> Answer:
        """Run a command of the system's own (``POST /_sandbox/do/{name}``)."""
        ...


class ControlledApp:
    """ASGI app: a simulated system with control paths, fault rules and call counts.

    ``name`` is shown by ``/_sandbox/health``; ``prefix`` is what the system's API paths begin with (left out of the
    route names, and only calls below it count as writes); ``seed`` makes faults with a probability repeatable;
    ``latency`` (seconds) is what every API call takes longer.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        name: str,
        hooks: ControlHooks,
        seed: int = 0,
        prefix: str = "/",
        clock: Clock | None = None,
        refusals: tuple[type[Exception], ...] = (),
        latency: float = 0.0,
    ) -> None:
        self.app = app
        self.name = name
        self.hooks = hooks
        self.faults = FaultBook(seed)
        self.calls = CallLog(prefix, clock or SystemClock())
        self._latency = latency
        self._refusals: tuple[type[Exception], ...] = (ValueError, *refusals)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI event."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path: str = scope["path"]
        if path.startswith(PREFIX):
            await self._control(scope, receive, send)
            return
        if self._latency:
            await asyncio.sleep(self._latency)
        query = scope["query_string"].decode("latin-1") if self.faults else ""
        rule = self.faults.due(scope["method"], path, query) if self.faults else None
        if rule is None:
            await self._pass_on(scope, receive, send)
        else:
            await self._fail(rule, scope, receive, send)

    # simulated API

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        status: int | None = None

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, note_status)
        finally:
            self.calls.add(scope["method"], scope["path"], status)

    async def _fail(self, rule: FaultRule, scope: Scope, receive: Receive, send: Send) -> None:
        if rule.action == "tamper":
            await self._tamper(rule, scope, receive, send)
            return
        if rule.action == "latency":
            await asyncio.sleep(rule.seconds)
            await self._pass_on(scope, receive, send)
            return
        if rule.action == "late":
            body = await _read_body(receive)
            await asyncio.sleep(rule.seconds)
            await self._pass_on(scope, _held(body, receive), send)
            return
        if rule.edit is not None:
            edited = self.hooks.edit(dict(rule.edit))
            if inspect.isawaitable(edited):
                await edited
            await self._pass_on(scope, receive, send)
            return
        answered = {"status": rule.status, "malformed": 200, "empty": 200}.get(rule.action)
        self.calls.add(scope["method"], scope["path"], answered)
        if answered is not None:
            await _read_body(receive)
            await _answer(send, answered, _fault_body(rule), _fault_headers(rule))
            return
        if rule.action in ("drop_after", "kill_after"):
            await self.app(scope, receive, _swallow)
        elif rule.action == "hang":
            await _wait_for_disconnect(receive, rule.seconds)
        _signal(rule, signal.SIGKILL)
        await hang_up(scope, receive)

    async def _answer_of(self, scope: Scope, receive: Receive) -> list[Message]:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._pass_on(scope, receive, keep)
        return messages

    async def _tamper(self, rule: FaultRule, scope: Scope, receive: Receive, send: Send) -> None:
        messages = await self._answer_of(scope, receive)
        body = tampered(b"".join(message.get("body", b"") for message in messages), rule)
        start = messages[0]
        headers = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
        await send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body})

    # control paths

    async def _control(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_loopback(scope):
            await _answer(send, 403, b'{"error": "control paths are for loopback clients only"}')
            return
        raw = await _read_body(receive)
        try:
            body = json.loads(raw) if raw else {}
            query = parse_qs(scope["query_string"].decode("latin-1"))
            result = self._dispatch(scope["method"], scope["path"][len(PREFIX) :], body, query)
            if inspect.isawaitable(result):
                result = await result
        except self._refusals as error:
            await _answer(send, 400, json.dumps({"error": str(error)}).encode())
            return
        if result is None:
            await _answer(send, 404, b'{"error": "no such control path"}')
            return
        await _answer(send, 200, json.dumps(result, ensure_ascii=False).encode())

    def _dispatch(self, method: str, path: str, body: Any, query: dict[str, list[str]]) -> Answer | None:
        if method == "POST" and path == "faults":
            return {"rules": self.faults.add(body)}
        if not isinstance(body, dict):
            raise ControlError(f"{method} {path} takes a JSON object")
        if method == "POST":
            return self._post(path, body)
        if method == "DELETE" and path in ("faults", "calls"):
            (self.faults if path == "faults" else self.calls).clear()
            return {"ok": True}
        if method == "GET" and path == "calls":
            last = query.get("last", ["200"])[0]
            return self.calls.report(int(last) if last.isdigit() else 200)
        if method == "GET" and path == "state":
            return self.hooks.state()
        if method == "GET" and path == "health":
            return {"ok": True, "name": self.name}
        return None

    def _post(self, path: str, body: Json) -> Answer | None:
        if path == "edit":
            return self.hooks.edit(body)
        if path == "seed":
            return self.hooks.seed(body)
        if path == "reset":
            return self.hooks.reset(body)
        if path.startswith("do/"):
            return self.hooks.command(path[len("do/") :], body)
        return None


def _is_loopback(scope: Scope) -> bool:
    client = scope.get("client")
    if not client:
        return True  # a unix socket, or called in-process
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(client[0]).is_loopback
    return bool(client[0] == "testclient")


def _signal(rule: FaultRule, number: signal.Signals) -> None:
    if rule.pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(rule.pid, number)


def _fault_body(rule: FaultRule) -> bytes:
    if rule.body is not None:
        return rule.body.encode()
    return BROKEN_JSON if rule.action == "malformed" else b""


def _fault_headers(rule: FaultRule) -> list[tuple[bytes, bytes]]:
    headers = [(name.lower().encode(), value.encode()) for name, value in rule.headers.items()]
    return headers if any(name == b"content-type" for name, _ in headers) else [_JSON_TYPE, *headers]


async def _swallow(_: Message) -> None:
    return None


async def _wait_for_disconnect(receive: Receive, seconds: float) -> None:
    async def disconnected() -> None:
        while (await receive())["type"] != "http.disconnect":
            continue

    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(disconnected(), seconds)


async def _read_body(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            break
    return b"".join(chunks)


def _held(body: bytes, receive: Receive) -> Receive:
    """Return a way to receive a request whose body was read before."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def held() -> Message:
        return first.pop() if first else await receive()

    return held


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*(headers or [_JSON_TYPE]), length]})
    await send({"type": "http.response.body", "body": body})
