"""Whether this process lives, and whether what it needs can be reached."""

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from vmh_sync.clock import FIRM_ZONE
from vmh_sync.coordination.connection import prove_writable
from vmh_sync.coordination.errors import CoordinationUnavailable
from vmh_sync.coordination.watch_sign import read_sign, silent_since
from vmh_sync.engine.installation.held_logins import HeldBackLogin, held_back_logins
from vmh_sync.engine.installation.redis_identity import ForeignRedis, foreign, place_of
from vmh_sync.gateway.launches.launch import DagsterUnavailable, LaunchFailed
from vmh_sync.gateway.services import GatewayServices, services_of
from vmh_sync.orchestration.next_ticks import SILENT
from vmh_sync.store.database_fault import at_host, database_fault
from vmh_sync.store.errors import StoreError
from vmh_sync.sync.reporting.words_de import SIDES, word

router = APIRouter(tags=["health"])

CHECK_SECONDS = 5.0
"""For all of it: everything is asked at once, so that who asks us (``status`` waits 8 seconds) hears who is silent."""
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
    """What is wrong and what to do, in German, by name. Absent when nothing is known. A dead ``daemon``, a silent
    ``watch`` and a refused login stand only here: webhooks are taken all the same."""
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
    (database, fault), (redis, stranger), (dagster, problem), daemon, held_back, (watch, silent) = await asyncio.gather(
        _database(services),
        _redis(services),
        _dagster(services),
        _daemon(services),
        _logins(services),
        _watch(services),
    )
    if redis != "ok":  # a stranger's Redis tells of another house
        held_back, watch, silent = (), None, None
    problems = {"database": fault, "redis": stranger, "dagster": problem}
    problems |= {"daemon": daemon if dagster == "ok" else None, "watch": silent}
    problems |= {login.system: _refused(login) for login in held_back}
    good = (database, redis, dagster) == ("ok", "ok", "ok")
    found = Readiness(
        status="ready" if good else "not ready",
        database=database,
        redis=redis,
        dagster=dagster,
        problems={name: text for name, text in problems.items() if text} or None,
        logins={login.system: login.until.isoformat(timespec="seconds") for login in held_back} or None,
        watch=watch,
    )
    return JSONResponse(found.model_dump(exclude_none=True), 200 if good else 503)


async def _database(services: GatewayServices) -> tuple[State, str | None]:
    house = services.settings.house
    url = house.database
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            fault = await asyncio.to_thread(partial(database_fault, services.store, url, look_inside=False))
    except TimeoutError:
        return "unavailable", f"Die Datenbank{at_host(url)} antwortet nicht: Prüfen, woran sie arbeitet oder wartet."
    return ("unavailable", str(fault)) if fault is not None else ("ok", None)


async def _logins(services: GatewayServices) -> Sequence[HeldBackLogin]:
    if services.redis is None:
        return ()
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await held_back_logins(
                services.redis, services.settings.advoware, services.settings.espocrm, services.clock
            )
    except (CoordinationUnavailable, TimeoutError):
        return ()


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(FIRM_ZONE):%d.%m. %H:%M} Uhr"


def _refused(login: HeldBackLogin) -> str:
    return (
        f"{word(SIDES, login.system)} hat unsere Anmeldung abgelehnt, der nächste Versuch ist um {_time(login.until)}: "
        "Schlüssel oder Kennwort prüfen; danach gibt `vmh-sync doctor` die Anmeldung sofort frei."
    )


async def _daemon(services: GatewayServices) -> str | None:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            sign = await services.launcher.daemon_sign()
    except (LaunchFailed, TimeoutError):
        return None  # Dagster went away meanwhile: the next look says so
    if sign is not None and abs(services.clock.now() - sign) < SILENT:
        return None
    since = f"seit {_time(sign)} kein Lebenszeichen" if sign is not None else "noch kein Lebenszeichen"
    return (
        f"Von Dagsters Daemon gibt es {since}, also startet kein Lauf: `vmh-sync up` oder den Dienst dagster-daemon "
        "neu starten; warum er endete, steht in seinem Protokoll. Was wartet, geht nicht verloren."
    )


async def _watch(services: GatewayServices) -> tuple[Literal["watching", "paused"] | None, str | None]:
    if services.redis is None or services.settings.house.watch_seconds == 0:
        return None, None
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            sign, silent = await read_sign(services.redis), await silent_since(services.redis)
    except (CoordinationUnavailable, TimeoutError):
        return None, None
    if sign is not None:
        return "watching" if sign.paused is None else "paused", None
    return None, _silent_watch(silent) if silent is not None else None


def _silent_watch(since: datetime) -> str:
    return (
        f"Der Beobachter von EspoCRM gibt seit {_time(since)} kein Lebenszeichen: `vmh-sync up` startet ihn nach "
        "einigen Minuten von selbst neu, sonst den Dienst watch neu starten. Nichts geht verloren: Bis dahin findet "
        "der Sensor die Änderungen, einige Sekunden später."
    )


async def _redis(services: GatewayServices) -> tuple[State, str | None]:
    if services.redis is None:
        return "unavailable", "Der mitgelieferte Valkey startet nicht: REDIS_URL setzen oder VMH_HOME ändern."
    house, answers = services.settings.house, False
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await prove_writable(services.redis)
            answers = True
            stranger = await foreign(services.redis, services.store, place_of(house.redis_url, house.home))
    except (StoreError, CoordinationUnavailable, TimeoutError) as trouble:
        if answers:
            return "ok", None  # whose it is nobody can tell without the database, which has a line of its own
        if isinstance(trouble, CoordinationUnavailable):
            return "unavailable", f"{trouble.people}: {trouble.remedy}"
        return "unavailable", "Redis antwortet nicht: Prüfen, ob der Server läuft und REDIS_URL stimmt."
    return ("unavailable", str(stranger)) if isinstance(stranger, ForeignRedis) else ("ok", None)


async def _dagster(services: GatewayServices) -> tuple[State, str | None]:
    """Ask Dagster and its code server; what Dagster itself says comes first."""
    code_server = services.code_server.ask(CHECK_SECONDS)  # bounds itself, and says who was silent
    for problem in await asyncio.gather(_problem(_ping(services)), _problem(code_server)):
        if problem is not None:
            return "unavailable", problem
    return "ok", None


async def _ping(services: GatewayServices) -> None:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await services.launcher.ping()
    except TimeoutError:
        raise DagsterUnavailable("Dagster has not answered yet") from None


async def _problem(question: Coroutine[Any, Any, None]) -> str | None:
    try:
        await question
    except LaunchFailed as problem:
        return problem.for_people
    return None
