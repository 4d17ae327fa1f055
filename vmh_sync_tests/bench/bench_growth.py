"""How passes grow with the number of parties: seconds, CPU a party and peak memory.

Run: ``python -m vmh_sync_tests.bench growth [parties]``. A firm whose parties stand on both sides, numbers known: the
pass that sees them for the first time, the one after it and an unchanged one, each in a process of its own, over a
small firm and over one of so many parties. What grows linearly has a ratio of 1 or a little less, since half a second
of each pass is its start.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vmh_sync.commands.passes.targets import target
from vmh_sync.sandbox.installation import OfficeInstallation
from vmh_sync.sandbox.made_up.population import populate
from vmh_sync_tests.bench.bench_parties import VERSIONED, cpu_seconds, one_pass
from vmh_sync_tests.bench.figures import note
from vmh_sync_tests.bench.sandbox_systems import Systems, running_systems

SMALL = 1_000
MEMORY_AIM = 300
"""MB, also with 100,000 parties."""
_MEMORY = "memory"
PASSES = ("first pass", "second pass", "unchanged pass")
CHUNK = 1_000
"""Parties that are made up and handed to the simulated systems at once."""


def main(parties: int = 10_000) -> None:
    """Print the figures of both firms and what a party costs in the large one compared with the small one."""
    print(f"command: python -m vmh_sync_tests.bench growth {parties}")
    few = min(SMALL, parties // 3)
    small = _measure(few)
    large = _measure(parties)
    for title in PASSES:
        print(f"{title}: CPU a party with {parties} / with {few}: {large[title] / small[title]:.2f}")
    note("many parties: CPU a party, unchanged, to that of few", large[PASSES[-1]] / small[PASSES[-1]])
    note("many parties: peak memory", large[_MEMORY])


def _measure(parties: int) -> dict[str, float]:
    """Return the CPU a party of each pass, and the highest peak of memory."""
    spent = {_MEMORY: 0.0}
    with running_systems() as systems, tempfile.TemporaryDirectory(prefix="vmh-bench-") as home:
        systems.crm.do("set_switch", optimistic=dict.fromkeys(VERSIONED, True))
        _fill(systems, parties)
        environment = {**os.environ, **systems.environment, "VMH_HOME": home}
        for title in PASSES:
            command = [sys.executable, "-m", "vmh_sync_tests.bench.bench_growth", "--pass"]
            answer = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
            told = json.loads(answer.stdout)
            spent[title] = told["cpu"] / parties
            spent[_MEMORY] = max(spent[_MEMORY], told["memory"])
            print(
                f"{parties} parties, {title}: {told['seconds']:.1f} s, {spent[title] * 1000:.2f} ms CPU a party, "
                f"peak memory {told['memory']} MB (aim {MEMORY_AIM}), writes {told['writes']}",
                flush=True,
            )
    return spent


def _fill(systems: Systems, parties: int) -> None:
    """Give both systems so many parties that know each other, with their children."""
    for first in range(0, parties, CHUNK):
        office = OfficeInstallation(first_betnr=100_000 + first)
        firm = populate(first, 2 * CHUNK, now=datetime.now(UTC), calendar=False, office=office)
        few = min(CHUNK, parties - first)
        linked = [row for row in firm.crm["records"]["CBeteiligte"] if row["syncStatus"] == "clean"][:few]
        systems.office.seed(beteiligte=firm.office["beteiligte"][:few])
        systems.crm.seed(records=_with_children(firm.crm["records"], linked))


def _with_children(records: dict[str, list[dict[str, Any]]], parties: list[dict[str, Any]]) -> dict[str, Any]:
    ids = {party["id"] for party in parties}
    kinds = ("CAdressen", "CBankverbindungen")
    children = {kind: [row for row in records[kind] if row["beteiligteId"] in ids] for kind in kinds}
    return {"CBeteiligte": parties, **children}


def _one_pass() -> None:
    target("beteiligte").job()  # what every process loads is not a party's
    started, before = time.perf_counter(), cpu_seconds()
    summary = one_pass()
    told = {"seconds": time.perf_counter() - started, "cpu": cpu_seconds() - before, "writes": summary.writes}
    # Not ru_maxrss: a process that was spawned begins with its parent's.
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) // 1024
    print(json.dumps({**told, "memory": peak}))


if __name__ == "__main__":
    if "--pass" in sys.argv:
        _one_pass()
    else:
        main()
