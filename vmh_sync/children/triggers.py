"""Makes what starts a sync of child records by itself: the dirty sensor and the sweep."""

import asyncio

import dagster as dg

from vmh_sync.children.kind import ChildKind
from vmh_sync.children.selection import moved_since
from vmh_sync.engine.opening import PassSettings, open_context
from vmh_sync.engine.selection import enqueue, login_held_back
from vmh_sync.engine.watermark import watermark
from vmh_sync.orchestration.launching import pending_run
from vmh_sync.orchestration.run_config import TRIGGER_TAG, Trigger
from vmh_sync.systems.errors import ForeignSystemError

TICK_SECONDS = 4
"""The sensor daemon ticks every 5 s; an interval of 5 would make it every 10 s (dagster.md 0.4)."""


async def note_dirty(kind: ChildKind, cursor: str | None) -> tuple[int, str, str | None]:
    """Put what changed in EspoCRM into the inbox.

    Returns how many, the new cursor (a UTC time), and why no run could do anything now (a refused login), if so.
    """
    async with open_context("dirty-sensor", PassSettings.read()) as context:
        started = context.clock.now()
        since = watermark(cursor, started)
        found = await moved_since(context, kind, since)
        noted = await enqueue(context, kind.entity, found, "sensor") if found else 0
        held_back = await login_held_back(context)
    return noted, started.isoformat(), held_back.message_for_people if held_back is not None else None


def make_sensor(kind: ChildKind, job: dg.JobDefinition) -> dg.SensorDefinition:
    """Return the sensor ``<entity>_dirty``: polls EspoCRM and launches one run for what waits in the inbox."""

    @dg.sensor(
        name=f"{kind.entity}_dirty",
        job=job,
        minimum_interval_seconds=TICK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Fragt EspoCRM nach geänderten Datensätzen ({kind.espo_entity}) und startet ihren Abgleich.",
    )
    def dirty(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        try:
            noted, cursor, held_back = asyncio.run(note_dirty(kind, context.cursor))
        except ForeignSystemError as problem:
            # The cursor stays where it is: the next tick looks at the same time span again.
            return dg.SkipReason(problem.message_for_people)
        if held_back is not None:
            # Runs could do nothing now; what waits stays in the inbox.
            return dg.SensorResult(skip_reason=held_back, cursor=cursor)
        return dg.SensorResult(run_requests=pending_run(kind.entity, context.instance, fresh=noted > 0), cursor=cursor)

    return dirty


def make_sweep(kind: ChildKind, job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """Return the schedule ``<entity>_sweep``: waiting ones, due retries, and what was not verified for a day."""
    return dg.ScheduleDefinition(
        name=f"{kind.entity}_sweep",
        job=job,
        cron_schedule="7-59/15 * * * *",
        execution_timezone="Europe/Berlin",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        run_config={"selection": "due"},
        tags={TRIGGER_TAG: str(Trigger.SWEEP)},
        description="Alle 15 Minuten: Wartendes, fällige Wiederholungen, offene Aufgaben, lange nicht Geprüftes.",
    )
