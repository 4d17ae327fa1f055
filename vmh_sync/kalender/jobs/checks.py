"""The calendar audit as Dagster asset checks: look only, never mend."""

from collections.abc import Awaitable, Callable, Sequence

import dagster as dg

from vmh_sync.kalender.audits import audit, not_representable
from vmh_sync.kalender.audits.audit import Trouble
from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.pipeline import KALENDER
from vmh_sync.kalender.resources import CalendarResources
from vmh_sync.orchestration.jobs.scheduled_checks import scheduled_checks

SHOWN = 50


def _check(
    name: str, description: str, look: Callable[[CalendarContext], Awaitable[list[Trouble]]]
) -> dg.AssetChecksDefinition:
    async def check(context: dg.AssetCheckExecutionContext, calendars: CalendarResources) -> dg.AssetCheckResult:
        async with calendars.open(context.run.run_id) as opened:
            troubles = await look(opened)
        return dg.AssetCheckResult(
            passed=not troubles,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "gefunden": len(troubles),
                "die ersten": dg.MetadataValue.json([t.to_json() for t in troubles[:SHOWN]]),
            },
        )

    # Dagster awaits checks as it awaits ops, and does not say so in its types.
    return dg.asset_check(asset=KALENDER, name=name, description=description)(check)  # type: ignore[arg-type]


CHECKS: Sequence[dg.AssetChecksDefinition] = (
    _check("verify", "Paare, Advoware und Google stimmen überein.", audit.verify),
    _check("duplicates", "Kein Termin steht doppelt in einem Kalender.", audit.duplicates),
    _check("orphans", "Kein Ereignis gehört zu einem gelöschten Termin.", audit.orphans),
    _check("representable", "Jeder verknüpfte Termin ist in Advoware darstellbar.", not_representable.of_linked),
)

kalender_audit, kalender_audit_nachts = scheduled_checks(
    "kalender_audit",
    CHECKS,
    "0 5 * * *",
    says="Vergleicht alle Kalender mit Advoware: verschieden, doppelt, verwaist. Verändert nichts.",
    when="Jede Nacht um 5 Uhr.",
    seconds=3600,
)
