"""What only one process may hold at a time: a house, and the ports it listens on."""

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

from vmh_sync.clock import SystemClock


class HomeTaken(Exception):
    """Another process holds what this one needs; ``str`` says in German which, and what to do."""


@contextmanager
def sole_holder(path: Path) -> Iterator[None]:
    """Hold a lock file; the lock ends with this process, however it ends.

    The file says who holds it, and nothing once it was let go (:func:`let_go_at`). Raises ``HomeTaken`` with a German
    sentence that names the holder when another process has it.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _taken(handle):
            raise HomeTaken(
                f"In {path.parent} läuft vmh-sync schon ({_holder(path)}): Beenden Sie diesen Prozess, oder wählen Sie "
                "mit VMH_HOME einen anderen Ordner."
            )
        since = SystemClock().now()
        os.ftruncate(handle, 0)
        os.write(handle, f"Prozess {os.getpid()}, seit {since.astimezone():%d.%m.%Y %H:%M:%S}".encode())
        try:
            yield
        finally:
            os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _taken(handle: int) -> bool:
    """Take the lock; who only looks (:func:`let_go_at`) has it for less than a moment, so a second try is made."""
    for pause in (0.1, 0.1, 0.0):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            Event().wait(pause)
        else:
            return True
    return False


def let_go_at(path: Path) -> datetime | None:
    """Return when the last holder of a lock file let go (aware, UTC); None while somebody holds it, or nobody ever did.

    A holder that was killed could not say so: the first who looks notes the moment of the look in its stead.
    """
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return None  # never held, or not ours to look at
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(handle).st_size:
            os.ftruncate(handle, 0)
        return datetime.fromtimestamp(os.fstat(handle).st_mtime, UTC)
    except BlockingIOError:
        return None
    finally:
        os.close(handle)


def _holder(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").strip() or "Prozess noch beim Start"


@contextmanager
def one_after_another(path: Path) -> Iterator[None]:
    """Hold a lock file, waiting for whoever holds it; the lock ends with this process, however it ends."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def require_free_port(host: str, port: int, *, what: str, remedy: str) -> None:
    """Make sure that nobody listens on a port; 0 means any.

    Raises ``HomeTaken`` with a German sentence: which port or address, for what, and what to do.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise _not_of_this_machine(host, what) from None  # unknown, or no address at all
    for family, kind, _, _, address in found:  # a server takes every address of a name, and ends when one is refused
        try:
            _bind_once(family, kind, address)
        except OSError as error:
            if error.errno != errno.EAFNOSUPPORT or len(found) == 1:
                raise _refused(error, str(address[0]), port, what, remedy) from None


def _bind_once(family: socket.AddressFamily, kind: socket.SocketKind, address: Any) -> None:
    with socket.socket(family, kind) as probe:
        # As servers do it: a connection of a moment ago that is still being closed does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, True)
        probe.bind(address)


def _refused(error: OSError, address: str, port: int, what: str, remedy: str) -> HomeTaken:
    if error.errno == errno.EACCES:
        return HomeTaken(
            f"Port {port} darf dieser Benutzer nicht öffnen, er wird für {what} gebraucht: {remedy[0].upper()}"
            f"{remedy[1:]}, 1024 oder höher."
        )
    if error.errno == errno.EADDRINUSE:
        return HomeTaken(
            f"Port {port} auf {address} ist belegt, er wird für {what} gebraucht: Beenden Sie das andere Programm, "
            f"oder {remedy}."
        )
    return _not_of_this_machine(address, what)


def _not_of_this_machine(host: str, what: str) -> HomeTaken:
    return HomeTaken(
        f"Die Adresse {host} gehört nicht zu diesem Rechner, dort sollte {what} zu erreichen sein: Setzen Sie eine "
        "Adresse dieses Rechners ein, oder 0.0.0.0 für alle."
    )
