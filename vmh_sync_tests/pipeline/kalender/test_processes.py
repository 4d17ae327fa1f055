"""Real processes: killed in the middle, and two at once."""

import subprocess
import sys
from datetime import timedelta

import pytest

from vmh_sync_tests.fixtures.chancery import Chancery, marked

SETTLED = timedelta(minutes=1)
"""Long enough after an unanswered create that it counts as not arrived."""


def command(*arguments: str) -> subprocess.Popen[str]:
    """Start the command line as a process of its own."""
    code = "from vmh_sync.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "sync", "kalender", *arguments, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("system", "action"), [("google", "kill_after"), ("google", "kill_before"), ("office", "kill_after")]
)
def test_a_process_killed_at_its_second_write_leaves_nothing_doubled(
    chancery: Chancery, system: str, action: str
) -> None:
    chancery.employee()
    chancery.sync()
    numbers = {chancery.termin(text=f"Termin {number}") for number in range(4)}
    typed = {chancery.event(summary=f"Aus Google {number}", offset=20 + number) for number in range(3)}
    with command("--all") as process:
        side, path = (chancery.google, "/events") if system == "google" else (chancery.office, "Termine")
        side.fault(path, action, method="POST", skip=1, times=1, pid=process.pid)
        process.communicate(timeout=60)
    assert process.returncode == -9
    chancery.google.clear_faults()
    chancery.office.clear_faults()
    chancery.clock.shift += SETTLED
    chancery.until_quiet()
    assert len(chancery.termine()) == 7 == len(chancery.events()) == len(chancery.pairs())
    assert {int(marked(event) or 0) for event in chancery.events().values()} == set(chancery.termine())
    assert numbers < set(chancery.termine()) and typed < set(chancery.events())


def test_two_processes_at_once_double_nothing(chancery: Chancery) -> None:
    for kuerzel in ("AH", "SB"):
        chancery.employee(kuerzel)
        for number in range(6):
            chancery.termin(kuerzel, f"Termin {number}")
    started = [command("--all") for _ in range(2)]
    for process in started:
        _, errors = process.communicate(timeout=90)
        assert process.returncode in (0, 3), errors
    chancery.until_quiet()
    for kuerzel in ("AH", "SB"):
        assert len(chancery.events(kuerzel)) == 6 == len(chancery.pairs(kuerzel))
    calendars = [one["summary"] for one in chancery.google.state()["calendars"]]
    assert sorted(name for name in calendars if name.startswith("AW-")) == ["AW-AH", "AW-SB"]


def test_short_and_empty_pages_are_read_to_the_end(chancery: Chancery) -> None:
    chancery.employee()
    chancery.google.do("set", paging="short")
    numbers = {chancery.termin(text=f"Termin {number}") for number in range(12)}
    chancery.sync()
    assert chancery.until_quiet() == 1
    assert set(chancery.pairs()) == numbers == {int(marked(e) or 0) for e in chancery.events().values()}
