"""What starts a sync of records by itself: the sensor that polls EspoCRM, and the sweep.

Sensors only look and put ids into the inbox; the run claims them there (design.md 2). So a record that waits in a run
already is not launched twice, and one that changes during its run comes again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import dagster as dg

from vmh_sync.engine.passes.opening import PassSettings, open_context
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.selecting.selection import enqueue, login_held_back
from vmh_sync.engine.selecting.watermark import watermark
from vmh_sync.entities import Entity
from vmh_sync.orchestration.run_tags import TRIGGER_TAG, Trigger, bulk_tags
from vmh_sync.orchestration.triggers.launching import pending_run
from vmh_sync.orchestration.triggers.tick_time import in_time
from vmh_sync.settings import SettingsError
from vmh_sync.systems.errors import ForeignSystemError

TICK_SECONDS = 4
"""The sensor daemon ticks every 5 s; an interval of 5 would make it every 10 s (dagster.md 0.4)."""

Changed = Callable[[PassContext, datetime], Awaitable[Sequence[str]]]
"""The EspoCRM ids of what changed in EspoCRM since a moment (UTC), by one cheap list call."""


async def note_changed(entity: str, changed: Changed, cursor: str | None) -> tuple[int, str, str | None]:
    """Put what changed in EspoCRM into the inbox.

    Returns how many, the new cursor (a UTC time), and why no run could do anything now (a refused login), if so.
    """
    async with open_context("dirty-sensor", PassSettings.read()) as context:
        started = context.clock.now()
        found = await in_time(changed(context, watermark(cursor, started)), context.calls.answered)
        noted = await enqueue(context, entity, found, "sensor") if found else 0
        held_back = await login_held_back(context)
    return noted, started.isoformat(), held_back.message_for_people if held_back is not None else None


def make_dirty_sensor(entity: Entity, job: dg.JobDefinition, changed: Changed) -> dg.SensorDefinition:
    """Return the sensor ``<name>_dirty``: polls EspoCRM and launches one run for what waits in the inbox."""

    @dg.sensor(
        name=f"{entity.name}_dirty",
        job=job,
        minimum_interval_seconds=TICK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Fragt EspoCRM nach geänderten Datensätzen ({entity.espocrm}) und startet ihren Abgleich.",
    )
    def dirty(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        try:
            noted, cursor, held_back = asyncio.run(note_changed(entity.name, changed, context.cursor))
        except SettingsError as problem:
            return dg.SkipReason(str(problem))  # in `dagster dev` of a new clone nothing is set
        except ForeignSystemError as problem:
            # The cursor stays where it is: the next tick looks at the same time span again.
            return dg.SkipReason(problem.message_for_people)
        if held_back is not None:
            # Runs could do nothing now; what waits stays in the inbox.
            return dg.SensorResult(skip_reason=held_back, cursor=cursor)
        return dg.SensorResult(run_requests=pending_run(entity.name, context.instance, fresh=noted > 0), cursor=cursor)

    return dirty


def make_sweep(entity: Entity, job: dg.JobDefinition, cron: str, says: str) -> dg.ScheduleDefinition:
    """Return the schedule ``<name>_sweep``: what waits, due retries, and what was not looked at for long."""
    return make_schedule(f"{entity.name}_sweep", entity, job, cron, says, selection="due")


def make_schedule(
    name: str, entity: Entity, job: dg.JobDefinition, cron: str, says: str, *, selection: str
) -> dg.ScheduleDefinition:
    """Return a schedule that launches a selection of records; ``cron`` is in the firm's time zone."""
    return dg.ScheduleDefinition(
        name=name,
        job=job,
        cron_schedule=cron,
        execution_timezone="Europe/Berlin",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        run_config={"selection": selection},
        tags={TRIGGER_TAG: str(Trigger.SWEEP), **bulk_tags(entity.name)},
        description=says,
    )
