"""How a simulated system hangs up on a client in the middle of a request.

uvicorn gives an ASGI app no way to close a connection without an answer. This protocol class puts itself into the
ASGI scope, so that :func:`hang_up` can abort the transport: the client sees a real connection error.
"""

from starlette.types import Receive, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_EXTENSION = "vmh_sync.sandbox.connection"


class ConnectionDroppedError(ConnectionError):
    """The simulated system hung up; only seen where the app is called in-process, without a real connection."""


class DroppableConnection(HttpToolsProtocol):
    """uvicorn HTTP protocol whose scope carries the connection (``uvicorn.Config(http=DroppableConnection)``)."""

    def on_message_begin(self) -> None:
        """Start a request; called by the parser."""
        super().on_message_begin()
        self.scope["extensions"] = {_EXTENSION: {"connection": self}}


async def hang_up(scope: Scope, receive: Receive) -> None:
    """Close the connection of this request without an answer and wait until it is closed.

    Raises :class:`ConnectionDroppedError` when there is no real connection (in-process calls).
    """
    extension = (scope.get("extensions") or {}).get(_EXTENSION)
    if extension is None:
        raise ConnectionDroppedError("connection dropped by a fault rule of the sandbox")
    extension["connection"].transport.abort()
    while (await receive())["type"] != "http.disconnect":
        continue
