"""The gateway as an ASGI app; ``python -m vmh_sync.gateway`` serves it (limits and silence are set there)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse

from vmh_sync.engine.passes.opening import PassSettings
from vmh_sync.entities import add_packages
from vmh_sync.examples import ticketing
from vmh_sync.examples.ticketing.desk import open_desk
from vmh_sync.examples.ticketing.routes import ticket_router
from vmh_sync.gateway.advoware import proxy
from vmh_sync.gateway.events import google_push
from vmh_sync.gateway.events.webhooks import webhook_router
from vmh_sync.gateway.http.body_limit import BodyLimit
from vmh_sync.gateway.http.documented import RECORD_SCHEMA
from vmh_sync.gateway.http.listening import require_keys
from vmh_sync.gateway.http.replies import unusable_field
from vmh_sync.gateway.keys import KeyRing, NotAllowed, key_ring
from vmh_sync.gateway.monitoring import health, metrics
from vmh_sync.gateway.pages import morning_page
from vmh_sync.gateway.pages.endpoints_page import docs_router
from vmh_sync.gateway.requests import record_state, triggers
from vmh_sync.gateway.requests.triggers import may_read, may_write
from vmh_sync.gateway.services import open_services, services_of
from vmh_sync.settings import GoogleCalendarSettings, load


def create_app(settings: PassSettings | None = None) -> FastAPI:
    """Make the app; without ``settings`` they come from the environment.

    Raises ``SettingsError`` for missing or bad settings, and when a public address is set without API keys;
    ``UnusableEntity`` for a package in ``VMH_ENTITIES`` that offers none.
    """
    settings = settings or PassSettings.read()
    add_packages(settings.house.entities)
    keys = key_ring(settings.house.api_keys)
    require_keys(settings.house.gateway_host, len(keys))
    quota = load(GoogleCalendarSettings).quota_per_minute
    app = FastAPI(
        title="vmh_sync",
        version=version("vmh-sync"),
        lifespan=_lifespan(settings, keys, quota),
        docs_url=None,
        redoc_url=None,
    )
    # A redirect would name whatever host the caller named, and EspoCRM takes it for a success and drops the event.
    app.router.redirect_slashes = False
    app.add_middleware(BodyLimit)
    app.add_exception_handler(NotAllowed, _not_allowed)
    app.add_exception_handler(RequestValidationError, unusable_field)
    app.include_router(webhook_router())
    for endpoints in (google_push, proxy, triggers, record_state, health, metrics, morning_page):
        app.include_router(endpoints.router)
    if ticketing.NAME in settings.house.examples:
        app.include_router(_ticketing(settings))
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    app.include_router(docs_router(app.openapi))
    return app


def _ticketing(settings: PassSettings) -> APIRouter:
    desk = open_desk(settings.house)
    return ticket_router(
        reader=Depends(may_read),
        writer=Depends(may_write),
        desk=lambda _request: desk,
        clock=lambda request: services_of(request).clock,
    )


def _lifespan(settings: PassSettings, keys: KeyRing, google_quota: int) -> Any:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_services(settings, keys, google_quota) as services:
            app.state.services = services
            yield

    return lifespan


async def _not_allowed(_: Request, problem: Exception) -> JSONResponse:
    status = problem.status if isinstance(problem, NotAllowed) else 401
    return JSONResponse({"error": str(problem)}, status)


def _document(app: FastAPI) -> dict[str, Any]:
    if not app.openapi_schema:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        document.setdefault("components", {}).setdefault("schemas", {})["Record"] = RECORD_SCHEMA
        app.openapi_schema = document
    return app.openapi_schema
