"""The calendars in Dagster: their job, triggers, the daily list of deadlines, and the audit as asset checks."""

import dagster as dg

from vmh_sync.entities import KALENDER
from vmh_sync.kalender.jobs.checks import CHECKS, kalender_audit, kalender_audit_nachts
from vmh_sync.kalender.jobs.deadline_job import fristen_liste, fristen_liste_morgens
from vmh_sync.kalender.jobs.triggers import SCHEDULES, SENSORS
from vmh_sync.kalender.pipeline import employees_asset, kalender_asset, sync_kalender
from vmh_sync.orchestration.entity_room import EntityRoom

ROOM = EntityRoom(
    KALENDER,
    dg.Definitions(
        asset_checks=CHECKS,
        jobs=[sync_kalender, kalender_audit, fristen_liste],
        sensors=SENSORS,
        schedules=[*SCHEDULES, kalender_audit_nachts, fristen_liste_morgens],
    ),
    job=sync_kalender,
    assets=(kalender_asset, employees_asset),
)
