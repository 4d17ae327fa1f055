"""A job that only looks: asset checks that run by themselves at certain hours."""

from collections.abc import Iterable

import dagster as dg

from vmh_sync.orchestration.dagster_internals.core import UnresolvedAssetJobDefinition
from vmh_sync.orchestration.run_tags import AGAIN_FROM_START


def scheduled_checks(
    name: str,
    checks: Iterable[dg.AssetChecksDefinition],
    cron: str,
    *,
    says: str,
    when: str,
    seconds: int | None = None,
) -> tuple[UnresolvedAssetJobDefinition, dg.ScheduleDefinition]:
    """Return the job and the schedule, both of this name; ``cron`` is in the firm's time zone.

    ``says`` describes the job, ``when`` the schedule; a run that takes more than ``seconds`` is ended.
    """
    job = dg.define_asset_job(
        name,
        selection=dg.AssetSelection.checks(*checks),
        executor_def=dg.in_process_executor,
        tags=AGAIN_FROM_START | ({} if seconds is None else {"dagster/max_runtime": str(seconds)}),
        description=says,
    )
    schedule = dg.ScheduleDefinition(
        name=name,
        job=job,
        cron_schedule=cron,
        execution_timezone="Europe/Berlin",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=when,
    )
    return job, schedule
