"""The HTTP client below the clients of the foreign systems: its time-outs, pool and certificates."""

import ssl
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import httpx

from vmh_sync.systems.aiohttp_client import AiohttpClient

# uvicorn keeps connections for 5 s: if both ends let go at the same moment, a write that met the closing connection
# would have an unknown outcome. Letting go first avoids that.
KEEPALIVE_SECONDS = 2.0
HEADERS = {"Accept-Encoding": "gzip, deflate", "User-Agent": f"python-httpx/{httpx.__version__}"}
"""A web server may know us by them."""


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


def make_http(timeout_seconds: float, concurrency: int) -> AbstractAsyncContextManager[HttpClient]:
    """Make the HTTP client of one system: its time-out and a pool that fits the concurrency."""
    return AiohttpClient(
        timeout_seconds=timeout_seconds,
        connections=concurrency + 2,
        keepalive_seconds=KEEPALIVE_SECONDS,
        certificates=trusted_certificates(),
        headers=HEADERS,
    )


def trusted_certificates() -> ssl.SSLContext:
    """The trusted certificates: read once, which takes longer than many a pass, and anew when their file has changed.

    A process that runs are forked from lives for months; a firm's own authority is renewed meanwhile.
    """
    known = ssl.get_default_verify_paths()  # SSL_CERT_FILE and SSL_CERT_DIR, where they are set
    places = [place for place in (known.cafile, known.capath) if place]
    return read_certificates(tuple((place, Path(place).stat().st_mtime_ns) for place in places))


@lru_cache(maxsize=1)
def read_certificates(_places: tuple[tuple[str, int], ...]) -> ssl.SSLContext:
    """Read them, as the environment names them."""
    return httpx.create_ssl_context()
