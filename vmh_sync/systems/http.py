"""The HTTP client below the clients of the foreign systems: which one, its time-outs, pool and certificates."""

import asyncio
import ssl
import urllib.request
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from functools import cache
from typing import Any, Protocol

import httpx

from vmh_sync.settings import HttpSettings, load
from vmh_sync.systems import bounded_answer as bounded
from vmh_sync.systems.aiohttp_client import AiohttpClient

# httpx pools connections for 5 s, as long as uvicorn keeps them: both ends would let go at the same moment, and a
# write that met the closing connection would have an unknown outcome. Letting go first avoids that.
KEEPALIVE_SECONDS = 2.0
TRANSPORTS = frozenset({"aiohttp", "httpx"})
HEADERS = {"Accept-Encoding": "gzip, deflate", "User-Agent": f"python-httpx/{httpx.__version__}"}
"""The same whatever sends: a web server may know us by them."""
_PROXIES = frozenset({"http", "https", "all"})


class HttpClient(Protocol):
    """What the product uses of ``httpx.AsyncClient``; answers and errors are httpx's own."""

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
        """Send one request, once, and return its whole answer; raises ``httpx.RequestError``.

        ``ConnectError``, ``ConnectTimeout``, ``PoolTimeout`` and ``UnsupportedProtocol`` mean that nothing was sent;
        no other error may be taken for that. Of ``extensions`` there is httpcore's ``trace``: its event
        ``….send_request_headers.started`` comes when the connection stands and nothing was sent, and what the callback
        raises calls the request off.
        """
        ...


def make_http(
    timeout_seconds: float, concurrency: int, transport: str | None = None
) -> AbstractAsyncContextManager[HttpClient]:
    """Make the HTTP client of one system: its time-out and a pool that fits the concurrency.

    ``transport`` is one of :data:`TRANSPORTS`, as set by ``VMH_HTTP_TRANSPORT`` where it is None. With a proxy in the
    environment it is always httpx, so that proxies and their exceptions have one reading.
    """
    chosen = transport or load(HttpSettings).transport
    if chosen == "aiohttp" and not _PROXIES & urllib.request.getproxies().keys():
        return AiohttpClient(
            timeout_seconds=timeout_seconds,
            connections=concurrency + 2,
            keepalive_seconds=KEEPALIVE_SECONDS,
            certificates=_certificates(),
            headers=HEADERS,
        )
    return BoundedHttpx(
        timeout_seconds,
        headers=HEADERS,
        verify=_certificates(),
        timeout=httpx.Timeout(timeout_seconds),
        limits=httpx.Limits(
            max_connections=concurrency + 2,
            max_keepalive_connections=concurrency + 2,
            keepalive_expiry=KEEPALIVE_SECONDS,
        ),
    )


class BoundedHttpx(httpx.AsyncClient):
    """``httpx.AsyncClient`` whose answers have an end, in time and in bytes, as those of :class:`AiohttpClient`."""

    def __init__(self, seconds: float, **options: Any) -> None:
        super().__init__(**options)
        self._seconds = seconds

    async def send(self, request: httpx.Request, *, stream: bool = False, **options: Any) -> httpx.Response:
        """Send one request and return its whole answer."""
        response = await super().send(request, stream=True, **options)
        if stream:
            return response
        try:
            async with asyncio.timeout(2 * self._seconds):
                content = await bounded.whole(response.aiter_bytes(bounded.PART))
        except (TimeoutError, bounded.AnswerTooLong) as error:
            raise httpx.ReadError(type(error).__name__, request=request) from error
        finally:
            await response.aclose()
        response._content = content  # what httpx itself does when it reads an answer whole
        return response


@cache
def _certificates() -> ssl.SSLContext:
    """The trusted certificates, read once a process: it takes longer than many a pass."""
    return httpx.create_ssl_context()
