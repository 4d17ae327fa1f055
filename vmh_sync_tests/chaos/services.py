"""The services under the product as processes that chaos may kill, start again, stop and continue."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from vmh_sync.coordination.connection import connect_sync
from vmh_sync.coordination.errors import CoordinationUnavailable, translated
from vmh_sync.services.valkey import find_server
from vmh_sync_tests.e2e.dagster_stack import wait_until
from vmh_sync_tests.fixtures.postgres import PostgresServer

START_SECONDS = 60
_DURABLE = ("--port", "0", "--appendonly", "yes", "--appendfsync", "always", "--save", "")


class Valkey:
    """A Valkey that writes down everything before it answers, on the unix socket ``socket`` below ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.socket = folder / "v.sock"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"unix://{self.socket}"

    def start(self) -> None:
        """Start the server on what it wrote down before, and wait until it answers."""
        self._process = subprocess.Popen(
            [find_server(), "--unixsocket", str(self.socket), "--dir", str(self._folder), *_DURABLE],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until("Valkey answers", self._answers, START_SECONDS)

    def _answers(self) -> bool:
        client = connect_sync(self.url)
        try:
            with translated():
                return bool(client.ping())
        except CoordinationUnavailable:
            return False
        finally:
            client.close()

    def signal(self, number: signal.Signals) -> None:
        """Send the server a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill_and_start(self) -> None:
        """SIGKILL, then start again."""
        self.signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait(START_SECONDS)
        self.start()

    def empty(self) -> None:
        """Forget everything."""
        client = connect_sync(self.url)
        client.flushall()
        client.close()

    def stop(self) -> None:
        """End the server, also one that is stopped."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(START_SECONDS)


class Stoppable:
    """Processes that can be frozen (SIGSTOP) for a while; ``thaw`` lets all of them go on."""

    def __init__(self) -> None:
        self._frozen: list[int] = []

    def freeze(self, pid: int) -> None:
        """Stop a process in the middle of whatever it does."""
        try:
            os.kill(pid, signal.SIGSTOP)
        except ProcessLookupError:
            return
        self._frozen.append(pid)

    def thaw(self) -> None:
        """Continue every frozen process that still exists."""
        while self._frozen:
            try:
                os.kill(self._frozen.pop(), signal.SIGCONT)
            except ProcessLookupError:
                continue


def postgres_fault(server: PostgresServer, kind: str) -> Callable[[], None]:
    """Do something bad to PostgreSQL now; returns what ends it."""
    if kind == "kill":
        server.crash()
        return server.relaunch
    server.send(signal.SIGSTOP)
    return lambda: server.send(signal.SIGCONT)
