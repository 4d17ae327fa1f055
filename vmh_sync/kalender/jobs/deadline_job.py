"""The Dagster job that tells each employee every morning whether the deadlines agree in both calendars."""

import dagster as dg

from vmh_sync.kalender.audits.deadline_list import DeadlineReport, deadline_reports
from vmh_sync.kalender.resources import CalendarResources
from vmh_sync.orchestration.jobs.sentences import Stopped
from vmh_sync.settings import CalendarSyncSettings, load
from vmh_sync.systems.errors import ForeignSystemError


@dg.op(description="Vergleicht Fristen und Gerichtstermine ab heute und schreibt jedem Mitarbeiter eine Aufgabe.")
async def compare_deadlines(context: dg.OpExecutionContext, calendars: CalendarResources) -> None:
    """Compare, and tell every employee; the metadata hold numbers and Kürzel only."""
    async with calendars.open(context.run_id) as opened:
        try:
            reports = await deadline_reports(opened, send=True)
        except ForeignSystemError as problem:
            raise Stopped(problem.message_for_people, allow_retries=True) from problem
    context.add_output_metadata(_metadata(reports))


def _metadata(reports: list[DeadlineReport]) -> dict[str, int | str]:
    return {
        "Mitarbeiter": len(reports),
        "Fristen": sum(report.deadlines for report in reports),
        "Abweichungen": sum(len(report.differences) for report in reports),
        "Abweichungen bei": ", ".join(report.employee.kuerzel for report in reports if report.differences),
        "Aufgaben geschrieben": sum(report.delivery.told for report in reports),
        "Aufgaben warten": sum(report.delivery.waiting for report in reports),
    }


@dg.job(
    name="fristen_liste",
    executor_def=dg.in_process_executor,
    description="Jeden Morgen: Stimmen die Fristen in Advoware und Google überein? Je Mitarbeiter eine Aufgabe.",
)
def fristen_liste() -> None:
    """Compare the deadlines of all employees."""
    compare_deadlines()


@dg.schedule(
    name="fristen_liste_morgens",
    job=fristen_liste,
    cron_schedule="30 6 * * 1-6",
    execution_timezone="Europe/Berlin",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Montag bis Samstag um 6:30 Uhr, wenn es Regeln für Fristen gibt.",
)
def fristen_liste_morgens(_: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Launch the comparison, if the firm has named its deadlines."""
    if not load(CalendarSyncSettings).deadline_rules:
        return dg.SkipReason("CALENDAR_SYNC_DEADLINE_RULES ist nicht gesetzt.")
    return dg.RunRequest()
