"""The one place where jobs, sensors, schedules and resources meet.

Adding an entity type is adding one folder and one line here.
"""

import dagster as dg

from vmh_sync.adressen import pipeline as addresses
from vmh_sync.adressen import repair as address_repair
from vmh_sync.adressen import triggers as address_triggers
from vmh_sync.bankverbindungen import pipeline as accounts
from vmh_sync.bankverbindungen import repair as account_repair
from vmh_sync.bankverbindungen import triggers as account_triggers
from vmh_sync.beteiligte import pipeline, repair, triggers
from vmh_sync.engine.installation_mark import HOUSE, installation_mark
from vmh_sync.erstgespraech import pipeline as erstgespraech
from vmh_sync.examples.ticketing import NAME as TICKETING
from vmh_sync.examples.ticketing import monitor as ticketing
from vmh_sync.housekeeping import pipeline as housekeeping
from vmh_sync.kalender import checks as calendar_checks
from vmh_sync.kalender import pipeline as calendars
from vmh_sync.kalender import triggers as calendar_triggers
from vmh_sync.kalender.resources import CalendarResources
from vmh_sync.orchestration.resources import SyncResources
from vmh_sync.settings import VmhSettings, load

REPAIRS = (repair.REPAIR, address_repair.REPAIR, account_repair.REPAIR)


def build_defs() -> dg.Definitions:
    """Return fresh definitions."""
    house = load(VmhSettings)
    with_ticketing = TICKETING in house.examples
    return dg.Definitions(
        assets=[*(one.asset for one in REPAIRS), calendars.kalender_asset],
        asset_checks=[*calendar_checks.CHECKS],
        jobs=[
            pipeline.sync_beteiligte,
            addresses.sync_adressen,
            accounts.sync_bankverbindungen,
            calendars.sync_kalender,
            *(one.job for one in REPAIRS),
            *erstgespraech.JOBS,
            *(job.with_metadata({HOUSE: installation_mark(house)}) for job in housekeeping.JOBS),
            *(ticketing.JOBS if with_ticketing else ()),
        ],
        sensors=[
            *triggers.SENSORS,
            *address_triggers.SENSORS,
            *account_triggers.SENSORS,
            *calendar_triggers.SENSORS,
            *(one.sensor for one in REPAIRS),
            *housekeeping.SENSORS,
        ],
        schedules=[
            *triggers.SCHEDULES,
            *address_triggers.SCHEDULES,
            *account_triggers.SCHEDULES,
            *calendar_triggers.SCHEDULES,
            *erstgespraech.SCHEDULES,
            *housekeeping.SCHEDULES,
            *(ticketing.SCHEDULES if with_ticketing else ()),
        ],
        # Personal data stays in memory; and one op after the other is far quicker than a process each.
        resources={
            "sync_resources": SyncResources(),
            "calendars": CalendarResources(),
            "io_manager": dg.mem_io_manager,
        },
        executor=dg.in_process_executor,
    )


defs = build_defs()
