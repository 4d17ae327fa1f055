"""The Dagster job and schedule of the nightly cleaning, and the sensor for claims of dead runs."""

import asyncio
from contextlib import closing, suppress
from dataclasses import asdict
from pathlib import Path

import dagster as dg

from vmh_sync.clock import SystemClock
from vmh_sync.coordination.connection import connect, connect_sync
from vmh_sync.coordination.errors import CoordinationUnavailable
from vmh_sync.engine.installation.installation_mark import HOUSE, HOUSE_JOB, installation_mark
from vmh_sync.engine.passes.opening import house_leases, open_database
from vmh_sync.erasure.later import Night, erase_due, waiting
from vmh_sync.erasure.run import Stores
from vmh_sync.housekeeping.database import clean_tables
from vmh_sync.housekeeping.dead_runs import fail_dead_runs, fail_silent_runs, release_dead_claims
from vmh_sync.housekeeping.runs import RunRetention, delete_old_runs
from vmh_sync.kalender.pipeline import EMPLOYEES
from vmh_sync.kalender.run_config import EMPLOYEE_PARTITIONS
from vmh_sync.orchestration.jobs.german_labels import in_german
from vmh_sync.orchestration.jobs.sentences import Stopped
from vmh_sync.orchestration.run_tags import AGAIN_FROM_START
from vmh_sync.services.valkey import ensure_redis
from vmh_sync.settings import AdvowareSettings, HousekeepingSettings, SettingsError, SyncSettings, VmhSettings, load
from vmh_sync.store import Store

CLAIMS_SECONDS = 28
"""Not 30: the sensor daemon ticks every 5 s, and a multiple of it would be missed by one tick (dagster.md 0.4)."""


@dg.op(description="Löscht alte Einträge des Änderungsprotokolls und Erledigtes aus unserer Datenbank.")
def clean_database(context: dg.OpExecutionContext) -> None:
    """Remove from our database what nobody needs any more."""
    try:
        house, days = load(VmhSettings), load(SyncSettings).audit_retention_days
    except SettingsError as problem:
        raise Stopped(str(problem)) from None
    with open_database(house) as store:
        context.add_output_metadata(in_german(clean_tables(store, SystemClock().now(), audit_days=days)))


@dg.op(description="Löscht alte beendete Läufe aus Dagster; der neueste Stand jedes Kalenders bleibt sichtbar.")
def clean_dagster(context: dg.OpExecutionContext) -> None:
    """Remove old runs from Dagster."""
    try:
        settings = load(HousekeepingSettings)
    except SettingsError as problem:
        raise Stopped(str(problem)) from None
    rules = RunRetention(
        settings.run_retention_days, settings.failed_run_retention_days, {EMPLOYEES: EMPLOYEE_PARTITIONS}
    )
    deleted = delete_old_runs(context.instance, SystemClock().now(), rules)
    context.add_output_metadata(in_german(asdict(deleted), "runs_"))


@dg.op(description="Löscht Personen, deren Löschung vorgemerkt war und deren Aufbewahrungspflicht vorbei ist.")
def erase_persons(context: dg.OpExecutionContext) -> None:
    """Carry out erasures that waited for the end of a duty to keep (Art. 17 DSGVO)."""
    try:
        house = load(VmhSettings)
        with open_database(house) as store:
            with store.reading() as tx:
                orders = waiting(tx)
            night = asyncio.run(_erase(context.instance, store, house)) if orders else Night()
    except SettingsError as problem:
        raise Stopped(str(problem)) from None
    told = {"vorgemerkt": len(orders), "gelöscht": night.erased, "im Abgleich": night.waiting}
    if night.failed:
        raise Stopped(
            f"{night.failed} vorgemerkte Löschungen sind gescheitert und kommen in der nächsten Nacht wieder. Den "
            "Grund nennt das Protokoll des Laufs; sofort löscht `vmh-sync person erase`.",
            metadata=told,
        )
    context.add_output_metadata(told)


async def _erase(instance: dg.DagsterInstance, store: Store, house: VmhSettings) -> Night:
    clock, url = SystemClock(), ensure_redis(house.home, house.redis_url)
    today = clock.now().astimezone(load(AdvowareSettings).timezone).date()
    with closing(connect_sync(url)) as redis:
        stores = Stores(store, redis, instance, house.home, Path(instance.root_directory), clock)
        async with connect(url) as leasing:
            return await erase_due(stores, house_leases(leasing, store, house), today)


@dg.job(
    name=HOUSE_JOB,
    executor_def=dg.in_process_executor,
    tags=AGAIN_FROM_START,
    description="Aufräumen: altes Protokoll, Erledigtes, alte Läufe. Offenes und Verknüpftes bleibt unberührt.",
)
def housekeeping() -> None:
    """Clean our database and Dagster; one goes on when the other fails."""
    clean_database()
    clean_dagster()
    erase_persons()


housekeeping_schedule = dg.ScheduleDefinition(
    name="housekeeping",
    job_name=HOUSE_JOB,  # by name: the definitions give the job a mark of the house
    cron_schedule="30 2 * * *",
    execution_timezone="Europe/Berlin",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Jede Nacht um 2:30 Uhr.",
)


@dg.sensor(
    name="inbox_claims",
    minimum_interval_seconds=CLAIMS_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Gibt zurück, was ein abgebrochener Lauf in der Warteschlange noch für sich beansprucht.",
)
def inbox_claims(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """End runs whose process is gone, release the claims of runs that are over; the dirty sensors launch what waits."""
    fail_dead_runs(context.instance)
    house = load(VmhSettings)
    _fail_silent_runs(context.instance, house)
    with open_database(house) as store:
        released = release_dead_claims(context.instance, store)
    if not released:
        return dg.SkipReason("no claims of dead runs")
    return dg.SkipReason(f"released {sum(released.values())} claims of {len(released)} dead runs")


def _fail_silent_runs(instance: dg.DagsterInstance, house: VmhSettings) -> None:
    redis = connect_sync(ensure_redis(house.home, house.redis_url))
    try:
        with suppress(CoordinationUnavailable):  # then nothing is known about any run
            fail_silent_runs(instance, redis)
    finally:
        redis.close()


def build(settings: VmhSettings) -> dg.Definitions:
    """Return the definitions; the job carries the mark of our database, by which a gateway knows its Dagster."""
    return dg.Definitions(
        jobs=[housekeeping.with_metadata({HOUSE: installation_mark(settings)})],
        sensors=[inbox_claims],
        schedules=[housekeeping_schedule],
    )
