"""The Dagster job and schedule of the reset; the schedule is off until a person switches it on."""

import dagster as dg

from vmh_sync.erstgespraech.reset import ResetResult, reset_past_calls
from vmh_sync.orchestration.jobs.german_labels import in_german
from vmh_sync.orchestration.jobs.resources import SyncResources
from vmh_sync.orchestration.jobs.sentences import Stopped
from vmh_sync.settings import ErstgespraechSettings, SettingsError, load
from vmh_sync.systems.errors import ForeignSystemError

MOST_SHOWN = 500


@dg.op(description="Setzt „nächster Anruf“ zurück, wenn er in der Vergangenheit liegt.")
async def reset_calls(context: dg.OpExecutionContext, sync_resources: SyncResources) -> None:
    """Reset past calls as the settings say; without settings do nothing and say so."""
    try:
        rules = load(ErstgespraechSettings)
    except SettingsError as problem:
        raise Stopped(str(problem)) from None
    if not rules.states:
        text = "Nichts getan: VMH_ERSTGESPRAECH_STATES ist nicht gesetzt."
        context.log.info(text)
        context.add_output_metadata({"Hinweis": text})
        return
    async with sync_resources.open(context.run_id) as opened:
        try:
            result = await reset_past_calls(opened.espo, rules, opened.clock.now())
        except ForeignSystemError as problem:
            raise Stopped(problem.message_for_people, allow_retries=True) from problem
    context.add_output_metadata(_metadata(result, dry_run=rules.dry_run))


def _metadata(result: ResetResult, *, dry_run: bool) -> dict[str, dg.MetadataValue | int | bool]:
    shown: dict[str, dg.MetadataValue | int | bool] = {"dry_run": dry_run}
    for name in ("found", "written", "left", "failed"):
        ids: list[str] = getattr(result, name)
        shown[name] = len(ids)
        shown[f"{name}_ids"] = dg.MetadataValue.json(ids[:MOST_SHOWN])
    return in_german(shown)


@dg.job(
    name="erstgespraech_reset",
    executor_def=dg.in_process_executor,
    description="Erstgespräche: vergangene Termine für den nächsten Anruf zurücksetzen.",
)
def erstgespraech_reset() -> None:
    """Reset past calls."""
    reset_calls()


erstgespraech_schedule = dg.ScheduleDefinition(
    name="erstgespraech_reset",
    job=erstgespraech_reset,
    cron_schedule="0 6 * * *",
    execution_timezone="Europe/Berlin",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Jeden Morgen um 6 Uhr; ausgeschaltet, bis jemand es einschaltet.",
)

defs = dg.Definitions(jobs=[erstgespraech_reset], schedules=[erstgespraech_schedule])
