"""Dagster's run queue, looked at twice a second, and passed by when there is nothing to wait for.

``dequeue_interval_seconds`` takes whole seconds only, so that a launch waits half a second on average before anything
happens; a person's edit waits with it. This is the same queue with the same settings and limits, only looked at more
often. One look is one small query. What the gateway launches starts at once while a place is free for it by the same
limits and nobody waits before it: bulk runs that wait for a place of theirs take none away.

A run waits while the code server does not answer: it starts together with the daemon and takes longer, and it is
started again when it died. Dagster's own default marks such a run as failed at once, for nothing that it did.
"""

from typing import Any

from dagster import (
    DagsterError,
    DagsterEvent,
    DagsterEventType,
    DagsterRun,
    DagsterRunStatus,
    QueuedRunCoordinator,
    RunsFilter,
    SubmitRunContext,
)

from vmh_sync.orchestration.dagster_internals.core import (
    IN_PROGRESS_RUN_STATUSES,
    DagsterUserCodeUnreachableError,
    GrpcServerCodeLocationOrigin,
    LaunchRunContext,
    RunQueueConfig,
    TagConcurrencyLimitsCounter,
)
from vmh_sync.orchestration.run_tags import AT_ONCE_TAG, BULK_TAG

INTERVAL_SECONDS = 0.4
"""The daemon sleeps in steps of half a second (``IntervalDaemon.core_loop``): anything below means one step."""
MOST_UNDER_WAY = 100
ATTEMPTS = 12
"""How often the daemon tries again to reach the code server; then the run fails, within minutes and with the reason."""
PAUSE_SECONDS = 10
"""Between two attempts."""
ANSWER_SECONDS = 2


class PromptQueue(QueuedRunCoordinator):
    """``run_coordinator`` of ``dagster.yaml``; takes the configuration of Dagster's ``QueuedRunCoordinator``."""

    @property
    def dequeue_interval_seconds(self) -> float:  # type: ignore[override]  # Dagster's daemon takes fractions
        """Seconds between two looks at the queue; what is configured holds when it is longer than a second."""
        configured = super().dequeue_interval_seconds
        return float(configured) if configured > 1 else INTERVAL_SECONDS

    def get_run_queue_config(self) -> RunQueueConfig:
        """The limits of ``dagster.yaml``, and patience with the code server unless something else stands there."""
        configured = super().get_run_queue_config()
        if configured.max_user_code_failure_retries:
            return configured
        return configured._replace(max_user_code_failure_retries=ATTEMPTS, user_code_failure_retry_delay=PAUSE_SECONDS)

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        """Launch the run, or queue it; returns it as stored. Raises what the launcher raises."""
        run = context.dagster_run
        if not self._may_start_at_once(run) or not _code_server_answers(context):
            return super().submit_run(context)
        self._launch(run, context)
        return self._instance.get_run_by_id(run.run_id) or run

    def _launch(self, run: DagsterRun, context: SubmitRunContext) -> None:
        """Start a run; when the code server dies over it the run waits in the queue, as the daemon lets those wait.

        ``DagsterInstance.launch_run`` marks it as failed then. A server that only answers too late starts it after
        all, and the end of a second process would count as the run's: it waits for the first, as long as Dagster does.
        """
        starting = DagsterEvent(event_type_value=DagsterEventType.RUN_STARTING.value, job_name=run.job_name)
        self._instance.report_dagster_event(starting, run_id=run.run_id)
        try:
            self._instance.run_launcher.launch_run(LaunchRunContext(dagster_run=run, workspace=context.workspace))
        except DagsterUserCodeUnreachableError as error:
            if _answers_too_late(error):
                return
            current = self._instance.get_run_by_id(run.run_id)
            if current is not None and current.status is DagsterRunStatus.STARTING:
                self._instance.report_dagster_event(DagsterEvent.job_enqueue(current), run_id=run.run_id)
        except Exception as error:
            self._instance.report_engine_event(str(error), run)
            self._instance.report_run_failed(run)
            raise

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
        statuses = [DagsterRunStatus.QUEUED, *IN_PROGRESS_RUN_STATUSES]
        others = self._instance.get_runs(RunsFilter(statuses=statuses), limit=MOST_UNDER_WAY)
        waiting = [one for one in others if one.status is DagsterRunStatus.QUEUED]
        under_way = [one for one in others if one.status is not DagsterRunStatus.QUEUED]
        return all(BULK_TAG in one.tags for one in waiting) and self._has_a_place(run, under_way)

    def _has_a_place(self, run: DagsterRun, under_way: list[DagsterRun]) -> bool:
        """Whether the limits leave a place. Two that ask in one instant may take one too many: they are politeness."""
        limits = self._instance.get_concurrency_config().run_queue_config
        if limits is None:
            return not under_way
        if limits.max_concurrent_runs != -1 and len(under_way) >= limits.max_concurrent_runs:
            return False
        return not TagConcurrencyLimitsCounter(limits.tag_concurrency_limits, under_way).is_blocked(run)


def _answers_too_late(error: DagsterError) -> bool:
    code = getattr(error.__cause__, "code", None)  # gRPC's
    return callable(code) and getattr(code(), "name", None) == "DEADLINE_EXCEEDED"


def _code_server_answers(context: SubmitRunContext) -> bool:
    origin = context.dagster_run.remote_job_origin
    if origin is None:
        return False
    try:
        location: Any = context.workspace.get_code_location(origin.location_name)  # of a server: it has a client
        location.client.get_server_id(timeout=ANSWER_SECONDS)
    except DagsterError:
        return False
    return True
