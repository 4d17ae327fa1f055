"""Marks runs as failed whose process is gone, when nobody was left who could have noticed.

With the default launcher the code server notices at once when a run's process dies. When both died (power cut, a killed
container), Dagster believes the run to be under way until ``max_runtime_seconds``, and as long it takes one of the few
places of its entity: nothing would be synced for a quarter of an hour.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path

import dagster as dg

from vmh_sync.coordination.connection import SyncRedis
from vmh_sync.coordination.sign_of_life import is_silent
from vmh_sync.orchestration.run_tags import SIGN_TAG
from vmh_sync.store import Store

LOST = "Der Prozess dieses Laufs wurde beendet; der nächste Lauf macht weiter."
SLACK_SECONDS = 60.0
"""A process counts as another one when it began so much later than the run: clocks are set now and then."""
_UNDER_WAY = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
_STARTED = re.compile(r"Started process for run \(pid: (\d+)\)")
_START_TIME_FIELD = 19
"""Position of `starttime` in /proc/<pid>/stat, counted from the field after the command's name (proc(5))."""


def fail_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark the runs as failed whose process is certainly gone; returns their ids.

    Must be called where runs are started: in a sensor, which the code server executes as it starts runs. Does nothing
    with another launcher than Dagster's default, whose runs may be on other machines.
    """
    launcher = instance.get_ref().run_launcher_data if instance.is_persistent else None
    if launcher is None or launcher.class_name != "DefaultRunLauncher":
        return []
    return fail_runs(instance, lambda run: _has_lost_its_process(instance, run))


def fail_silent_runs(instance: dg.DagsterInstance, redis: SyncRedis) -> list[str]:
    """Mark the runs as failed that gave a sign of life and have stopped to; returns their ids. With any launcher.

    Their limit is that of a first load, hours in which nobody else would get their place. Should one be alive after
    all, leases keep it and its successor apart. Raises ``CoordinationUnavailable``.
    """
    return fail_runs(instance, lambda run: run.tags.get(SIGN_TAG) == run.run_id and is_silent(redis, run.run_id))


def fail_runs(instance: dg.DagsterInstance, is_gone: Callable[[dg.DagsterRun], bool]) -> list[str]:
    """Mark the runs under way as failed of which ``is_gone`` says that their process is; returns their ids."""
    failed = []
    for run in instance.get_runs(dg.RunsFilter(statuses=_UNDER_WAY)):
        if not is_gone(run):
            continue
        # Read again only now: what a process wrote before it ended is there when the process is seen to be gone, and a
        # run that succeeded since it was listed must not turn red.
        left = instance.get_run_by_id(run.run_id)
        if left is not None and left.status in _UNDER_WAY:
            instance.report_run_failed(left, LOST)
            failed.append(run.run_id)
    return failed


def _has_lost_its_process(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    process = _process_of(instance, run.run_id)
    return process is not None and _is_gone(*process)


def _process_of(instance: dg.DagsterInstance, run_id: str) -> tuple[int, float] | None:
    """The number of a run's process and when it said so; None for a run of a command in the foreground."""
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
        if found := _STARTED.match(entry.message):
            return int(found[1]), entry.timestamp
    return None


def _is_gone(pid: int, seen_at: float) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False  # exists; what it is cannot be said
    began = _began_at(pid)
    return began is not None and began > seen_at + SLACK_SECONDS


def _began_at(pid: int) -> float | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = re.search(r"^btime (\d+)$", Path("/proc/stat").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold blanks and brackets
    if boot is None or len(fields) <= _START_TIME_FIELD:
        return None
    return int(boot[1]) + int(fields[_START_TIME_FIELD]) / os.sysconf("SC_CLK_TCK")


def release_dead_claims(instance: dg.DagsterInstance, store: Store) -> dict[str, int]:
    """Release what runs that are over have claimed in the inbox; returns how many rows each held.

    Dagster knows soon when a run is over; a claim lasts ten minutes. Should such a run still be alive after all, leases
    keep it and its successor apart (docs/safety.md). Runs that are not known here keep theirs until they expire.
    """
    with store.reading() as tx:
        workers = tx.inbox.workers()
    if not workers:
        return {}
    over = [run.run_id for run in instance.get_runs(dg.RunsFilter(run_ids=sorted(workers))) if run.is_finished]
    for run_id in over:
        with store.transaction() as tx:
            tx.inbox.release_worker(run_id)
    return {run_id: workers[run_id] for run_id in over}
