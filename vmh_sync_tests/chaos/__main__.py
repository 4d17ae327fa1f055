"""``python -m vmh_sync_tests.chaos [--histories N] [--steps N] [--seed N] [--minutes M]``: random histories.

Prints what happened, and each violation with the seed of its history. Exit code 1 when there was one.
"""

import argparse
import sys
import time
from collections import Counter

from vmh_sync_tests.chaos.history import History
from vmh_sync_tests.chaos.place import chaos, services
from vmh_sync_tests.fixtures.sandbox import running_sandbox


def main() -> int:
    """Play histories until the number or the time is reached; returns the exit code."""
    parser = argparse.ArgumentParser(prog="chaos")
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    asked = parser.parse_args()
    end = time.monotonic() + asked.minutes * 60
    counts: Counter[str] = Counter()
    bad = 0
    with running_sandbox() as sandbox, services() as (postgres, valkey):
        for seed in range(asked.seed, asked.seed + asked.histories):
            if time.monotonic() > end:
                break
            with chaos(sandbox, postgres, valkey) as place:
                history = History(place, seed)
                wrong = history.run(asked.steps)
            counts += history.counts
            counts["histories"] += 1
            bad += bool(wrong)
            print(f"history {seed}: {'; '.join(wrong) or 'right'}", flush=True)
    print(f"{counts['histories']} histories of {asked.steps} steps, {bad} with violations: {dict(counts)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
