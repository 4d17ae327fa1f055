"""``python -m vmh_sync_tests.simulation --seeds N``: play weeks; a failing seed is named and plays again alike."""

import argparse
import sys
import time

from vmh_sync_tests.simulation.week import DAY, Simulation


def main() -> int:
    """Play the seeds; returns 1 when one of them went wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--days", type=float, default=7.0)
    wanted = parser.parse_args()
    wrong = []
    for seed in range(wanted.first, wanted.first + wanted.seeds):
        play, began = Simulation(seed), time.process_time()
        try:
            digest = play.play(wanted.days * DAY)
        except AssertionError as problem:
            wrong.append(seed)
            print(f"seed {seed}: WRONG {str(problem).splitlines()[0][:400]}", flush=True)
        else:
            seconds = time.process_time() - began
            requests = play.world.wire.requests
            print(f"seed {seed}: right, {seconds:.0f} s CPU, {requests} requests, {dict(play.counts)}, {digest[:12]}")
    print(f"{wanted.seeds} seeds of {wanted.days:g} days, {len(wrong)} wrong: {wrong}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
