"""Whether to launch a run for what waits in the inbox: what is launched follows what is left to do (dagster.md 3).

Nothing is remembered between two looks. What waits is read from the inbox, what was launched for it from Dagster, which
also knows which run has died: so no death, lost answer or moved clock can leave rows behind for which nobody comes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

GRACE_SECONDS = 120.0
"""How long a started run may take to claim. One that has not claimed by then is not waited for any longer."""
FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0
LOOK_BACK = 8
"""How many ended runs are looked at: more in a row for the same rows do not make the pause any longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What a worker could claim now. ``mark`` changes when rows arrive, leave or come back."""

    mark: str
    workers: frozenset[str]
    """The runs that hold claims."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launched:
    """A run that was launched for what waits. ``mark`` is what waited then, None if that was not noted.

    ``age_seconds`` counts from the start of a run that has started, and from the end of one that is over.
    """

    run_id: str
    mark: str | None
    started: bool
    over: bool
    age_seconds: float


def should_launch(waiting: Waiting | None, runs: Sequence[Launched]) -> bool:
    """Return whether a run has to be launched. ``runs``: the newest first, all that are not over among them.

    Not while one is on its way that has not claimed yet. Where run after run ended and the same rows still wait, the
    pause before the next one doubles, up to :data:`LONGEST_PAUSE_SECONDS`: no busy loop of runs that can do nothing.
    """
    if waiting is None or any(_will_claim(run, waiting) for run in runs):
        return False
    ended = [run for run in runs if run.over]
    in_vain = 0
    for run in ended:
        if run.mark != waiting.mark:
            break
        in_vain += 1
    if not in_vain:
        return True
    pause = min(FIRST_PAUSE_SECONDS * 2 ** (in_vain - 1), LONGEST_PAUSE_SECONDS)
    # A negative age: the clock was set back since. It says nothing, so it must not make anybody wait.
    return not 0 <= ended[0].age_seconds < pause


def _will_claim(run: Launched, waiting: Waiting) -> bool:
    if run.over or run.run_id in waiting.workers:
        return False
    return not run.started or 0 <= run.age_seconds < GRACE_SECONDS
