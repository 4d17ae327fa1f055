"""Dagster's instance for a command in the foreground, and the repair of runs that were killed."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg

from vmh_sync.commands.passes.foreground_job import in_foreground
from vmh_sync.commands.passes.foreground_marks import marked, of_killed_commands
from vmh_sync.coordination.process import ProcessId, is_provably_dead
from vmh_sync.housekeeping.dead_runs import fail_runs
from vmh_sync.orchestration.dagster_home import ensure_dagster_home, home_of, prepare_storage
from vmh_sync.orchestration.dagster_internals.core import NO_OUTPUT_KEPT, InstanceRef
from vmh_sync.orchestration.files_kept_open import files_kept_open
from vmh_sync.orchestration.run_tags import TRIGGER_TAG, Trigger
from vmh_sync.services.valkey import ensure_redis
from vmh_sync.settings import DagsterVariables, VmhSettings, load

PROCESS_TAG = "vmh/process"
"""Names the process of a run in the foreground, precisely enough to tell whether it still exists."""


def dagster_home(settings: VmhSettings) -> str:
    """Return the absolute path of Dagster's home, made usable."""
    return str(ensure_dagster_home(home_of(settings), celery=settings.run_workers is not None))


def dagster_environment(settings: VmhSettings) -> dict[str, str]:
    """Return what Dagster's processes must find in their environment: its home, and what ``dagster.yaml`` names.

    The queue of warm run workers is the Redis that we have anyway (started if it is the embedded one), unless a
    variable names another.
    """
    redis = ensure_redis(settings.home, settings.redis_url)
    # Celery has a name of its own for a socket.
    queue = f"redis+socket://{redis.removeprefix('unix://')}" if redis.startswith("unix://") else redis
    return {
        "DAGSTER_CELERY_BROKER": queue,
        "DAGSTER_CELERY_BACKEND": queue,
        **load(DagsterVariables).as_environment(),
        "DAGSTER_HOME": dagster_home(settings),
    }


@contextmanager
def open_for_runs(settings: VmhSettings) -> Iterator[dg.DagsterInstance]:
    """Open Dagster's instance for runs in this process, as :func:`open_instance`.

    What they print stays on the console: to keep it as well, Dagster would start two processes a stream and run.
    """
    with open_instance(settings, {"compute_logs": NO_OUTPUT_KEPT}) as instance, files_kept_open():
        yield instance


@contextmanager
def open_instance(settings: VmhSettings, overrides: dict[str, object] | None = None) -> Iterator[dg.DagsterInstance]:
    """Open Dagster's instance; runs whose foreground process was killed are marked as failed first.

    ``overrides`` stand in place of what ``dagster.yaml`` says.
    """
    home = dagster_home(settings)
    os.environ.update(load(DagsterVariables).as_environment(), DAGSTER_HOME=home)
    prepare_storage(Path(home))
    killed = of_killed_commands(settings.home)
    reference = InstanceRef.from_dir(home, overrides=overrides)
    with marked(settings.home), dg.DagsterInstance.from_ref(reference) as instance:
        repair_orphans(instance)
        for mark in killed:
            mark.unlink(missing_ok=True)
        yield instance


def run_job(
    instance: dg.DagsterInstance, job: dg.JobDefinition, config: Mapping[str, Any], resources: Mapping[str, object]
) -> dg.ExecuteInProcessResult:
    """Run a job in this process, for a command in the foreground; returns how it ended. Raises ``dagster.Failure``.

    Raises ``KeyboardInterrupt`` when a person ends it meanwhile.
    """
    tags = {TRIGGER_TAG: str(Trigger.CLI), PROCESS_TAG: own_process()}
    return in_foreground(
        lambda: job.execute_in_process(run_config=config, instance=instance, tags=tags, resources=resources)
    )


def own_process() -> str:
    """Return the mark of this process."""
    return str(ProcessId.own())


def repair_orphans(instance: dg.DagsterInstance) -> list[str]:
    """Mark runs as failed whose process in the foreground is gone; returns their ids."""
    return fail_runs(instance, _has_lost_its_command)


def _has_lost_its_command(run: dg.DagsterRun) -> bool:
    process = ProcessId.parse(run.tags.get(PROCESS_TAG, ""))
    return process is not None and is_provably_dead(process)
