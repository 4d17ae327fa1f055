"""The keeper of the embedded Valkey: a small process of its own, started by :mod:`vmh_sync.services.valkey`.

It runs as a script and imports the standard library only, so that it starts in a few hundredths of a second.
It keeps the server running as long as anybody uses it: every user holds a shared lock on ``users.lock``, which the
kernel takes away when the process ends, however it ends. When the keeper gets that lock exclusively, nobody is left:
it stops the server and goes. If the keeper itself is killed, the kernel kills the server (Linux: PDEATHSIG).

The server inherits a lock on ``server.lock`` and so holds it exactly as long as it lives: two servers never write the
same append-only file.

Usage: valkey_guard.py BINARY FOLDER SOCKET. Prints nothing and ends with 0 once the server answers (the keeper goes
on in the background), or prints the reason and ends with 1.
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

READY_SECONDS = 20.0
STOP_SECONDS = 10.0
LOCK_SECONDS = 15.0
MOST_RESTARTS = 5
ASK_SECONDS = 5.0
"""Between two questions whether the server lives; an answer may take as long again."""
MOST_MISSED = 6
"""In a row, half a minute to a minute: then it is frozen (or stopped) and only an end and a new start help."""
_STABLE_SECONDS = 30.0
_PR_SET_PDEATHSIG = 1


def answers(path: str) -> bool:
    """Tell whether a server at this socket answers PING; False also while it is still loading.

    One whose disk is full answers with MISCONF: to start another would help nobody, and it heals when there is room.
    """
    return said_by(path, 1.0).startswith((b"+PONG", b"-MISCONF"))


def said_by(path: str, seconds: float) -> bytes:
    """Return what a server at this socket says to a PING; nothing when it says nothing in time."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(seconds)
        try:
            connection.connect(path)
            connection.sendall(b"PING\r\n")
            return connection.recv(64)
        except OSError:
            return b""


class ValkeyGuard:
    """Starts the server, restarts it when it dies, stops it when nobody uses it."""

    def __init__(self, binary: str, folder: Path, socket_path: str) -> None:
        self._binary = binary
        self._folder = folder
        self._socket = socket_path
        self._unused = threading.Event()
        self._server: subprocess.Popen[bytes] | None = None

    def run(self, report: int) -> None:
        """Serve until unused. Writes "ok" or the reason of the failure to the file descriptor ``report``."""
        lock = os.open(self._folder / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
        if not _lock_within(lock, LOCK_SECONDS):
            _report(report, "ein früherer Server läuft noch und endet nicht.")
            return
        self._server = self._start(lock)
        if not self._ready(self._server):
            # The file may be damaged by a power cut. What it holds may be lost (leases, token, rates): begin anew.
            self._set_aside_data()
            self._server = self._start(lock)
            if not self._ready(self._server):
                _report(report, f"warum, steht in {self._folder / 'valkey.log'}.")
                return
        _report(report, "ok")
        threading.Thread(target=self._wait_until_unused, daemon=True).start()
        self._keep(lock)

    def _keep(self, lock: int) -> None:
        restarts = 0
        while self._server is not None:
            began = time.monotonic()
            self._until_its_end(self._server)
            if self._unused.is_set():
                return
            restarts = 0 if time.monotonic() - began > _STABLE_SECONDS else restarts + 1
            if restarts > MOST_RESTARTS:
                return
            self._server = self._start(lock)
            if self._unused.is_set():  # nobody was left while it started
                self._server.terminate()

    def _until_its_end(self, server: "subprocess.Popen[bytes]") -> None:
        """Wait for the end of the server, and bring it about when it lives and says nothing any more."""
        missed = 0
        while True:
            try:
                server.wait(ASK_SECONDS)
                return
            except subprocess.TimeoutExpired:
                # Questions are counted, not seconds: a machine that slept has asked once meanwhile.
                missed = 0 if said_by(self._socket, ASK_SECONDS) else missed + 1
            if missed >= MOST_MISSED:
                self._note("the server lives but says nothing; it is ended and starts again")
                server.kill()  # one that is stopped takes no other signal
                missed = 0

    def _note(self, text: str) -> None:
        with contextlib.suppress(OSError), (self._folder / "valkey.log").open("a", encoding="utf-8") as log:
            log.write(f"{os.getpid()}:K {time.strftime('%d %b %Y %H:%M:%S')} # vmh-sync: {text}\n")

    def _start(self, lock: int) -> "subprocess.Popen[bytes]":
        # appendfsync everysec: a write reaches the kernel at once, so that killing the server loses nothing. Only a
        # power cut may lose a second, and no holder of a lease survives that. "always" would add a disk sync to
        # every lease for nothing.
        return subprocess.Popen(  # noqa: S603 - our own binary, no shell, no foreign input
            [
                self._binary,
                *("--port", "0", "--unixsocket", self._socket, "--unixsocketperm", "700"),
                *("--dir", str(self._folder), "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
                *("--daemonize", "no", "--maxmemory-policy", "noeviction", "--loglevel", "warning"),
                *("--logfile", str(self._folder / "valkey.log")),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            pass_fds=(lock,),
            preexec_fn=_die_with_parent,
        )

    def _ready(self, server: "subprocess.Popen[bytes]") -> bool:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if server.poll() is not None:
                return False
            if answers(self._socket):
                return True
            time.sleep(0.02)
        server.kill()
        server.wait()
        return False

    def _set_aside_data(self) -> None:
        for name in ("appendonlydir", "appendonly.aof"):  # Redis 7 and Valkey; Redis 6
            data = self._folder / name
            if data.exists():
                data.rename(self._folder / f"{name}.unreadable-{time.time_ns()}")

    def _wait_until_unused(self) -> None:
        users = os.open(self._folder / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(users, fcntl.LOCK_EX)
        # Kept until this process ends: who comes now waits until the server is gone and starts another.
        self._unused.set()
        server = self._server
        if server is None:
            return
        server.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while server.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        server.kill()


def _lock_within(lock: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _report(report: int, text: str) -> None:
    with contextlib.suppress(OSError):
        os.write(report, text.encode())
    os.close(report)


def _into_background(folder: Path) -> None:
    # A session of its own: a signal to the group of the process that started us does not reach us.
    os.setsid()
    os.chdir(folder)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.close(null)


def main(binary: str, folder: str, socket_path: str) -> int:
    """Start the keeper in the background and wait until the server answers. Returns the exit code."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.close(reading)
        _into_background(Path(folder))
        ValkeyGuard(binary, Path(folder), socket_path).run(writing)
        return 0
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as answer:
        text = answer.read()
    if text == "ok":
        return 0
    sys.stderr.write(
        text
        or "sein Aufseher ist gestorben. Besitzer, Rechte und freien Platz des Ordners prüfen, oder REDIS_URL setzen."
    )
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
