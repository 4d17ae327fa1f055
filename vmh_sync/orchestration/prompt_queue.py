"""Dagster's run queue, looked at twice a second, and passed by when there is nothing to wait for.

``dequeue_interval_seconds`` takes whole seconds only, so that a launch waits half a second on average before anything
happens; a person's edit waits with it. This is the same queue with the same settings and limits, only looked at more
often. One look is one small query. What the gateway launches starts at once while no other run waits or is under way:
then no limit can be meant.
"""

from dagster import DagsterRun, DagsterRunStatus, RunsFilter
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin
from dagster._core.run_coordinator import QueuedRunCoordinator, SubmitRunContext
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES

INTERVAL_SECONDS = 0.4
"""The daemon sleeps in steps of half a second (``IntervalDaemon.core_loop``): anything below means one step."""
AT_ONCE_TAG = "vmh/at_once"
"""Run tag with the value ``yes``: start at once when nothing else waits or runs."""


class PromptQueue(QueuedRunCoordinator):
    """``run_coordinator`` of ``dagster.yaml``; takes the configuration of Dagster's ``QueuedRunCoordinator``."""

    @property
    def dequeue_interval_seconds(self) -> float:  # type: ignore[override]  # Dagster's daemon takes fractions
        """Seconds between two looks at the queue; what is configured holds when it is longer than a second."""
        configured = super().dequeue_interval_seconds
        return float(configured) if configured > 1 else INTERVAL_SECONDS

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        """Launch the run, or queue it; returns it as stored. Raises what the launcher raises."""
        run = context.dagster_run
        if not self._may_start_at_once(run):
            return super().submit_run(context)
        self._instance.launch_run(run.run_id, context.workspace)
        return self._instance.get_run_by_id(run.run_id) or run

    def _may_start_at_once(self, run: DagsterRun) -> bool:
        if run.tags.get(AT_ONCE_TAG) != "yes" or run.status is not DagsterRunStatus.NOT_STARTED:
            return False
        origin = run.remote_job_origin
        if origin is None or not isinstance(
            origin.repository_origin.code_location_origin, GrpcServerCodeLocationOrigin
        ):
            # This process has a code server of its own, perhaps on another machine than the daemon's, whose sensor
            # looks after dead runs by their process numbers: only the daemon may start runs then.
            return False
        others = RunsFilter(statuses=[DagsterRunStatus.QUEUED, *IN_PROGRESS_RUN_STATUSES])
        return not self._instance.get_runs(others, limit=1)
