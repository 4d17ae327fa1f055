"""What every layout of ``deploy/`` has in common: a filled ``.env``, programs as real processes, and who is left."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psutil

from vmh_sync_tests.e2e.dagster_stack import wait_until

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(sys.executable).parent
STOP_SECONDS = 120


class Layout(Protocol):
    """A deployment that can be started and stopped again and again."""

    folder: Path
    gateway_url: str
    dagster_url: str

    def up(self) -> None:
        """Start everything in the file's order, and wait until the file calls it ready."""

    def down(self) -> dict[str, int]:
        """Stop everything in order, as the file says; returns how each program ended."""


@dataclass
class Program:
    """A program of the file: its command, the only variables it gets, where it runs and what it wrote."""

    name: str
    command: list[str]
    environment: dict[str, str]
    folder: Path
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it in a session of its own, as a container or a service is."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env=self.environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def once(self) -> None:
        """Run it to its end, which must be good."""
        self.start()
        assert self.ended() == 0, f"{self.name}: {self.written()}"

    def try_out(self, command: list[str], seconds: float) -> bool:
        """Whether a command beside it, with the same variables, says that all is well (a check of its health)."""
        assert self.process is not None
        assert self.process.poll() is None, f"{self.name} ended with {self.process.poll()}: {self.written()}"
        with self.log.open("ab") as log:
            try:
                done = subprocess.run(
                    command, env=self.environment, cwd=self.folder, stdout=log, stderr=log, timeout=seconds, check=False
                )
            except subprocess.TimeoutExpired:
                return False
        return done.returncode == 0

    def terminate(self) -> None:
        """Ask it to end."""
        assert self.process is not None
        assert self.process.poll() is None, f"{self.name} had ended with {self.process.poll()}: {self.written()}"
        self.process.terminate()

    def ended(self, seconds: float = STOP_SECONDS) -> int:
        """Wait for its end; one that does not end in time is killed, as its engine does (the answer is then -9)."""
        assert self.process is not None
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(STOP_SECONDS)

    def written(self) -> str:
        """The end of what it and its checks wrote."""
        return self.log.read_text(errors="replace")[-3000:]


def filled_env(target: Path, values: Mapping[str, str]) -> None:
    """Copy ``.env.example`` and fill it in as a person does; every setting must stand there."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    for name, value in values.items():
        line = re.search(rf"^#?{name}=.*$", text, re.MULTILINE)
        assert line is not None, f"{name} does not stand in .env.example"
        text = f"{text[: line.start()]}{name}='{value}'{text[line.end() :]}"
    target.write_text(text, encoding="utf-8")
    target.chmod(0o600)


def moved(text: str, places: Mapping[str, str]) -> str:
    """Replace paths and ports of the file by the test's own, wherever they stand as a whole."""
    names = "|".join(re.escape(name) for name in sorted(places, key=len, reverse=True))
    return re.sub(rf"(?<![\w./-])({names})(?![\w-])", lambda found: places[found[1]], text)


def left_in(folder: Path) -> dict[int, str]:
    """The processes that were started with this folder in their variables and still run."""
    left = {}
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and str(folder) in "\0".join(process.environ().values()):
                left[process.pid] = " ".join(process.cmdline())
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return left


def kill(pids: Iterable[int]) -> None:
    """End processes at once, and wait until they are gone."""
    wanted = list(pids)
    for pid in wanted:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    wait_until("they are gone", lambda: not any(_runs(pid) for pid in wanted), STOP_SECONDS)


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
