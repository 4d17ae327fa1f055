"""The calendars in Dagster: their job, triggers, and the audit as asset checks."""

import dagster as dg

from vmh_sync.entities import KALENDER
from vmh_sync.kalender.checks import CHECKS
from vmh_sync.kalender.pipeline import kalender_asset, sync_kalender
from vmh_sync.kalender.triggers import SCHEDULES, SENSORS
from vmh_sync.orchestration.entity_room import EntityRoom

ROOM = EntityRoom(
    KALENDER,
    dg.Definitions(
        assets=[kalender_asset], asset_checks=CHECKS, jobs=[sync_kalender], sensors=SENSORS, schedules=SCHEDULES
    ),
    job=sync_kalender,
)
