"""What starts calendar syncs by itself, and what keeps the partitions equal to the firm's employees."""

import asyncio
from collections.abc import Sequence

import dagster as dg

from vmh_sync.engine.passes.opening import open_database
from vmh_sync.kalender.calendars import Calendars
from vmh_sync.kalender.context import CalendarSettings, open_calendar
from vmh_sync.kalender.pipeline import sync_kalender
from vmh_sync.kalender.reading.employees import active_employees
from vmh_sync.kalender.run_config import EMPLOYEE_PARTITIONS, employees_partitions
from vmh_sync.orchestration.run_tags import ENTITY_TAG, TRIGGER_TAG, Trigger, bulk_tags
from vmh_sync.orchestration.triggers.launching import BEFORE_START, UNDER_WAY
from vmh_sync.orchestration.triggers.tick_time import in_time
from vmh_sync.settings import CalendarSyncSettings, SettingsError, VmhSettings, load
from vmh_sync.systems.errors import ForeignSystemError

PARTITIONS_SECONDS = 300


async def _active() -> tuple[set[str], bool]:
    """Return the Kürzel of the active employees, and whether these are all of them for certain."""
    async with open_calendar("employees-sensor", CalendarSettings.read()) as context:
        listed = await in_time(active_employees(context))
    return {employee.kuerzel for employee in listed.employees}, not listed.unreadable


@dg.sensor(
    name="kalender_mitarbeiter",
    minimum_interval_seconds=PARTITIONS_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Hält die Liste der Mitarbeiter (Partitions) auf dem Stand von Advoware.",
)
def kalender_mitarbeiter(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Make the dynamic partitions equal to Advoware's active employees."""
    try:
        active, all_of_them = asyncio.run(_active())
    except SettingsError as problem:
        return dg.SkipReason(str(problem))
    except ForeignSystemError as problem:
        return dg.SkipReason(f"Advoware: {problem.message_for_people}")
    shown = set(context.instance.get_dynamic_partitions(EMPLOYEE_PARTITIONS))
    requests: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
    if active - shown:
        requests.append(employees_partitions.build_add_request(sorted(active - shown)))
    # An empty answer, or one of which a part cannot be read, is no reason to forget anybody; and a key stays while a
    # run may still use it.
    if active and all_of_them and shown - active and not _running(context.instance):
        requests.append(employees_partitions.build_delete_request(sorted(shown - active)))
    if not requests:
        return dg.SkipReason("no change")
    return dg.SensorResult(dynamic_partitions_requests=requests)


def _running(instance: dg.DagsterInstance) -> bool:
    return instance.get_runs_count(dg.RunsFilter(job_name=sync_kalender.name, statuses=UNDER_WAY)) > 0


def _waiting(instance: dg.DagsterInstance) -> bool:
    of_a_tick = dg.RunsFilter(
        job_name=sync_kalender.name, statuses=BEFORE_START, tags={TRIGGER_TAG: str(Trigger.SWEEP)}
    )
    return instance.get_runs_count(of_a_tick) > 0


@dg.schedule(
    name="kalender_alle_15_minuten",
    job=sync_kalender,
    cron_schedule="*/15 * * * *",
    execution_timezone="Europe/Berlin",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Alle 15 Minuten: alle Kalender, am längsten nicht abgeglichene zuerst.",
)
def kalender_alle_15_minuten(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
    """Launch runs over all employees, oldest success first.

    A run skips who is busy in another one, so a long first load holds up nobody else; a tick passes only while the
    runs of an earlier tick have not begun.
    """
    if _waiting(context.instance):
        return dg.SkipReason("Der vorige Lauf hat noch nicht begonnen.")
    settings = load(CalendarSyncSettings)
    known = context.instance.get_dynamic_partitions(EMPLOYEE_PARTITIONS)
    size = settings.employees_per_run
    ordered = oldest_first(known)
    groups = [ordered[start : start + size] for start in range(0, len(ordered), size)] if len(ordered) > size else [[]]
    return [_request(group, settings.schedule_jitter_seconds) for group in groups]


def _request(kuerzel: Sequence[str], jitter: float) -> dg.RunRequest:
    return dg.RunRequest(
        run_config=Calendars(kuerzel=list(kuerzel), jitter_seconds=jitter).run_config(),
        tags={TRIGGER_TAG: str(Trigger.SWEEP), ENTITY_TAG: "kalender", **bulk_tags("kalender")},
    )


def oldest_first(kuerzel: Sequence[str]) -> list[str]:
    """Return the Kürzel in the order of their last success, never synced ones first."""
    with open_database(load(VmhSettings)) as store, store.reading() as tx:
        order = {state.kuerzel: place for place, state in enumerate(tx.calendar_states.all())}
    return sorted(kuerzel, key=lambda name: (order.get(name, -1), name))


SENSORS = (kalender_mitarbeiter,)
SCHEDULES = (kalender_alle_15_minuten,)
