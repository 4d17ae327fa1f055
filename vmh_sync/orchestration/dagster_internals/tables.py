"""Tables of Dagster in which a record may be named outside of runs, and what gives a connection to them."""

from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetKeyTable,
    DynamicPartitionsTable,
)
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.runs.schema import BackfillTagsTable, BulkActionsTable
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage
from dagster._core.storage.schedules.schema import JobTickTable
from dagster._core.storage.schedules.sql_schedule_storage import SqlScheduleStorage

__all__ = [
    "AssetCheckExecutionsTable",
    "AssetKeyTable",
    "BackfillTagsTable",
    "BulkActionsTable",
    "DynamicPartitionsTable",
    "JobTickTable",
    "SqlEventLogStorage",
    "SqlRunStorage",
    "SqlScheduleStorage",
]
