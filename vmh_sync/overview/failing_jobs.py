"""Jobs of which run after run fails, by the runs that ended last. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

GRACE = timedelta(seconds=120)
"""How long a failed run may be made good by the next one of its job before anybody is told."""
SEEN_AT_MOST = 100
"""How many runs that ended last are looked at, of each job: the runs of another one push none out."""


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run that ended. ``watched``: a person started it, and saw what became of it."""

    job: str
    run_id: str
    failed: bool
    ended: datetime
    watched: bool = False


@dataclass(frozen=True, slots=True)
class FailingJob:
    """A job whose runs fail.

    ``run_id`` is the newest of them, ``since`` the end of the first after a good one, ``runs`` how many there are.
    """

    job: str
    run_id: str
    since: datetime
    runs: int = 1


def failing_jobs(newest_first: Iterable[FinishedRun], now: datetime) -> tuple[list[FailingJob], set[str]]:
    """Return the jobs that fail, and all jobs of which is known whether they do.

    The grace counts from the first failure: a job that fails every few seconds has always failed a moment ago. Where
    so many runs of a job ended that no good one is seen, the first failure may be older: it counts as such.
    """
    runs = list(newest_first)
    seen = Counter(run.job for run in runs)
    failing: dict[str, FailingJob] = {}
    good = set[str]()
    for run in runs:
        if run.job in good or (run.failed and run.watched):
            continue
        if run.failed:
            newest = failing.get(run.job)
            failing[run.job] = (
                replace(newest, since=run.ended, runs=newest.runs + 1)
                if newest
                else FailingJob(run.job, run.run_id, run.ended)
            )
        else:
            good.add(run.job)
    # A clock that was set back hides nothing.
    unknown = {
        job
        for job, one in failing.items()
        if timedelta(0) <= now - one.since < GRACE and (job in good or seen[job] < SEEN_AT_MOST)
    }
    return [one for job, one in failing.items() if job not in unknown], (good | failing.keys()) - unknown
