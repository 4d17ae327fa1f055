"""Dagster's instance for a command in the foreground, and the repair of runs that were killed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import psutil

from vmh_sync.services.dagster_home import ensure_dagster_home
from vmh_sync.settings import VmhSettings

PROCESS_TAG = "vmh/process"
"""Names the process of a run in the foreground: ``pid:start time``."""


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
    return _mark(psutil.Process())


def _mark(process: psutil.Process) -> str:
    return f"{process.pid}:{process.create_time():.2f}"


def repair_orphans(instance: dg.DagsterInstance) -> int:
    """Mark runs as failed whose process in the foreground is gone; returns how many."""
    running = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING])
    repaired = 0
    for run in instance.get_runs(filters=running):
        mark = run.tags.get(PROCESS_TAG)
        if mark is not None and not _lives(mark):
            instance.report_run_failed(run, "Der Prozess dieses Laufs wurde beendet; der nächste Lauf macht weiter.")
            repaired += 1
    return repaired


def _lives(mark: str) -> bool:
    try:
        return _mark(psutil.Process(int(mark.partition(":")[0]))) == mark
    except (psutil.NoSuchProcess, ValueError):
        return False
