"""Runs several processes in the foreground: starts them, starts a dead or frozen one again, stops all at the end."""

import ctypes
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

from vmh_sync.services.signs_of_life import ASK_SECONDS, Pulse, SignsOfLife

log = logging.getLogger(__name__)

STOP_SECONDS = 15.0
"""For whoever was asked to end, and for the runs under way, to come to their end."""
LAST_SECONDS = 5.0
"""For what is left then: a run that is told to end lets its leases go and says so to Dagster."""
LOOK_SECONDS = 0.05
CHECK_SECONDS = 0.5
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
STEADY_SECONDS = 60.0
"""A process that lived this long counts as healthy: the next pause is short again."""


@dataclass(slots=True)
class Child:
    """One process to keep alive."""

    name: str
    command: Sequence[str]
    log_file: Path
    signs: SignsOfLife | None = None
    pulse: Pulse | None = None
    process: subprocess.Popen[bytes] | None = None
    groups: list[int] = field(default_factory=list)
    """Of each start the group of its processes while one of them lives: runs outlive a code server that was killed."""
    started_at: float = 0.0
    pause: float = FIRST_PAUSE
    restart_at: float | None = None

    def forget_ended(self) -> None:
        """Keep the groups in which somebody lives; the number of an empty one may soon be somebody else's."""
        for group in self.groups:
            self._bury(group)
        self.groups = [group for group in self.groups if _signal(group, 0)]

    def _bury(self, group: int) -> None:
        """Let the ended go: until their parent has asked for them they count as there."""
        if sys.platform != "linux" or self.process is None:
            return
        with suppress(ChildProcessError):  # nobody of it is a child of this process
            while ended := os.waitid(os.P_PGID, group, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                if ended.si_pid == self.process.pid:
                    self.process.poll()  # how it ended is told
                else:
                    os.waitpid(ended.si_pid, 0)


@dataclass(slots=True)
class Supervisor:
    """Keeps children alive until :meth:`stop`; they die with this process, also when it is killed.

    One that lives and gives no sign of life is killed, which it stands like every other end, and started again.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    log_bytes: int = 20_000_000
    log_files: int = 5
    ask_seconds: float = ASK_SECONDS
    children: list[Child] = field(default_factory=list)
    stopping: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        """Become the parent of those whose own has ended, which else depends on the machine's first process."""
        _adopt_orphans(True)

    def start(self, name: str, command: Sequence[str], log_folder: Path, signs: SignsOfLife | None = None) -> None:
        """Start a process whose output goes to ``log_folder/name.log``; ``signs``: how it is asked whether it lives."""
        self._add(Child(name, command, log_folder / f"{name}.log", signs))

    def start_with_pulse(self, name: str, command: Sequence[str], log_folder: Path) -> None:
        """Start a process that answers no questions: it takes ``--pulse FD`` and writes there as long as it turns."""
        pulse = Pulse()
        with_pulse = [*command, "--pulse", str(pulse.writing)]
        self._add(Child(name, with_pulse, log_folder / f"{name}.log", SignsOfLife(pulse), pulse))

    def watch(self, every: Callable[[], None] = lambda: None) -> None:
        """Restart what dies, until a signal (INT, TERM) comes; ``every`` is called about twice a second."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stopping.set())
        for child in self.children:
            if child.signs is not None:
                Thread(target=self._ask, args=(child.name, child.signs), name=f"asks {child.name}", daemon=True).start()
        while not self.stopping.wait(CHECK_SECONDS):
            for child in self.children:
                self._look_after(child)
                rotate(child.log_file, most_bytes=self.log_bytes, keep=self.log_files)
            every()

    def stop(self) -> None:
        """Stop all children, the last started first, and all that they started.

        What does not go in time is told to end by a signal of its own, and killed if it does not: nothing works on
        when this returns.
        """
        for child in reversed(self.children):
            if child.process is not None and child.process.poll() is None:
                child.process.terminate()
        seconds = STOP_SECONDS
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._all_end(seconds):
                break
            for group in [group for child in self.children for group in child.groups]:
                _signal(group, number)
            seconds = LAST_SECONDS
        self._all_end(LAST_SECONDS)
        _adopt_orphans(False)

    def _all_end(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while True:
            for child in self.children:
                child.forget_ended()
            if not any(child.groups for child in self.children):
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK_SECONDS)

    def _add(self, child: Child) -> None:
        child.log_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.children.append(child)
        self._launch(child)

    def _ask(self, name: str, signs: SignsOfLife) -> None:
        while not self.stopping.wait(self.ask_seconds):
            try:
                signs.look()
            except Exception as error:  # noqa: BLE001 - else nobody asks any more; a question that breaks is no answer
                log.warning("%s cannot be asked for a sign of life: %s", name, type(error).__name__)

    def _launch(self, child: Child) -> None:
        if child.pulse is not None:
            child.pulse()  # what the predecessor gave is no sign of this one
        if child.signs is not None:
            child.signs.begin()
        with child.log_file.open("ab") as output:
            child.process = subprocess.Popen(  # noqa: S603 - our own programs
                list(child.command),
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=_die_with_parent,
                process_group=0,  # Ctrl-C reaches this process alone, which ends the others in order
                pass_fds=() if child.pulse is None else (child.pulse.writing,),
            )
        child.groups.append(child.process.pid)
        child.started_at = time.monotonic()
        child.restart_at = None

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        child.forget_ended()
        if child.process is None:
            return
        if child.process.poll() is None:
            if child.signs is not None and child.signs.lost:
                log.warning("%s lives but gives no sign of life, it is ended and starts again", child.name)
                child.process.kill()  # one that is stopped takes no other signal
                child.signs.begin()
            return
        if child.restart_at is None:
            if now - child.started_at > STEADY_SECONDS:
                child.pause = FIRST_PAUSE
            log.warning(
                "%s ended with %s, starts again in %.0f s; why, says %s",
                child.name,
                child.process.returncode,
                child.pause,
                child.log_file,
            )
            child.restart_at = now + child.pause
            child.pause = min(LONGEST_PAUSE, child.pause * 2)
        elif now >= child.restart_at:
            try:
                self._launch(child)
            except OSError as error:  # no memory, no space: whoever runs goes on
                log.warning("%s cannot start (%s), again in %.0f s", child.name, type(error).__name__, child.pause)
                child.restart_at = now + child.pause


_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
"""Looked up here: between fork and exec of a process with threads nothing may be loaded."""


def _die_with_parent() -> None:
    if _prctl is not None:
        _prctl(1, signal.SIGTERM)


def _adopt_orphans(adopt: bool) -> None:
    if _prctl is not None:
        _prctl(36, int(adopt))  # PR_SET_CHILD_SUBREAPER


def _signal(group: int, number: int) -> bool:
    """Send a signal to a group of processes; returns whether somebody of ours was there."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def program(name: str) -> str:
    """Return the path of a program that is installed beside this Python."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else name


def rotate(file: Path, *, most_bytes: int, keep: int) -> bool:
    """Move what stands in a log into older files when it has grown beyond ``most_bytes``; returns whether it had.

    The process that writes keeps its file open for appending, so its content is copied and the file emptied. ``keep``
    older files stay. Lines written in the instant between copying and emptying are lost.
    """
    try:
        if file.stat().st_size <= most_bytes:
            return False
    except FileNotFoundError:
        return False
    try:
        for number in range(keep - 1, 0, -1):
            older = file.with_name(f"{file.name}.{number}")
            if older.exists():
                older.replace(file.with_name(f"{file.name}.{number + 1}"))
        if keep:
            shutil.copy2(file, file.with_name(f"{file.name}.1"))
    except OSError as error:  # a full disk: emptying is what helps
        log.warning("%s cannot be kept (%s), it is emptied", file.name, type(error).__name__)
    os.truncate(file, 0)
    return True
