"""Deletes one run from Dagster with all that it has written."""

from pathlib import Path

import dagster as dg

from vmh_sync.orchestration.dagster_internals.sqlite import SqliteEventLogStorage


def delete_run(instance: dg.DagsterInstance, run_id: str) -> None:
    """Delete a finished run, its events and its logs. Safe to repeat after a crash."""
    # The run itself comes after its logs: should we die in between, the next night still finds it.
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    instance.delete_run(run_id)
    storage = instance.event_log_storage
    if isinstance(storage, SqliteEventLogStorage):
        # One file per run, which Dagster only empties.
        shard = Path(storage.path_for_shard(run_id))
        for path in (shard, shard.with_name(f"{shard.name}-wal"), shard.with_name(f"{shard.name}-shm")):
            path.unlink(missing_ok=True)
