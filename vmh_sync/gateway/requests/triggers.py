"""Syncs that a caller asks for: the calendars, or one record (specification, http-endpoints.md 3 and 4)."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from vmh_sync.coordination.errors import CoordinationUnavailable
from vmh_sync.engine.passes.opening import house_leases
from vmh_sync.entities import KALENDER, job_of
from vmh_sync.gateway.http.documented import problems
from vmh_sync.gateway.keys import ApiKey
from vmh_sync.gateway.launches.launch import BEFORE_START, LaunchFailed, Run
from vmh_sync.gateway.requests.entity_name import EntityName
from vmh_sync.gateway.services import GatewayServices, services_of
from vmh_sync.kalender.calendars import Calendars
from vmh_sync.kalender.state.lease_names import lease_name
from vmh_sync.orchestration.run_tags import ENTITY_TAG, Trigger
from vmh_sync.store.errors import StoreError
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.espocrm.record_id import PATTERN, record_id

_log = logging.getLogger(__name__)

CALENDAR_JOB = KALENDER.job
ALL = "ALL"
ASK_ADVOWARE_SECONDS = 8.0

router = APIRouter(tags=["sync"])

EspoId = Annotated[str, Path(pattern=PATTERN), AfterValidator(record_id)]


def may_write(request: Request, x_api_key: Annotated[str | None, Header()] = None) -> ApiKey:
    """Let only keys with the write scope in; raises ``NotAllowed``."""
    return services_of(request).keys.allow(x_api_key, "write")


def may_read(request: Request, x_api_key: Annotated[str | None, Header()] = None) -> ApiKey:
    """Let only keys with the read scope in; raises ``NotAllowed``."""
    return services_of(request).keys.allow(x_api_key, "read")


Writer = Annotated[ApiKey, Depends(may_write)]


class CalendarOrder(BaseModel):
    """Whose calendar, and whether its content is synced in full."""

    model_config = ConfigDict(extra="forbid")

    kuerzel: str = Field(ALL, description="one employee, or ALL", pattern=r"^[A-Za-z0-9ÄÖÜäöüß_-]{1,16}$")
    full_content: bool = True


class CalendarTriggered(BaseModel):
    """The run was launched."""

    status: Literal["triggered"] = "triggered"
    kuerzel: str
    run_id: str
    message: str


class SyncTriggered(BaseModel):
    """The run was launched."""

    status: Literal["triggered"] = "triggered"
    entity: EntityName
    id: str
    dry_run: bool
    run_id: str


def _unavailable(reason: str) -> JSONResponse:
    return JSONResponse({"error": reason}, 503, {"Retry-After": "30"})


@router.post(
    "/advoware/calendar/sync",
    status_code=202,
    response_model=CalendarTriggered,
    responses=problems(401, 403, 404, 408, 409, 413, 503),
)
async def sync_calendar(
    request: Request, caller: Writer, order: CalendarOrder | None = None
) -> JSONResponse | CalendarTriggered:
    """Launch a sync of one or all calendars, unless it is running already."""
    services, order = services_of(request), order or CalendarOrder()
    kuerzel = order.kuerzel.upper()
    try:
        if kuerzel != ALL and not await _is_employee(services, kuerzel):
            return JSONResponse({"error": "no active employee has this Kürzel"}, 404)
        async with services.calendar_turn:
            if await _is_under_way(services, kuerzel):
                return JSONResponse({"error": "a sync of this calendar is under way"}, 409)
            run_id = await _launch(services, kuerzel, full_content=order.full_content)
    except LaunchFailed as problem:
        _log.warning("calendar sync not launched: %s", problem)
        return _unavailable("Dagster did not launch the run")
    except (StoreError, ForeignSystemError, TimeoutError) as problem:
        _log.warning("employees not known: %s", type(problem).__name__)
        return _unavailable("the employees are not known now")
    _log.info("calendar sync %s launched for caller=%s as run %s", kuerzel, caller.name, run_id)
    who = "all employees" if kuerzel == ALL else kuerzel
    return CalendarTriggered(kuerzel=kuerzel, run_id=run_id, message=f"Calendar sync of {who} was launched")


async def _launch(services: GatewayServices, kuerzel: str, *, full_content: bool) -> str:
    config = Calendars(kuerzel=[] if kuerzel == ALL else [kuerzel], full_content=full_content).run_config()
    tags = {"vmh/kuerzel": kuerzel}
    if kuerzel != ALL:
        tags[ENTITY_TAG] = f"kalender:{kuerzel}"  # a queue of its own: it waits for no first load of a colleague
    return await services.launcher.launch(CALENDAR_JOB, config, Trigger.PERSON, tags)


async def _is_employee(services: GatewayServices, kuerzel: str) -> bool:
    """Whether we synced this employee before; only an unknown one is looked up in Advoware."""
    if await services.store.read(lambda tx: tx.calendar_states.get(kuerzel) is not None):
        return True
    async with asyncio.timeout(ASK_ADVOWARE_SECONDS):
        employees = await services.advoware.list_mitarbeiter()
    return any((employee.kuerzel or "").upper() == kuerzel for employee in employees)


async def _is_under_way(services: GatewayServices, kuerzel: str) -> bool:
    """Whether what is asked for is synced now, or by a run that waits to begin.

    A run of several that has come to its writes concerns those only whose lease is held: the others are done, or wait
    behind a long first load, for which nobody else has to wait. A run of all skips who is busy. A run of those whose
    change Google has told covers only them.
    """
    runs = await services.launcher.active_runs(CALENDAR_JOB)
    told = [run for run in runs if _config(run).get("rung")]
    covering = [run for run in runs if run not in told and (not _named(run) or kuerzel in _named(run))]
    if not covering:
        return False
    if any(run.status in BEFORE_START or _named(run) == [kuerzel] for run in covering):
        return True
    busy, known = await _busy(services)
    if not busy:
        return True  # it reads, or is about to end
    return known <= busy if kuerzel == ALL else kuerzel in busy


async def _busy(services: GatewayServices) -> tuple[set[str], set[str]]:
    """Return the employees whose calendar is written now, and all that were ever synced."""
    known = await services.store.read(lambda tx: {state.kuerzel.upper() for state in tx.calendar_states.all()})
    if services.redis is None:
        return set(), known
    leases = house_leases(services.redis, services.store, services.settings.house)
    try:
        return {name for name in known if await leases.holder(lease_name(name)) is not None}, known
    except CoordinationUnavailable:
        return set(), known


def _named(run: Run) -> list[str]:
    """The employees of a run: its partition, or what stands in its configuration."""
    if partition := run.tags.get("dagster/partition"):
        return [partition.upper()]
    named = [str(name).upper() for name in _config(run).get("kuerzel") or []]
    return [] if ALL in named else named


def _config(run: Run) -> Mapping[str, Any]:
    ops = run.config.get("ops") or {}
    return next((op.get("config") or {} for op in ops.values()), {})


@router.post(
    "/vmh/sync/{entity}/{espo_id}",
    status_code=202,
    response_model=SyncTriggered,
    responses=problems(401, 403, 408, 413, 503),
)
async def sync_record(
    request: Request, caller: Writer, entity: EntityName, espo_id: EspoId, dry_run: Annotated[bool, Query()] = False
) -> JSONResponse | SyncTriggered:
    """Launch a sync of one record, or a dry run that only shows what would be written."""
    config = {"ids": [espo_id], "dry_run": dry_run}
    try:
        run_id = await services_of(request).launcher.launch(job_of(entity), config, Trigger.PERSON)
    except LaunchFailed as problem:
        _log.warning("%s %s: not launched: %s", entity, espo_id, problem)
        return _unavailable("Dagster did not launch the run")
    _log.info("%s %s: run %s launched for caller=%s", entity, espo_id, run_id, caller.name)
    return SyncTriggered(entity=entity, id=espo_id, dry_run=dry_run, run_id=run_id)
