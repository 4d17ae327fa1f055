"""The ASGI face of the simulated EspoCRM."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from vmh_sync.sandbox.crm.api import Answer, Api, Request
from vmh_sync.sandbox.crm.config import CrmConfig
from vmh_sync.sandbox.crm.errors import HTML, JSON, ApiError, crash, no_route
from vmh_sync.sandbox.crm.state import Crm
from vmh_sync.sandbox.crm.webhooks.delivery import DeliveryJob

PREFIX = "/api/v1/"
NGINX_HTML = "text/html; charset=utf-8"


def nginx_page(title: str) -> bytes:
    """Return the page nginx makes itself when PHP does not answer."""
    lines = ["<html>", f"<head><title>{title}</title></head>", "<body>", f"<center><h1>{title}</h1></center>"]
    lines += ["<hr><center>nginx/1.22.1</center>", "</body>", "</html>", ""]
    return "\r\n".join(lines).encode()


class CrmEndpoint:
    """Turns HTTP into requests of :class:`Api` and its answers into HTTP."""

    def __init__(self, api: Api, url_limit: int) -> None:
        self._api = api
        self._url_limit = url_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        body = await _read_body(receive)
        status, headers, payload = self._respond(scope, body)
        start = {"type": "http.response.start", "status": status, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else payload})

    def _respond(self, scope: Scope, body: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        path = scope["path"]
        query = scope["query_string"].decode("latin-1")
        if len(path) + len(query) > self._url_limit:
            return 414, _headers(NGINX_HTML), nginx_page("414 Request-URI Too Large")
        if self._api.crm.outage == "gateway":
            return 502, _headers(NGINX_HTML), nginx_page("502 Bad Gateway")
        try:
            answer = self._answer(scope, path, query, body)
        except ApiError as error:
            return _refusal(error)
        # A missing metadata key is no JSON null but nothing at all (recorded as n01_metadata_missing_entity).
        text = "" if answer.value is None else json.dumps(answer.value, separators=(",", ":"), ensure_ascii=False)
        payload = text.encode()
        return answer.status, [*_headers(JSON, len(payload)), (b"x-app-timestamp", b"1795449888")], payload

    def _answer(self, scope: Scope, path: str, query: str, body: bytes) -> Answer:
        outage = self._api.crm.outage
        if outage == "maintenance":
            text = {"message": "The application currently is in maintenance mode."}
            raise ApiError(503, "Application is in maintenance mode.", text, content_type=HTML)
        if outage == "database":
            raise crash(HTML)
        if not path.startswith(PREFIX):
            raise no_route(404)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        client = scope.get("client")
        address = client[0] if client else "127.0.0.1"
        request = Request(scope["method"], path.removeprefix(PREFIX), query, headers, body, address)
        return self._api.handle(request)


async def _read_body(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            break
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            break
    return b"".join(chunks)


def _headers(content_type: str, length: int | None = None) -> list[tuple[bytes, bytes]]:
    headers = [(b"content-type", content_type.encode())]
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    return headers


def _refusal(error: ApiError) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    payload = b"" if error.body is None else json.dumps(error.body, separators=(",", ":"), ensure_ascii=False).encode()
    headers = _headers(error.content_type, len(payload))
    if error.reason is not None:
        headers.append((b"x-status-reason", error.reason.encode("utf-8")))
    headers += [(name.lower().encode(), value.encode()) for name, value in error.headers.items()]
    return error.status, headers, payload


def create_crm_app(
    config: CrmConfig | None = None, *, api: Api | None = None, transport: httpx.AsyncBaseTransport | None = None
) -> Starlette:
    """Build a simulated EspoCRM as an ASGI application.

    The installation hangs at ``app.state.api`` (:class:`Api`; its ``crm`` is the state) and the delivery job at
    ``app.state.delivery``; the lifespan runs the job. ``api`` takes an existing installation instead of ``config``;
    ``transport`` replaces the network of the deliveries in tests.
    """
    served = api or Api(Crm(config or CrmConfig()))
    settings = served.crm.config
    delivery = DeliveryJob(served.webhooks, settings.webhooks, transport)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with delivery:
            yield

    endpoint: ASGIApp = CrmEndpoint(served, settings.url_limit)
    app = Starlette(routes=[Mount("/", app=endpoint)], lifespan=lifespan)
    state: Any = app.state
    state.api, state.delivery = served, delivery
    return app
