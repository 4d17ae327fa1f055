"""Runs the gateway with uvicorn."""

import signal
import sys

import uvicorn
from starlette.types import ASGIApp

from vmh_sync.engine.passes.opening import PassSettings
from vmh_sync.entities import UnusableEntity
from vmh_sync.gateway.app import create_app
from vmh_sync.gateway.http.listening import bare_host
from vmh_sync.gateway.http.patience import PatientProtocol
from vmh_sync.services.log_format import log_to_stderr
from vmh_sync.settings import LogSettings, SettingsError, load

LONGEST_GOODBYE = 10
IDLE_SECONDS = 15


def serve(settings: PassSettings | None = None) -> int:
    """Serve until a signal ends it; returns the exit code: 0 after SIGTERM, 2 when the settings forbid to start."""
    try:
        log_to_stderr(load(LogSettings))
        settings = settings or PassSettings.read()
        app = create_app(settings)
    except (SettingsError, UnusableEntity) as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    # Ended in order, uvicorn raises the signal once more: that would be an end by signal, which engines call a failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.Server(server_config(app, bare_host(settings.house), settings.house.gateway_port)).run()
    return 0


def server_config(app: ASGIApp, host: str, port: int) -> uvicorn.Config:
    """Return how uvicorn serves an app to strangers."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=PatientProtocol,
        # Nobody here speaks it.
        ws="none",
        # Addresses may hold a token, and queries names of people: the endpoints write lines of their own.
        access_log=False,
        server_header=False,
        log_config=None,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=LONGEST_GOODBYE,
        limit_concurrency=500,
    )
