"""Days of a whole house in one process on virtual time (``make simulate`` plays weeks and many seeds)."""

import pytest

from vmh_sync_tests.simulation.week import DAY, Pace, Simulation

BUSY = Pace(sensor=120.0, delivery=60.0, sweep=1800.0, rolling=1800.0, edit=200.0, chaos=400.0, parties=3)
"""Much in little time."""
SHORT = 0.04 * DAY


def test_the_same_seed_plays_the_same_to_the_letter() -> None:
    traces = []
    for seed in (7, 7, 8):  # one after the other: each takes the process's clocks for itself
        play = Simulation(seed, BUSY)
        play.play(SHORT)
        traces.append((play.play_hash, play.world.trace))
    assert traces[0] == traces[1]
    assert traces[0] != traces[2]


@pytest.mark.parametrize("seed", [2])
def test_a_busy_morning_with_kills_pauses_and_outages_ends_in_agreement(seed: int) -> None:
    play = Simulation(seed, BUSY)
    play.play(SHORT)
    assert play.counts["edits"] > 5
    assert play.counts["doomed"] + play.counts["kill"] + play.counts["bad answers"] > 5
