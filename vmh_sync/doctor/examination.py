"""All checks, in the order in which a person would mend what they find."""

import asyncio

from vmh_sync.clock import Clock, SystemClock
from vmh_sync.doctor.calendar import check_google
from vmh_sync.doctor.crm import FIELD_TABLES, check_espocrm
from vmh_sync.doctor.house import Known, check_database, check_redis, read_settings
from vmh_sync.doctor.line import Level, Line, problem
from vmh_sync.doctor.office import check_advoware
from vmh_sync.runtime.opening import field_changes, open_database
from vmh_sync.settings import SettingsError


async def examine(clock: Clock | None = None) -> list[Line]:
    """Run every check that the settings allow; returns their lines. Writes nothing anywhere."""
    clock = clock or SystemClock()
    known, lines = read_settings()
    database_works = False
    if known.house is not None:
        database = await asyncio.to_thread(check_database, known.house)
        database_works = database.level is Level.OK
        lines += [database, await check_redis(known.house)]
    lines += await _advoware(known, clock, database_works=database_works)
    lines += await _espocrm(known, clock)
    if known.google is not None:
        lines.append(await asyncio.to_thread(check_google, known.google))
    return lines


async def _advoware(known: Known, clock: Clock, *, database_works: bool) -> list[Line]:
    if known.advoware is None:
        return []
    if known.house is None or not database_works:
        return await check_advoware(known.advoware, None, clock)
    store = open_database(known.house, clock)
    try:
        return await check_advoware(known.advoware, store, clock)
    finally:
        store.close()


async def _espocrm(known: Known, clock: Clock) -> list[Line]:
    if known.espocrm is None:
        return []
    try:
        changes = field_changes(known.sync.field_tables if known.sync is not None else None)
    except SettingsError as error:
        remedy = "VMH_FIELD_TABLES berichtigen."
        return [problem(FIELD_TABLES, str(error), remedy), *await check_espocrm(known.espocrm, {}, clock)]
    return await check_espocrm(known.espocrm, changes, clock)
