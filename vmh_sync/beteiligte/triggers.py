"""What starts a sync of parties by itself: the dirty sensor, the inbox sensor, the sweep and the rolling check.

Sensors only look and put ids into the inbox; the run claims them there (design.md 2). So a record that waits in a run
already is not launched twice, and one that changes during its run comes again.
"""

import asyncio

import dagster as dg

from vmh_sync.beteiligte.party import ENTITY
from vmh_sync.beteiligte.pipeline import sync_beteiligte
from vmh_sync.beteiligte.selection import ROLLING_EVERY, dirty
from vmh_sync.engine.opening import PassSettings, open_context
from vmh_sync.engine.selection import enqueue, login_held_back
from vmh_sync.engine.watermark import watermark
from vmh_sync.orchestration.launching import pending_run
from vmh_sync.orchestration.run_config import TRIGGER_TAG, Trigger
from vmh_sync.systems.errors import ForeignSystemError

TICK_SECONDS = 4
"""The sensor daemon ticks every 5 s; an interval of 5 would make it every 10 s (dagster.md 0.4)."""


async def _note_dirty(cursor: str | None) -> tuple[int, str, str | None]:
    """Put what changed in EspoCRM into the inbox.

    Returns how many, the new cursor (a UTC time), and why no run could do anything now (a refused login), if so.
    """
    async with open_context("dirty-sensor", PassSettings.read()) as context:
        started = context.clock.now()
        since = watermark(cursor, started)
        found = await dirty(context, since, honour_retries=True)
        noted = await enqueue(context, ENTITY, found, "sensor") if found else 0
        held_back = await login_held_back(context)
    return noted, started.isoformat(), held_back.message_for_people if held_back is not None else None


@dg.sensor(
    name="beteiligte_dirty",
    job=sync_beteiligte,
    minimum_interval_seconds=TICK_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Fragt EspoCRM nach geänderten Beteiligten und startet ihren Abgleich.",
)
def beteiligte_dirty(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Poll EspoCRM for dirty records, remember them in the inbox, and launch one run for what waits there."""
    try:
        noted, cursor, held_back = asyncio.run(_note_dirty(context.cursor))
    except ForeignSystemError as problem:
        # The cursor stays where it is: the next tick looks at the same time span again.
        return dg.SkipReason(problem.message_for_people)
    if held_back is not None:
        # Runs could do nothing now; what waits stays in the inbox.
        return dg.SensorResult(skip_reason=held_back, cursor=cursor)
    return dg.SensorResult(run_requests=pending_run(ENTITY, context.instance, fresh=noted > 0), cursor=cursor)


@dg.schedule(
    name="beteiligte_sweep",
    job=sync_beteiligte,
    cron_schedule="*/15 * * * *",
    execution_timezone="Europe/Berlin",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Alle 15 Minuten: Wartendes, fällige Wiederholungen, Hängengebliebenes, lange nicht Geprüftes.",
)
def beteiligte_sweep(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Launch the sweep."""
    return dg.RunRequest(run_config={"selection": "due"}, tags={TRIGGER_TAG: str(Trigger.SWEEP)})


@dg.schedule(
    name="beteiligte_rolling_check",
    job=sync_beteiligte,
    cron_schedule=f"*/{int(ROLLING_EVERY.total_seconds() // 60)} * * * *",
    execution_timezone="Europe/Berlin",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Liest reihum alle verknüpften Beteiligten in Advoware, damit dort Getipptes gefunden wird.",
)
def beteiligte_rolling_check(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Launch the next share of the rolling check."""
    return dg.RunRequest(run_config={"selection": "rolling"}, tags={TRIGGER_TAG: str(Trigger.SWEEP)})


SENSORS = (beteiligte_dirty,)
SCHEDULES = (beteiligte_sweep, beteiligte_rolling_check)
