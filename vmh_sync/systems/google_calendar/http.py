"""An httplib2 transport that never sends a write twice behind our back.

httplib2 repeats a request of any method when the server closes the connection without an answer. For a write that
is a second execution nobody knows of; this transport lets reads be repeated and reports a lost answer of a
write as what it is, so that our own layer decides.
"""

import http.client
import select
from typing import Any

import httplib2

from vmh_sync.fence import seconds_for_a_write


class _SingleSend:
    """A connection that reports a missing answer as a reset, which httplib2 does not repeat."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        if connection.sock is not None and _closed_by_server(connection.sock):
            connection.close()  # an idle connection that died: nothing was sent on it yet

    @property
    def sock(self) -> Any:
        return self._connection.sock

    @property
    def host(self) -> str:
        return str(self._connection.host)

    def connect(self) -> None:
        self._connection.connect()

    def close(self) -> None:
        self._connection.close()

    def request(self, method: str, uri: str, body: object, headers: object) -> None:
        """Send, unless the lease that the write is made under has ended; the answer must come before it does."""
        if self._connection.sock is None:
            self._connection.connect()
        seconds = seconds_for_a_write()
        if seconds is not None:
            timeout = self._connection.timeout
            self._connection.sock.settimeout(min(seconds, timeout) if isinstance(timeout, int | float) else seconds)
        self._connection.request(method, uri, body, headers)

    def getresponse(self) -> Any:
        try:
            return self._connection.getresponse()
        except (http.client.BadStatusLine, http.client.ResponseNotReady) as error:
            raise ConnectionResetError("no answer to a write") from error
        finally:
            if self._connection.sock is not None:
                self._connection.sock.settimeout(self._connection.timeout)


class SingleSendHttp(httplib2.Http):
    """httplib2 whose writes leave this machine at most once per call."""

    def _conn_request(self, conn: Any, request_uri: str, method: str, body: object, headers: object) -> Any:
        """Send one request; a write goes out at most once. Raises OSError when no answer came."""
        connection = conn if method in {"GET", "HEAD"} else _SingleSend(conn)
        return super()._conn_request(connection, request_uri, method, body, headers)  # type: ignore[misc]


def _closed_by_server(sock: Any) -> bool:
    poll = select.poll()
    poll.register(sock, select.POLLIN | select.POLLHUP | select.POLLERR)
    return bool(poll.poll(0))
