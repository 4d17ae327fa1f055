"""Dagster's instance for a command in the foreground, and the repair of runs that were killed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from vmh_sync.coordination.process import ProcessId, is_provably_dead
from vmh_sync.services.dagster_home import ensure_dagster_home
from vmh_sync.settings import VmhSettings

PROCESS_TAG = "vmh/process"
"""Names the process of a run in the foreground, precisely enough to tell whether it still exists."""


def dagster_home(settings: VmhSettings) -> str:
    """Return the absolute path of Dagster's home, made usable."""
    return str(ensure_dagster_home(settings.dagster_home or settings.home / "dagster"))


@contextmanager
def open_instance(settings: VmhSettings) -> Iterator[dg.DagsterInstance]:
    """Open Dagster's instance; runs whose foreground process was killed are marked as failed first."""
    os.environ["DAGSTER_HOME"] = dagster_home(settings)
    with dg.DagsterInstance.get() as instance:
        repair_orphans(instance)
        yield instance


def own_process() -> str:
    """Return the mark of this process."""
    return str(ProcessId.own())


def repair_orphans(instance: dg.DagsterInstance) -> int:
    """Mark runs as failed whose process in the foreground is gone; returns how many."""
    running = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING])
    repaired = 0
    for run in instance.get_runs(filters=running):
        process = ProcessId.parse(run.tags.get(PROCESS_TAG, ""))
        if process is not None and is_provably_dead(process):
            instance.report_run_failed(run, "Der Prozess dieses Laufs wurde beendet; der nächste Lauf macht weiter.")
            repaired += 1
    return repaired
