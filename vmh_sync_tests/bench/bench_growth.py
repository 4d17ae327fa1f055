"""How passes grow with the number of parties: seconds, CPU a party and peak memory.

Run: ``python -m vmh_sync_tests.bench growth [parties]``. The first load, the pass after it and an unchanged one, each
in a process of its own, over a small firm and over one of so many parties. What grows linearly has a ratio of 1 or a
little less, since half a second of each pass is its start.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from vmh_sync.commands.passes.targets import target
from vmh_sync_tests.bench.bench_parties import VERSIONED, cpu_seconds, fill, one_pass
from vmh_sync_tests.bench.figures import note
from vmh_sync_tests.bench.sandbox_systems import running_systems

SMALL = 1_000
MEMORY_AIM = 300
"""MB, also with 100,000 parties."""
_MEMORY = "memory"
PASSES = ("first load", "second pass", "unchanged pass")


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
        fill(systems, parties)
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
