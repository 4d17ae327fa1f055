"""Days of a whole house in one process on virtual time (``make simulate`` plays weeks and many seeds)."""

from vmh_sync_tests.simulation.week import DAY, Pace, Simulation

BUSY = Pace(sensor=120.0, delivery=60.0, sweep=1800.0, rolling=1800.0, edit=200.0, chaos=400.0, parties=3)
"""Much in little time."""
SHORT = 0.04 * DAY
BEGINNING = 100
"""Steps of a day that are alike however long it is played."""


def played(seed: int, seconds: float = SHORT) -> Simulation:
    play = Simulation(seed, BUSY)
    play.play(seconds)
    return play


def test_a_busy_morning_with_kills_pauses_and_outages_ends_in_agreement_and_plays_the_same_to_the_letter() -> None:
    play = played(2)
    assert play.counts["edits"] > 5
    assert play.counts["doomed"] + play.counts["kill"] + play.counts["bad answers"] > 5
    again = played(2)  # one after the other: each takes the process's clocks for itself
    assert (again.play_hash, again.world.trace) == (play.play_hash, play.world.trace)
    other = played(8, SHORT / 4)
    assert other.world.trace[:BEGINNING] != play.world.trace[:BEGINNING]
