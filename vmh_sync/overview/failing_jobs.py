"""Jobs of which run after run fails, by the runs that ended last. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

GRACE = timedelta(seconds=120)
"""How long a failed run may be made good by the next one of its job before anybody is told."""


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run that ended, and that no person watched."""

    job: str
    run_id: str
    failed: bool
    ended: datetime


@dataclass(frozen=True, slots=True)
class FailingJob:
    """A job whose runs fail. ``run_id`` is the newest of them, ``since`` the end of the first after a good one."""

    job: str
    run_id: str
    since: datetime


def failing_jobs(newest_first: Iterable[FinishedRun], now: datetime) -> tuple[list[FailingJob], set[str]]:
    """Return the jobs that fail, and all jobs of which is known whether they do.

    The grace counts from the first failure: a job that fails every few seconds has always failed a moment ago.
    """
    failing: dict[str, FailingJob] = {}
    good = set[str]()
    for run in newest_first:
        if run.job in good:
            continue
        if run.failed:
            newest = failing.get(run.job)
            failing[run.job] = FailingJob(run.job, newest.run_id if newest else run.run_id, run.ended)
        else:
            good.add(run.job)
    # A clock that was set back hides nothing.
    unknown = {job for job, one in failing.items() if timedelta(0) <= now - one.since < GRACE}
    return [one for job, one in failing.items() if job not in unknown], (good | failing.keys()) - unknown
