"""A connection that never finishes the head of a request is closed; uvicorn itself keeps it for ever, at any length.

Enough of them would use up the places for connections, and EspoCRM's webhooks would find none. Bodies have their own
limits (``body_limit``).
"""

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.auto import AutoHTTPProtocol
from uvicorn.server import ServerState

HEAD_SECONDS = 10.0
LARGEST_HEAD = 64 * 1024


class PatientProtocol(asyncio.Protocol):
    """Uvicorn's own protocol with a time limit for each head; give it to ``uvicorn.Config(http=…)``."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._loop = _loop or asyncio.get_event_loop()
        make: Any = AutoHTTPProtocol
        self._inner: Any = make(config=config, server_state=server_state, app_state=app_state, _loop=self._loop)
        self._transport: asyncio.BaseTransport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._size = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first head."""
        self._transport = transport
        self._inner.connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Pass data on; whoever began a head has to finish it in time, and within reason."""
        self._inner.data_received(data)
        if not self._waits_for_head():
            self._forget()
            return
        self._expect_head()
        self._size += len(data)
        if self._size > LARGEST_HEAD:
            self._give_up()

    def eof_received(self) -> Any:
        """Pass on that the client sends no more."""
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        """Pass on that the client reads too slowly."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Pass on that the client reads again."""
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on that the connection is gone."""
        self._forget()
        self._inner.connection_lost(exc)

    def _waits_for_head(self) -> bool:
        cycle = self._inner.cycle
        return cycle is None or bool(cycle.response_complete)

    def _expect_head(self) -> None:
        # Not anew with every byte: that is just what a slow client would like.
        if self._timer is None:
            self._timer = self._loop.call_later(HEAD_SECONDS, self._give_up)

    def _give_up(self) -> None:
        self._forget()
        if self._transport is not None and self._waits_for_head():
            self._transport.close()

    def _forget(self) -> None:
        self._size = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
