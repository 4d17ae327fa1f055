"""A warm worker for runs: ``python -m vmh_sync.orchestration.run_worker [--runs N]``.

With the ``CeleryRunLauncher`` in ``dagster.yaml``, Dagster puts runs into a queue in Redis, and this process executes
them. It is Celery's own worker with what ``dagster.yaml`` says about broker and queue. What ``dagster-celery worker
start`` lacks: it passes no signal on, so that stopping it leaves Celery behind; it writes the broker's password to a
file; and each child loads our code with its first run instead of finding it loaded.
"""

import argparse
import asyncio
import importlib
import logging
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import dagster as dg
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG
from dagster_celery.tasks import create_execute_job_task, create_resume_job_task

from vmh_sync.services.signs_of_life import give_pulses

MODULE = "vmh_sync.definitions"
RUNS_PER_CHILD = 500
"""Then a child is replaced: it grows by 12 MB in 300 runs (dagster.md 1d)."""
RUNS_WITHOUT_LIMIT = 4
LOST = "Der Arbeitsprozess dieses Laufs wurde beendet; der nächste Lauf macht weiter."


def main(arguments: Sequence[str] | None = None) -> None:
    """Work until a signal comes; SIGTERM lets the runs under way end. Exits when Dagster has no queue."""
    parser = argparse.ArgumentParser(description="Executes Dagster runs that wait in Celery's queue.")
    parser.add_argument("--runs", type=int, help="runs at once; default: max_concurrent_runs of dagster.yaml")
    parser.add_argument("--pulse", type=int, help="file descriptor into which is written as long as this process turns")
    asked = parser.parse_args(arguments)
    wanted = asked.runs
    if asked.pulse is not None:
        threading.Thread(target=asyncio.run, args=(give_pulses(asked.pulse),), daemon=True).start()
    with dg.DagsterInstance.get() as instance:
        launcher = instance.run_launcher
        if not isinstance(launcher, CeleryRunLauncher):
            parser.exit(2, "dagster.yaml in DAGSTER_HOME does not name the CeleryRunLauncher (deploy/README.md)\n")
        app = launcher.celery
        # Fewer children than Dagster starts runs would let runs wait here until they count as not started.
        runs = wanted or most_runs(instance)
        node = node_name()
        fail_abandoned_runs(instance, app, node)
    for create in (create_execute_job_task, create_resume_job_task):
        create(app)
    for module in (MODULE, "vmh_sync.warm_up"):  # before the fork: children share it and have it at once
        importlib.import_module(module)
    app.conf.worker_redirect_stdouts = False  # Dagster keeps the output of runs itself
    logging.getLogger("celery").setLevel(logging.INFO)
    app.worker_main(_options(node, runs, launcher.default_queue))


def node_name() -> str:
    """Return the name of this machine's worker; the next one after a crash has the same."""
    return f"vmh@{os.uname().nodename}"


def most_runs(instance: dg.DagsterInstance) -> int:
    """Return how many runs Dagster starts at once."""
    queue = instance.get_concurrency_config().run_queue_config
    limit = queue.max_concurrent_runs if queue else 0
    return limit if limit > 0 else RUNS_WITHOUT_LIMIT


def fail_abandoned_runs(instance: dg.DagsterInstance, app: Any, node: str) -> list[str]:
    """Mark the runs as failed that a killed worker of this name left behind; returns their ids.

    Dagster cannot know: in its queue they are under way, and each would hold a place until ``max_runtime_seconds``.
    """
    lost = []
    under_way = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
    for run in instance.get_runs(dg.RunsFilter(statuses=under_way)):
        task = app.AsyncResult(run.tags.get(DAGSTER_CELERY_TASK_ID_TAG, ""))
        at_work = task.info if task.id and task.state == "STARTED" else None
        if isinstance(at_work, dict) and at_work.get("hostname") == node and not _lives(at_work.get("pid")):
            instance.report_run_failed(run, LOST)
            lost.append(run.run_id)
    return lost


def _lives(pid: object) -> bool:
    if not isinstance(pid, int):
        return True
    with suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True


def _options(node: str, runs: int, queue: str) -> list[str]:
    return [
        "worker",
        f"--hostname={node}",
        f"--queues={queue}",
        f"--concurrency={runs}",
        f"--max-tasks-per-child={RUNS_PER_CHILD}",
        "--prefetch-multiplier=1",
        "--loglevel=WARNING",  # of the libraries; Celery itself tells a little more
        # What workers tell each other; nothing here needs it, and looking around costs a second at start.
        "--without-gossip",
        "--without-mingle",
        "--without-heartbeat",
    ]


if __name__ == "__main__":
    main()
