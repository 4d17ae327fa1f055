"""``python -m vmh_sync_tests.chaos [--histories N] [--steps N] [--seed N] [--minutes M] [--jobs J] [--keep DIR]``.

Plays random histories. Prints what happened, and each violation with the seed of its history. Exit code 1 when there
was one. ``--seed`` goes on where an earlier call ended. ``--keep``: a history with a violation leaves there what both
sides, our database and people said (``evidence.py``): seldom the same seed goes wrong again. ``--jobs``: so many
processes share the seeds, since a history waits half of its time; each has services of its own.
"""

import argparse
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from vmh_sync_tests.chaos.history import play
from vmh_sync_tests.chaos.place import services


def main() -> int:
    """Play histories until the number or the time is reached; returns the exit code."""
    parser = argparse.ArgumentParser(prog="chaos")
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--calendars-only", action="store_true", help="nobody touches a party")
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--keep", type=Path, help="where what a violation left behind is kept")
    parser.add_argument("--jobs", type=int, default=1, help="so many processes, each with a share of the seeds")
    asked = parser.parse_args()
    if asked.jobs > 1:
        return _shared(asked)
    end = time.monotonic() + asked.minutes * 60
    counts: Counter[str] = Counter()
    bad = 0
    with services() as running:
        for seed in range(asked.seed, asked.seed + asked.histories):
            began = time.monotonic()
            if began > end:
                break
            history = play(running, seed, asked.steps, calendars_only=asked.calendars_only, keep_in=asked.keep)
            counts += history.counts
            counts["histories"] += 1
            bad += bool(history.wrong)
            seconds = time.monotonic() - began
            print(f"history {seed} ({seconds:.1f} s): {'; '.join(history.wrong) or 'right'}", flush=True)
    print(
        f"{counts['histories']} histories of {asked.steps} steps, {bad} with violations: {dict(sorted(counts.items()))}"
    )
    return 1 if bad else 0


def _shared(asked: argparse.Namespace) -> int:
    """Let several processes play a share each; each prints what it played. Returns 1 when one met a violation."""
    command = [sys.executable, "-m", "vmh_sync_tests.chaos", *sys.argv[1:], "--jobs", "1"]
    shares = [range(asked.histories)[job :: asked.jobs] for job in range(asked.jobs)]
    first, running = asked.seed, []
    for share in shares:
        mine = ["--seed", str(first), "--histories", str(len(share))]
        running.append(subprocess.Popen([*command, *mine]))
        first += len(share)
    return max(abs(process.wait()) for process in running)


if __name__ == "__main__":
    sys.exit(main())
