"""``python -m vmh_sync_tests.chaos [--histories N] [--steps N] [--seed N] [--minutes M] [--keep DIR]``.

Plays random histories. Prints what happened, and each violation with the seed of its history. Exit code 1 when there
was one. ``--seed`` goes on where an earlier call ended. ``--keep``: a history with a violation leaves there what both
sides, our database and people said (``evidence.py``): seldom the same seed goes wrong again.
"""

import argparse
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
    asked = parser.parse_args()
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


if __name__ == "__main__":
    sys.exit(main())
