"""Processes that are kept alive: what is dead or frozen starts again, what is only slow or unasked stays."""

import logging
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from vmh_sync.services import processes
from vmh_sync.services.processes import Supervisor, rotate
from vmh_sync.services.signs_of_life import MOST_MISSED_AT_START, Pulse, SignsOfLife, give_pulse

WAITS = [sys.executable, "-c", "import signal; signal.pause()"]


def pid_of(supervisor: Supervisor, number: int) -> int:
    process = supervisor.children[number].process
    assert process is not None
    return process.pid


@pytest.fixture
def signals() -> Iterator[None]:
    """The supervisor takes the signals of the process that it runs in."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("signals")
def test_a_frozen_child_is_ended_and_started_again_and_the_others_stay(tmp_path: Path) -> None:
    supervisor = Supervisor(ask_seconds=0.01)

    def signs(number: int) -> SignsOfLife:
        def turns() -> bool | None:
            try:
                return psutil.Process(pid_of(supervisor, number)).status() != psutil.STATUS_STOPPED
            except psutil.NoSuchProcess:
                return None

        return SignsOfLife(turns)

    for number, name in enumerate(("frozen", "well")):
        supervisor.start(name, WAITS, tmp_path, signs(number))
    frozen, well = pid_of(supervisor, 0), pid_of(supervisor, 1)
    psutil.Process(frozen).suspend()

    def until_it_is_another() -> None:
        if pid_of(supervisor, 0) != frozen:
            supervisor.stopping.set()

    try:
        supervisor.watch(until_it_is_another)
        assert not psutil.pid_exists(frozen)
        assert pid_of(supervisor, 1) == well
    finally:
        supervisor.stop()


def test_a_process_is_lost_only_after_many_questions_in_a_row() -> None:
    answers = [True, False, False, True, False, None, False, None, False]
    signs = SignsOfLife(lambda: answers.pop(0), most_missed=3)
    for _ in range(8):
        signs.look()
        assert not signs.lost, "one answer makes good, and what nobody can tell is not counted"
    signs.look()
    assert signs.lost
    signs.begin()
    assert not signs.lost, "its successor begins anew"


def test_a_process_that_starts_may_take_longer() -> None:
    signs = SignsOfLife(lambda: False, most_missed=3)
    for _ in range(MOST_MISSED_AT_START - 1):
        signs.look()
    assert not signs.lost
    signs.look()
    assert signs.lost


def test_the_answer_of_a_process_that_was_ended_meanwhile_does_not_count_for_its_successor() -> None:
    def started_again_while_asked() -> bool:
        signs.begin()
        return False

    signs = SignsOfLife(started_again_while_asked)
    signs.look()
    assert signs.missed == 0


@pytest.mark.parametrize("beats", [1, 100_000])
def test_a_pulse_is_felt_once_and_never_holds_up_who_gives_it(beats: int) -> None:
    pulse = Pulse()
    assert not pulse()
    for _ in range(beats):
        give_pulse(pulse.writing)  # the pipe is full long before the last
    assert pulse()
    assert not pulse()


@pytest.mark.usefixtures("signals")
def test_who_breaks_while_it_asks_asks_again_and_says_what_broke(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    supervisor = Supervisor(ask_seconds=0.01)
    asked = 0

    def breaks() -> bool:
        nonlocal asked
        asked += 1
        if asked > 2:
            supervisor.stopping.set()
        raise OSError("a secret")

    supervisor.start("web", WAITS, tmp_path, SignsOfLife(breaks, most_missed=1))
    try:
        with caplog.at_level(logging.WARNING):
            supervisor.watch()
        assert asked > 2
        assert "web cannot be asked for a sign of life: OSError" in caplog.text
        assert "a secret" not in caplog.text
        assert supervisor.children[0].signs is not None and supervisor.children[0].signs.missed == 0
    finally:
        supervisor.stop()


@pytest.mark.usefixtures("signals")
def test_a_start_that_the_machine_refuses_is_tried_again_and_ends_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor, started = Supervisor(ask_seconds=1000), subprocess.Popen
    refused: list[object] = []

    def full(*given: Any, **named: Any) -> subprocess.Popen[bytes]:
        if not refused:
            refused.append(given)
            raise OSError(12, "no memory")
        return started(*given, **named)

    supervisor.start_with_pulse("ended", WAITS, tmp_path)
    supervisor.start("well", WAITS, tmp_path)
    pulse = supervisor.children[0].pulse
    assert pulse is not None
    give_pulse(pulse.writing)
    ended, well = pid_of(supervisor, 0), pid_of(supervisor, 1)
    psutil.Process(ended).kill()
    monkeypatch.setattr(subprocess, "Popen", full)

    def in_no_time() -> None:
        supervisor.children[0].pause = 0.0
        if supervisor.children[0].restart_at is not None:
            supervisor.children[0].restart_at = 0.0
        if pid_of(supervisor, 0) != ended:
            supervisor.stopping.set()

    try:
        supervisor.watch(in_no_time)
        assert refused
        assert not pulse(), "what the one before gave is no sign of this one"
        assert pid_of(supervisor, 1) == well
    finally:
        supervisor.stop()


LEAVES_ONE = """
import pathlib, signal, subprocess, sys
signal.signal(signal.SIGTERM, {ignores} and signal.SIG_IGN or signal.SIG_DFL)
left = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
with pathlib.Path({file!r}).open("a") as file:
    file.write(f"{{left.pid}} ")
signal.pause()
"""
"""Starts another and goes at once when it is told to; the other ignores what it is told, or does not."""


def started_by(supervisor: Supervisor, file: Path, most: int) -> list[int]:
    """The processes that the child and those before it started, once there are as many."""
    found: list[str] = []
    while len(found) < most:
        process = supervisor.children[0].process
        assert process is not None and process.poll() is None, file.with_name("code.log").read_text()
        found = file.read_text().split() if file.exists() else []
    return [int(pid) for pid in found]


def lives(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


@pytest.mark.parametrize("ignores", [False, True])
def test_who_was_started_by_a_child_ends_with_the_house(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, ignores: bool
) -> None:
    monkeypatch.setattr(processes, "STOP_SECONDS", 0.2)
    monkeypatch.setattr(processes, "LAST_SECONDS", 0.5)
    supervisor, file = Supervisor(), tmp_path / "pids"
    supervisor.start("code", [sys.executable, "-c", LEAVES_ONE.format(file=str(file), ignores=ignores)], tmp_path)
    try:
        (left,) = started_by(supervisor, file, 1)
    finally:
        supervisor.stop()
    assert supervisor.children[0].groups == []
    assert not lives(left)


@pytest.mark.usefixtures("signals")
def test_what_a_killed_child_left_behind_works_on_until_the_house_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "STOP_SECONDS", 0.2)
    supervisor, file = Supervisor(), tmp_path / "pids"
    supervisor.start("code", [sys.executable, "-c", LEAVES_ONE.format(file=str(file), ignores=False)], tmp_path)
    started_by(supervisor, file, 1)
    supervisor.children[0].pause = 0.0
    killed = pid_of(supervisor, 0)
    psutil.Process(killed).kill()

    def until_it_is_another() -> None:
        if pid_of(supervisor, 0) != killed:
            supervisor.stopping.set()

    try:
        supervisor.watch(until_it_is_another)
        of_the_killed, of_the_next = started_by(supervisor, file, 2)
        assert lives(of_the_killed)
    finally:
        supervisor.stop()
    assert not lives(of_the_killed)
    assert not lives(of_the_next)


def test_a_log_that_cannot_be_copied_is_emptied_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(*_: Any) -> None:
        raise OSError(28, "no space")

    monkeypatch.setattr(shutil, "copy2", no_space)
    file = tmp_path / "web.log"
    file.write_bytes(b"x" * 10)
    assert rotate(file, most_bytes=5, keep=2)
    assert file.read_bytes() == b""
