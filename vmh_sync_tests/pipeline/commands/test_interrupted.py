"""Ctrl-C on a real process: one sentence and exit code 130, whenever it comes."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence

import pytest

from vmh_sync.interrupt_words import SENTENCE
from vmh_sync_tests.e2e.dagster_stack import wait_until
from vmh_sync_tests.fixtures.firm import Firm

COMMAND = [sys.executable, "-c", "from vmh_sync.entry import main; main()"]
AT_AN_IMPORT = """
import os, signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "{module}":
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
from vmh_sync.entry import main
main()
"""
AT_THE_END = """
import atexit, os, signal
from vmh_sync.entry import main
atexit.register(lambda: os.kill(os.getpid(), signal.SIGINT))
main()
"""


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """The exit code, and what a person reads on the screen."""
    said, complained = process.communicate(timeout=60)
    return process.returncode, said + complained


def started(command: Sequence[str], *arguments: str) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    return subprocess.Popen([*command, *arguments], stdout=pipe, stderr=pipe, text=True, start_new_session=True)


@pytest.mark.parametrize("module", ["logging", "typer", "sqlalchemy"])
def test_while_it_starts(firm: Firm, module: str) -> None:
    command = [sys.executable, "-c", AT_AN_IMPORT.format(module=module)]
    with started(command, "sync", "beteiligte", "--all") as process:
        assert ended(process) == (130, f"{SENTENCE}\n")


def test_when_its_work_is_done_and_it_is_about_to_end() -> None:
    with started([sys.executable, "-c", AT_THE_END], "--version") as process:
        code, told = ended(process)
    assert (code, told.splitlines()[1:]) == (130, [SENTENCE])


@pytest.mark.parametrize("command", ["reconcile", pytest.param("sync beteiligte --all", marks=pytest.mark.proof)])
def test_while_it_waits_for_an_answer(firm: Firm, command: str) -> None:
    _, betnr = firm.linked_party(lastName="Muster")
    firm.office_edit(betnr, name="Neu")
    firm.office.fault(rf"Beteiligte/{betnr}", "hang", seconds=60)
    firm.office.clear_calls()
    with started(COMMAND, *command.split()) as process:
        wait_until("it asks Advoware", lambda: process.poll() is not None or firm.office.calls()["by_route"])
        assert process.poll() is None, ended(process)
        os.killpg(process.pid, signal.SIGINT)
        assert ended(process) == (130, f"{SENTENCE}\n")
    firm.office.clear_faults()


def posts(firm: Firm) -> int:
    return int(firm.office.calls()["by_route"].get("POST Beteiligte", 0))


@pytest.mark.proof
def test_while_it_writes_and_the_next_pass_does_the_rest(firm: Firm) -> None:
    ids = [firm.crm_party(lastName=f"Nr {number}") for number in range(4)]
    firm.office.fault(r"/Beteiligte$", "hang", method="POST", skip=2, seconds=60)
    with started(COMMAND, "sync", "beteiligte", "--all") as process:
        wait_until("it creates the third", lambda: process.poll() is not None or posts(firm) >= 3)
        assert process.poll() is None, ended(process)
        os.killpg(process.pid, signal.SIGINT)
        assert ended(process) == (130, f"{SENTENCE}\n")
    firm.office.clear_faults()
    firm.until_quiet()
    assert len(firm.office_records()) == 4, "each created once"
    assert all(firm.crm_record(espo_id)["syncStatus"] == "clean" for espo_id in ids)
