"""Requests and answers of httpx, sent by aiohttp: a fifth of the CPU of httpx's own way (docs/benchmarks.md).

Addresses, parameters and decoding stay httpx's. Of aiohttp there are the connections and the parser. Three
things are not left to it. Whether a request was sent is told by whether the connection stood, not by the class of an
error: aiohttp's classes do not say it, and what was certainly not sent is sent again. It sends nothing twice by itself,
as it would with a PUT on a kept connection that broke. And a kept connection on which anything has arrived meanwhile is
not used again.
"""

import asyncio
import select
import ssl
import weakref
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import Any, Self

import aiohttp
import httpx
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.tracing import Trace
from yarl import URL

from vmh_sync.systems import bounded_answer as bounded
from vmh_sync.systems.outgoing import Outgoing, Params, outgoing
from vmh_sync.systems.proxies import proxy_for

_LONGEST_HEADER = 100 * 1024
"""As much as httpx takes; aiohttp would refuse 8 kB, less than some reasons and cookies have."""
_MOST_HEADERS = 10_000
_SENT = "http11.send_request_headers.started"
_OWN_HEADERS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")

TraceCallback = Callable[[str, Mapping[str, object]], Awaitable[None]]


@dataclass(slots=True)
class _Attempt:
    """One request on its way: whether its connection stood, and who wants to know."""

    trace: TraceCallback | None
    connected: bool = False


_attempt: ContextVar[_Attempt] = ContextVar("request that asks for a connection")


class _Connector(aiohttp.TCPConnector):
    """A pool that tells when the connection stands, gives one to each request only once, and only untouched ones."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._used: weakref.WeakSet[ResponseHandler] = weakref.WeakSet()

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own signature
    ) -> Connection:
        attempt = _attempt.get()
        if attempt.connected:
            raise aiohttp.ClientConnectionError("nothing is sent a second time")
        connection = await super().connect(req, traces, timeout)
        while (kept := connection.protocol) in self._used and not _untouched(kept):
            connection.close()
            connection = await super().connect(req, traces, timeout)
        try:
            if attempt.trace is not None:
                await attempt.trace(_SENT, {})
        except BaseException:
            connection.close()
            raise
        attempt.connected = True
        if connection.protocol is not None:
            self._used.add(connection.protocol)
        return connection


def _untouched(kept: ResponseHandler | None) -> bool:
    """Whether the other end has neither said anything nor let go since its last answer."""
    if kept is None or kept.transport is None or kept.should_close:
        return False
    handle = kept.transport.get_extra_info("socket")
    if handle is None:
        return False
    arrived = select.poll()  # what the event loop has not seen yet
    arrived.register(handle.fileno(), select.POLLIN)
    return not arrived.poll(0)


class AiohttpClient:
    """What the product uses of ``httpx.AsyncClient`` (:class:`vmh_sync.systems.http.HttpClient`)."""

    def __init__(
        self,
        *,
        timeout_seconds: float,
        connections: int,
        keepalive_seconds: float,
        certificates: ssl.SSLContext,
        headers: Mapping[str, str],
    ) -> None:
        self._seconds = timeout_seconds
        self._connections = connections
        self._keepalive_seconds = keepalive_seconds
        self._certificates = certificates
        self._headers = {"Connection": "keep-alive", **headers}
        self._session: aiohttp.ClientSession | None = None
        self._proxy_for = lru_cache(maxsize=16)(proxy_for)  # asked before each request

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=_Connector(
                limit=self._connections,
                keepalive_timeout=self._keepalive_seconds,
                ssl=self._certificates,
                use_dns_cache=False,
                resolver=aiohttp.ThreadedResolver(),
            ),
            # Unsafe only means: also from servers that are named by their IP address.
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            timeout=aiohttp.ClientTimeout(total=None, connect=self._seconds, sock_read=self._seconds),
            auto_decompress=False,
            skip_auto_headers=_OWN_HEADERS,
            max_line_size=_LONGEST_HEADER,
            max_field_size=_LONGEST_HEADER,
            max_headers=_MOST_HEADERS,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Params = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        follow_redirects: bool = False,
        extensions: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        """Send one request, once, and return its whole answer; see :class:`vmh_sync.systems.http.HttpClient`."""
        if follow_redirects:
            raise ValueError("redirects are never followed")
        request = outgoing(method, url, params=params, json=json, headers={**self._headers, **(headers or {})})
        attempt = _Attempt((extensions or {}).get("trace"))
        reset = _attempt.set(attempt)
        try:
            return await self._send(request)
        except TimeoutError as error:
            timed_out = httpx.ReadTimeout if attempt.connected else httpx.ConnectTimeout
            raise timed_out(type(error).__name__) from error
        except bounded.AnswerTooLong as error:
            raise httpx.ReadError(type(error).__name__) from error
        except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
            broken = httpx.ReadError if attempt.connected else httpx.ConnectError
            raise broken(type(error).__name__) from error
        finally:
            _attempt.reset(reset)

    def _proxy_of(self, address: URL) -> str | None:
        try:
            return self._proxy_for(address.scheme, address.host or "", address.port)
        except ValueError as error:
            raise httpx.UnsupportedProtocol(str(error)) from None

    async def _send(self, request: Outgoing) -> httpx.Response:
        if self._session is None:
            raise RuntimeError("the client is used outside of its block")
        address = URL(request.address, encoded=True)
        async with asyncio.timeout(3 * self._seconds) as patience:  # connecting, sending, waiting: each so long
            async with self._session.request(
                request.method,
                address,
                headers=request.headers,
                data=request.body or None,
                allow_redirects=False,
                proxy=self._proxy_of(address),
            ) as answer:
                if answer.content.is_eof():  # short ones come along with their headers
                    content = answer.content.read_nowait()
                    bounded.measure((content,))
                else:
                    # Each part of the body has its own time, and all of them together twice as much: a server that says
                    # a byte now and then would hold up its caller for hours.
                    patience.reschedule(asyncio.get_running_loop().time() + 2 * self._seconds)
                    content = await bounded.whole(answer.content.iter_chunked(bounded.PART))
        # As a stream, since httpx would name the length of any other content in the headers.
        stream = httpx.ByteStream(content)
        response = httpx.Response(answer.status, headers=answer.raw_headers, stream=stream)
        encoding = ", ".join(answer.headers.getall("Content-Encoding", ()))
        if not encoding:
            response._content = content  # what httpx itself does when it reads an answer whole
            return response
        if bounded.may_swell(len(content), encoding):
            parts = bounded.Parts(content)
            bounded.measure(httpx.Response(200, headers=answer.raw_headers, stream=parts).iter_bytes())
        response.read()
        return response
