"""All checks, in the order in which a person would mend what they find."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vmh_sync.clock import Clock, SystemClock
from vmh_sync.coordination.circuits import SharedCircuits
from vmh_sync.coordination.connection import connect, connect_sync
from vmh_sync.doctor.advoware import LOGIN, check_advoware
from vmh_sync.doctor.calendar import check_deadlines, check_google, check_new_calendars, check_push
from vmh_sync.doctor.espocrm import FIELD_TABLES, check_espocrm
from vmh_sync.doctor.left_behind import check_left_behind
from vmh_sync.doctor.line import Level, Line, problem
from vmh_sync.doctor.own_services import (
    Known,
    check_database,
    check_first_day,
    check_mail,
    check_redis,
    check_watch,
    read_settings,
)
from vmh_sync.engine.installation.field_tables import field_changes
from vmh_sync.engine.passes.opening import open_database
from vmh_sync.entities import add_packages
from vmh_sync.services.valkey import EmbeddedServiceError, ensure_redis
from vmh_sync.settings import AlertSettings, CalendarSyncSettings, SettingsError, VmhSettings, load


async def examine(clock: Clock | None = None) -> list[Line]:
    """Run every check that the settings allow; returns their lines. Writes nothing anywhere."""
    clock = clock or SystemClock()
    known, lines = read_settings()
    if known.house is not None:
        add_packages(known.house.entities)
    database_works = False
    if known.house is not None:
        database = await asyncio.to_thread(check_database, known.house)
        database_works = database.level is Level.OK
        lines += [database, await check_redis(known.house, database_works=database_works)]
        if database_works:
            lines += await asyncio.to_thread(check_first_day, known.house, clock)
            lines += await check_left_behind(known.house, clock)
        lines.append(await check_watch(known.house))
    async with _shared_circuits(known.house) as circuits:
        advoware = await _advoware(known, clock, circuits, database_works=database_works)
        lines += advoware
        # An Advoware that is out of reach is waited for once, not again by each check that would read from it.
        refused = any(line.name == LOGIN and line.level is Level.PROBLEM for line in advoware)
        reached = None if refused else known.advoware
        if reached is not None and known.google is not None:
            lines += await check_deadlines(reached, clock, circuits)
        lines += await _espocrm(known, clock, circuits)
        if known.google is not None:
            lines.append(await asyncio.to_thread(check_google, known.google, clock, circuits))
            if known.house is not None and reached is not None:
                lines += await check_new_calendars(known.google, reached, known.house, clock, circuits)
        if known.house is not None and database_works:
            lines += await asyncio.to_thread(_push, known.house)
    return lines + await asyncio.to_thread(_mail)


def _mail() -> list[Line]:
    try:
        return check_mail(load(AlertSettings))
    except SettingsError:
        return []  # the line about the settings says why


def _push(house: VmhSettings) -> list[Line]:
    """The line about Google's notifications, where they are wanted."""
    try:
        public_url = load(CalendarSyncSettings).push_url
    except SettingsError:
        return []  # the line about the settings says why
    if public_url is None:
        return []
    with open_database(house) as store:
        line = check_push(store, public_url)
    return [line] if line is not None else []


@asynccontextmanager
async def _shared_circuits(house: VmhSettings | None) -> AsyncIterator[SharedCircuits]:
    """The states of logins that all processes share; without Redis those of this process."""
    if house is None:
        yield SharedCircuits(None)
        return
    try:
        url = await asyncio.to_thread(ensure_redis, house.home, house.redis_url)
        redis, sync_redis = connect(url), connect_sync(url)
    except (EmbeddedServiceError, ValueError):
        yield SharedCircuits(None)  # the line about Redis says why
        return
    try:
        yield SharedCircuits(redis, sync_redis)
    finally:
        await redis.aclose()
        sync_redis.close()


async def _advoware(known: Known, clock: Clock, circuits: SharedCircuits, *, database_works: bool) -> list[Line]:
    if known.advoware is None:
        return []
    if known.house is None or not database_works:
        return await check_advoware(known.advoware, None, clock, circuits)
    with open_database(known.house, clock) as store:
        return await check_advoware(known.advoware, store, clock, circuits)


async def _espocrm(known: Known, clock: Clock, circuits: SharedCircuits) -> list[Line]:
    if known.espocrm is None:
        return []
    try:
        own = known.house.entities if known.house is not None else ()
        changes = field_changes(known.sync.field_tables if known.sync is not None else None, own)
    except SettingsError as error:
        remedy = "VMH_FIELD_TABLES berichtigen."
        return [problem(FIELD_TABLES, str(error), remedy), *await check_espocrm(known.espocrm, {}, clock, circuits)]
    return await check_espocrm(known.espocrm, changes, clock, circuits)
