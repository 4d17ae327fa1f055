"""What a run process needs of Dagster beyond our own modules; imported once, before runs are forked from it.

Storages and launchers are named in ``dagster.yaml`` and imported late, config costs half a second.
"""

import dagster._core.execution.api
import dagster._core.launcher.default_run_launcher
import dagster._core.storage.local_compute_log_manager
import dagster._core.storage.sqlite_storage
import dagster._grpc.impl
import dagster_postgres
import dagster_postgres.storage

__all__ = ["dagster", "dagster_postgres"]
