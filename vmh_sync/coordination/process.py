"""Who holds a lease, precisely enough to tell whether that process still exists."""

import os
import socket
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_START_TIME_FIELD = 19
"""Position of `starttime` in /proc/<pid>/stat, counted from the field after the command's name (proc(5))."""


@dataclass(frozen=True, slots=True)
class ProcessId:
    """One process, once and for all: a number that is used again gets another start time.

    ``place`` identifies host, boot and PID name space: the numbers of two containers mean different processes although
    host name and boot id may be the same.
    """

    place: str
    pid: int
    started: str

    def __str__(self) -> str:
        return f"{self.place}/{self.pid}/{self.started}"

    @classmethod
    def parse(cls, text: str) -> "ProcessId | None":
        """Read the written form; None for anything else."""
        parts = text.rsplit("/", 2)
        if len(parts) != 3 or not (parts[1].isascii() and parts[1].isdigit()):
            return None
        return cls(parts[0], int(parts[1]), parts[2])

    @classmethod
    def own(cls) -> "ProcessId":
        """Return the identity of this process, looked up once; a fork looks anew."""
        return _own()


def is_provably_dead(process: ProcessId) -> bool:
    """Tell whether a process is certainly gone.

    Only a process of this very host, boot and PID name space can be judged; anything uncertain counts as alive. Gone
    means: no process has its number, or the one that has it started at another time, or it is a zombie.
    """
    if process.place != _place() or process.pid <= 0:
        return False
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # exists and belongs to another user
    stat = _stat(process.pid)
    if stat is None or process.started == "?":
        return False  # /proc may be hidden (hidepid): no proof
    state, started = stat
    return started != process.started or state in ("Z", "X")


@lru_cache(maxsize=1)
def _own() -> ProcessId:
    pid = os.getpid()
    _state, started = _stat(pid) or ("?", "?")
    return ProcessId(_place(), pid, started)


os.register_at_fork(after_in_child=_own.cache_clear)


@lru_cache(maxsize=1)
def _place() -> str:
    boot = _read(Path("/proc/sys/kernel/random/boot_id")) or "?"
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = "?"
    return f"{socket.gethostname()},{boot.strip()},{namespace}".replace("/", "_")


def _stat(pid: int) -> tuple[str, str] | None:
    text = _read(Path(f"/proc/{pid}/stat"))
    if text is None:
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold blanks and brackets
    return (fields[0], fields[_START_TIME_FIELD]) if len(fields) > _START_TIME_FIELD else None


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except OSError:
        return None
