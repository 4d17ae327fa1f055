"""Runs the gateway with uvicorn."""

import logging
import sys

import uvicorn

from vmh_sync.gateway.app import create_app
from vmh_sync.runtime.opening import HouseSettings
from vmh_sync.settings import SettingsError

LONGEST_GOODBYE = 10
IDLE_SECONDS = 15


def serve(settings: HouseSettings | None = None) -> int:
    """Serve until a signal ends it; returns the exit code: 2 when the settings forbid to start."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        settings = settings or HouseSettings.read()
        app = create_app(settings)
    except SettingsError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    config = uvicorn.Config(
        app,
        host=settings.house.gateway_host,
        port=settings.house.gateway_port,
        # Addresses may hold a token, and queries names of people: the doors write lines of their own.
        access_log=False,
        server_header=False,
        log_config=None,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=LONGEST_GOODBYE,
        limit_concurrency=500,
    )
    uvicorn.Server(config).run()
    return 0
