"""The calendar audit as Dagster asset checks: look only, never mend."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import dagster as dg

from vmh_sync.kalender import audit, not_representable
from vmh_sync.kalender.audit import Trouble
from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.pipeline import KALENDER
from vmh_sync.kalender.resources import CalendarResources

SHOWN = 50


def _check(
    calendars: CalendarResources, run_id: str, look: Callable[[CalendarContext], Awaitable[list[Trouble]]]
) -> dg.AssetCheckResult:
    async def opened() -> list[Trouble]:
        async with calendars.open(run_id) as context:
            return await look(context)

    troubles = asyncio.run(opened())
    return dg.AssetCheckResult(
        passed=not troubles,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"found": len(troubles), "first": dg.MetadataValue.json([t.to_json() for t in troubles[:SHOWN]])},
    )


@dg.asset_check(asset=KALENDER, name="verify", description="Paare, Advoware und Google stimmen überein.")
def kalender_verify(context: dg.AssetCheckExecutionContext, calendars: CalendarResources) -> dg.AssetCheckResult:
    """Compare both sides and the pair table."""
    return _check(calendars, context.run.run_id, audit.verify)


@dg.asset_check(asset=KALENDER, name="duplicates", description="Kein Termin steht doppelt in einem Kalender.")
def kalender_duplicates(context: dg.AssetCheckExecutionContext, calendars: CalendarResources) -> dg.AssetCheckResult:
    """Look for a second event of the same Termin."""
    return _check(calendars, context.run.run_id, audit.duplicates)


@dg.asset_check(asset=KALENDER, name="orphans", description="Kein Ereignis gehört zu einem gelöschten Termin.")
def kalender_orphans(context: dg.AssetCheckExecutionContext, calendars: CalendarResources) -> dg.AssetCheckResult:
    """Look for events whose Termin is gone."""
    return _check(calendars, context.run.run_id, audit.orphans)


@dg.asset_check(
    asset=KALENDER, name="representable", description="Jeder verknüpfte Termin ist in Advoware darstellbar."
)
def kalender_representable(context: dg.AssetCheckExecutionContext, calendars: CalendarResources) -> dg.AssetCheckResult:
    """List the pairs that are left alone because Advoware cannot hold them."""
    return _check(calendars, context.run.run_id, not_representable.standing)


CHECKS: Sequence[dg.AssetChecksDefinition] = (
    kalender_verify,
    kalender_duplicates,
    kalender_orphans,
    kalender_representable,
)

kalender_audit = dg.define_asset_job(
    "kalender_audit",
    selection=dg.AssetSelection.checks(*CHECKS),
    executor_def=dg.in_process_executor,
    tags={"dagster/max_runtime": "3600"},
    description="Vergleicht alle Kalender mit Advoware: verschieden, doppelt, verwaist. Verändert nichts.",
)
kalender_audit_nachts = dg.ScheduleDefinition(
    name="kalender_audit",
    job=kalender_audit,
    cron_schedule="0 5 * * *",
    execution_timezone="Europe/Berlin",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Jede Nacht um 5 Uhr.",
)
