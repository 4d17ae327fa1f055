"""Whether a Redis behind ``rediss://`` speaks TLS at all: one that does not is silent, as one that is away."""

import socket
import ssl
from urllib.parse import urlsplit

from vmh_sync.coordination.errors import NO_TLS, CoordinationUnavailable

PATIENCE_SECONDS = 3.0
_PORT = 6379


def looked_into(
    trouble: CoordinationUnavailable, url: str | None, patience: float = PATIENCE_SECONDS
) -> CoordinationUnavailable:
    """Return the trouble, or that the server at ``url`` takes a connection and answers no greeting of TLS. Blocking."""
    return CoordinationUnavailable(str(trouble), *NO_TLS) if url and _is_plain(url, patience) else trouble


def _is_plain(url: str, patience: float) -> bool:
    parts = urlsplit(url)
    if parts.scheme != "rediss" or parts.hostname is None:
        return False
    try:
        raw = socket.create_connection((parts.hostname, parts.port or _PORT), patience)
    except OSError:
        return False
    with raw:
        try:
            ssl.create_default_context().wrap_socket(raw, server_hostname=parts.hostname).close()
        except ssl.SSLCertVerificationError:
            return False  # it does speak TLS
        except OSError:
            return True
    return False
