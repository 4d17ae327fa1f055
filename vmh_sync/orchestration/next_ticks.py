"""When sensors and schedules look next, by what Dagster's daemon has noted; and whether that daemon is alive."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from vmh_sync.entities import every
from vmh_sync.orchestration.finished_runs import finished_runs
from vmh_sync.overview.failing_jobs import FailingJob, failing_jobs

if TYPE_CHECKING:
    import dagster as dg  # takes a second: only who opens Dagster pays for it

DAEMONS = ("SENSOR", "SCHEDULER")
SILENT = timedelta(minutes=2)
"""The daemon gives a sign of life every half a minute; starting it takes up to a minute."""


@dataclass(frozen=True, slots=True)
class NextTick:
    """A sensor or schedule and when it looks next (aware, UTC)."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DaemonState:
    """Whether something launches runs by itself; ``last_sign`` is the older of sensors' and schedules' daemons.

    ``failing`` are the jobs whose runs it launches in vain.
    """

    alive: bool
    last_sign: datetime | None
    ticks: tuple[NextTick, ...]
    failing: tuple[FailingJob, ...] = ()


def read_daemon(home: Path, now: datetime, ended: datetime | None = None) -> DaemonState:
    """Read Dagster's own notes in ``home``; nothing is there before the first ``vmh-sync up``.

    ``ended`` is when ``up`` ended here: a sign of life from before is its daemon's, which went with it.
    """
    if not (home / "dagster.yaml").exists():
        return DaemonState(False, None, ())
    from vmh_sync.orchestration.dagster_home import open_home

    with open_home(home) as instance:
        beats = instance.get_daemon_heartbeats()
        signs = [datetime.fromtimestamp(beats[name].timestamp, UTC) for name in DAEMONS if name in beats]
        last = min(signs) if len(signs) == len(DAEMONS) else None
        ticks = sorted(_ticks(instance, now), key=lambda tick: (tick.at, tick.name))
        failing, _ = failing_jobs(finished_runs(instance, [entity.job for entity in every()]), now)
    alive = last is not None and abs(now - last) < SILENT and (ended is None or last > ended)
    return DaemonState(alive, last, tuple(ticks), tuple(failing)) if alive else DaemonState(False, last, ())


def _ticks(instance: "dg.DagsterInstance", now: datetime) -> Iterator[NextTick]:
    from vmh_sync.orchestration.dagster_internals.core import (
        ScheduleInstigatorData,
        SensorInstigatorData,
        schedule_execution_time_iterator,
    )

    for state in instance.all_instigator_state():
        if not state.is_running:
            continue
        data = state.instigator_data
        if isinstance(data, SensorInstigatorData) and data.last_tick_timestamp is not None:
            due = datetime.fromtimestamp(data.last_tick_timestamp + (data.min_interval or 0), UTC)
            yield NextTick(state.instigator_name, max(due, now))
        elif isinstance(data, ScheduleInstigatorData):
            upcoming = schedule_execution_time_iterator(now.timestamp(), data.cron_schedule, "Europe/Berlin")
            yield NextTick(state.instigator_name, next(upcoming).astimezone(UTC))
