"""Starts Dagster's processes: code server, webserver, daemon (specification, dagster.md 1a)."""

import socket
import time
from pathlib import Path

import httpx

from vmh_sync.orchestration.dagster_home import prepare_storage
from vmh_sync.services.processes import Supervisor, program
from vmh_sync.settings import LogSettings

LOCATION = "vmh_sync"
HOST = "127.0.0.1"
UP_SECONDS = 90.0


def free_port() -> int:
    """Return a port of the loopback interface that is free now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def start_dagster(supervisor: Supervisor, home: Path, logs: Path, *, port: int, log: LogSettings) -> str:
    """Start the three processes; returns the address of the UI, which may take some seconds to answer."""
    # Takes a second: only who starts Dagster pays for it.
    from vmh_sync.orchestration.dagster_signs import signs_of_code_server, signs_of_daemon, signs_of_webserver

    prepare_storage(home)
    code_port = free_port()
    workspace = home / "workspace.embedded.yaml"
    workspace.write_text(
        f"load_from:\n  - grpc_server: {{host: {HOST}, port: {code_port}, location_name: {LOCATION}}}\n",
        encoding="utf-8",
    )
    # Dagster's other form is coloured; dagster_program and code_server take the colours out.
    form = ["--log-format", "json" if log.format == "json" else "colored"]
    plain = [program("python"), "-m", "vmh_sync.orchestration.dagster_program"]
    code = [program("python"), "-m", "vmh_sync.orchestration.code_server", "-h", HOST, "-p", str(code_port)]
    signs = signs_of_code_server(HOST, code_port)
    supervisor.start("code-server", [*code, *form, "--log-level", log.level], logs, signs)
    url = f"http://{HOST}:{port}"
    web = [*plain, "dagster-webserver", "-w", str(workspace), "-h", HOST, "-p", str(port)]
    web_form = [*form, "--dagster-log-level", log.level]
    supervisor.start("dagster-webserver", [*web, *web_form], logs, signs_of_webserver(url))
    daemon = [*plain, "dagster-daemon", "run", "-w", str(workspace)]
    supervisor.start("dagster-daemon", [*daemon, *form, "--log-level", log.level], logs, signs_of_daemon(home))
    return url


def wait_until_up(url: str, supervisor: Supervisor) -> bool:
    """Wait until the UI answers; false when it does not within :data:`UP_SECONDS` or we are told to stop."""
    deadline = time.monotonic() + UP_SECONDS
    while time.monotonic() < deadline and not supervisor.stopping.is_set():
        try:
            if httpx.get(f"{url}/server_info", timeout=5, trust_env=False).is_success:
                return True
        except httpx.HTTPError:
            supervisor.stopping.wait(0.5)
    return False
