"""Private names of Dagster that cost nothing to import once ``dagster`` is there."""

from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.errors import DagsterUserCodeProcessError, DagsterUserCodeUnreachableError
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus
from dagster._core.instance.ref import InstanceRef
from dagster._core.launcher import LaunchRunContext
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin
from dagster._core.run_coordinator.queued_run_coordinator import RunQueueConfig
from dagster._core.scheduler.instigation import ScheduleInstigatorData, SensorInstigatorData
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES
from dagster._utils.error import SerializableErrorInfo  # type: ignore[attr-defined]
from dagster._utils.schedules import schedule_execution_time_iterator
from dagster._utils.tags import TagConcurrencyLimitsCounter

__all__ = [
    "IN_PROGRESS_RUN_STATUSES",
    "NO_OUTPUT_KEPT",
    "BulkActionStatus",
    "BulkActionsFilter",
    "DagsterUserCodeProcessError",
    "DagsterUserCodeUnreachableError",
    "GrpcServerCodeLocationOrigin",
    "InstanceRef",
    "LaunchRunContext",
    "RunQueueConfig",
    "ScheduleInstigatorData",
    "SensorInstigatorData",
    "SerializableErrorInfo",
    "TagConcurrencyLimitsCounter",
    "UnresolvedAssetJobDefinition",
    "schedule_execution_time_iterator",
]

NO_OUTPUT_KEPT = {"module": "dagster._core.storage.noop_compute_log_manager", "class": "NoOpComputeLogManager"}
"""The ``compute_logs`` of an instance that keeps no copy of what runs print."""
