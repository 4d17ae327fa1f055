"""Runs an ASGI app as a real HTTP server on loopback, inside the running event loop."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp

from vmh_sync.sandbox.connection import DroppableConnection

LOOPBACK = "127.0.0.1"
_BACKLOG = 1024


class LoopbackServer:
    """An ASGI app on ``http://127.0.0.1:<port>`` for the length of an ``async with`` block.

    ``port`` 0 takes a free one; ``url`` (without a slash at the end) is valid from the start, because the socket
    listens before the app runs. ``lifespan`` runs the app's own startup and shutdown.
    """

    def __init__(self, app: ASGIApp, *, port: int = 0, lifespan: bool = True) -> None:
        # With the protocol named, asyncio sets TCP_NODELAY on each connection; without, every answer takes 40 ms more.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((LOOPBACK, port))
        self._socket.listen(_BACKLOG)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{LOOPBACK}:{self.port}"
        self._server = _QuietServer(
            uvicorn.Config(
                app,
                http=DroppableConnection,
                ws="none",
                lifespan="auto" if lifespan else "off",
                log_level="error",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=120,
                timeout_graceful_shutdown=1,
            )
        )
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        self._socket.close()


class _QuietServer(uvicorn.Server):
    """Leaves signals to whoever owns the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
