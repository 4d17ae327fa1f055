"""Whether this process lives, and whether what it needs can be reached."""

import asyncio
from collections.abc import Awaitable
from functools import partial
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from vmh_sync.coordination.connection import prove_writable
from vmh_sync.coordination.errors import CoordinationUnavailable
from vmh_sync.coordination.watch_sign import read_sign
from vmh_sync.engine.held_logins import held_back_logins
from vmh_sync.engine.redis_identity import ForeignRedis, foreign, place_of
from vmh_sync.gateway.launch import DagsterUnavailable, LaunchFailed
from vmh_sync.gateway.services import GatewayServices, services_of
from vmh_sync.store import default_url
from vmh_sync.store.errors import StoreError
from vmh_sync.store.file_health import file_fault

router = APIRouter(tags=["health"])

CHECK_SECONDS = 5.0
State = Literal["ok", "unavailable"]


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Each thing that is needed, by name."""

    status: Literal["ready", "not ready"]
    database: State
    redis: State
    dagster: State
    problems: dict[str, str] | None = None
    """What is wrong and what to do, in German, by name. Absent when nothing is known."""
    logins: dict[str, str] | None = None
    """Logins that are held back after a refusal: system -> until when (ISO 8601, UTC). Absent when there are none;
    webhooks are taken all the same."""
    watch: Literal["watching", "paused"] | None = None
    """What the watch over EspoCRM does; absent when there is none. Nothing depends on it: the sensor looks too."""


@router.get("/health")
async def health() -> Alive:
    """Tell that the process lives; asks nobody."""
    return Alive()


@router.get("/ready", responses={503: {"model": Readiness, "description": "Something cannot be reached"}})
async def ready(request: Request) -> JSONResponse:
    """Tell whether database (with the right schema), its Redis and Dagster can be reached."""
    services = services_of(request)
    (database, fault), (redis, stranger), (dagster, problem) = await asyncio.gather(
        _database(services), _redis(services), _dagster(services)
    )
    good = (database, redis, dagster) == ("ok", "ok", "ok")
    found = Readiness(
        status="ready" if good else "not ready",
        database=database,
        redis=redis,
        dagster=dagster,
        problems=_told({"database": fault, "redis": stranger, "dagster": problem}),
        logins=await _logins(services) if redis == "ok" else None,
        watch=await _watch(services) if redis == "ok" else None,
    )
    return JSONResponse(found.model_dump(exclude_none=True), 200 if good else 503)


def _told(problems: dict[str, str | None]) -> dict[str, str] | None:
    return {name: text for name, text in problems.items() if text} or None


async def _database(services: GatewayServices) -> tuple[State, str | None]:
    house = services.settings.house
    url = house.database_url or default_url(house.home)
    fault = await asyncio.to_thread(partial(file_fault, url, look_inside=False))
    if fault is not None:
        return "unavailable", str(fault)
    return await _state(asyncio.to_thread(services.store.require_current_schema)), None


async def _logins(services: GatewayServices) -> dict[str, str] | None:
    if services.redis is None:
        return None
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            held_back = await held_back_logins(
                services.redis, services.settings.advoware, services.settings.espocrm, services.clock
            )
    except (CoordinationUnavailable, TimeoutError):
        return None
    return {login.system: login.until.isoformat(timespec="seconds") for login in held_back} or None


async def _watch(services: GatewayServices) -> Literal["watching", "paused"] | None:
    if services.redis is None:
        return None
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            sign = await read_sign(services.redis)
    except (CoordinationUnavailable, TimeoutError):
        return None
    if sign is None:
        return None
    return "watching" if sign.paused is None else "paused"


async def _redis(services: GatewayServices) -> tuple[State, str | None]:
    if services.redis is None:
        return "unavailable", None
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await prove_writable(services.redis)
    except TimeoutError:
        return "unavailable", None
    except CoordinationUnavailable as trouble:
        return "unavailable", f"{trouble.people}: {trouble.remedy}"
    house = services.settings.house
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            stranger = await foreign(services.redis, services.store, place_of(house.redis_url, house.home))
    except (StoreError, CoordinationUnavailable, TimeoutError):
        return "ok", None  # whose it is nobody can tell without the database, which has a line of its own
    return ("unavailable", str(stranger)) if isinstance(stranger, ForeignRedis) else ("ok", None)


async def _dagster(services: GatewayServices) -> tuple[State, str | None]:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await services.launcher.ping()
    except LaunchFailed as problem:
        return "unavailable", problem.for_people
    except TimeoutError:
        return "unavailable", DagsterUnavailable.for_people
    return "ok", None


async def _state(check: Awaitable[None]) -> State:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check
    except (StoreError, CoordinationUnavailable, TimeoutError):
        return "unavailable"
    return "ok"
