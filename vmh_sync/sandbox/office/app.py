"""Puts the simulated Advoware together (specification, advoware-wire.md)."""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from vmh_sync.sandbox.office.answers import ApiError
from vmh_sync.sandbox.office.config import (
    API_PATH,
    CONFIGURATOR_PATH,
    CONNECTOR_PATH,
    RELAY_PATH,
    SECURITY_PATH,
    OfficeConfig,
)
from vmh_sync.sandbox.office.fields import BadValueError
from vmh_sync.sandbox.office.hooks import OfficeHooks
from vmh_sync.sandbox.office.parties import PartyCalls
from vmh_sync.sandbox.office.records import Office
from vmh_sync.sandbox.office.termine import CalendarCalls
from vmh_sync.sandbox.office.token import OFFLINE_OFFICE, UNKNOWN_OFFICE, Gate

Handler = Callable[[Request], Awaitable[Response]]


def create_office(config: OfficeConfig) -> tuple[Starlette, OfficeHooks]:
    """Return the ASGI app of a simulated Advoware and its control hooks.

    Discovery stands at ``CONFIGURATOR_PATH``, login at ``SECURITY_PATH``, the API below ``RELAY_PATH`` and, when
    the switch ``connector`` is on, below ``CONNECTOR_PATH`` as well.
    """
    office = Office(config)
    gate = Gate(config, office)
    guard = _guard(office, gate)
    party, calendar = PartyCalls(office), CalendarCalls(office)
    kinds = "{kind:str}"
    api = [
        Route("/Beteiligte/{betnr:int}", guard(party.one), methods=["GET", "PUT", "DELETE"]),
        Route("/Beteiligte", guard(party.collection), methods=["GET", "POST"]),
        Route(f"/Beteiligte/{{betnr:int}}/{kinds}", guard(_known_kind(party.children)), methods=["GET", "POST"]),
        Route(
            f"/Beteiligte/{{betnr:int}}/{kinds}/{{id:int}}", guard(_known_kind(party.child)), methods=["PUT", "DELETE"]
        ),
        Route("/Termine", guard(calendar.termine), methods=["GET", "POST", "PUT", "DELETE"]),
        Route("/Mitarbeiter", guard(calendar.employees), methods=["GET"]),
    ]
    prefix = API_PATH.rstrip("/")
    app = Starlette(
        routes=[
            Mount(f"{RELAY_PATH}{prefix}", routes=api),
            Mount(f"{CONNECTOR_PATH}{prefix}", routes=api),
            Route(f"{CONFIGURATOR_PATH}/Url", gate.discover, methods=["GET"]),
            Route(f"{SECURITY_PATH}/api/v1/Token", gate.issue, methods=["POST"]),
        ],
        exception_handlers={HTTPException: _not_found},
    )
    return app, OfficeHooks(office, gate)


def _guard(office: Office, gate: Gate) -> Callable[[Handler], Handler]:
    def guard(handler: Handler) -> Handler:
        async def guarded(request: Request) -> Response:
            if office.switches.office != "online":
                text = OFFLINE_OFFICE if office.switches.office == "offline" else UNKNOWN_OFFICE
                return PlainTextResponse(text, 500)
            if not gate.admits(request):
                return PlainTextResponse("Die Anmeldung ist abgelaufen.", 401)
            try:
                return await handler(request)
            except ApiError as error:
                return error.response()
            except BadValueError as error:
                return ApiError(400, str(error), as_json=True).response()

        return guarded

    return guard


def _known_kind(handler: Handler) -> Handler:
    async def known(request: Request) -> Response:
        if request.path_params["kind"] not in ("Kommunikationen", "Adressen", "Bankverbindungen"):
            raise ApiError(404, "Die Ressource wurde nicht gefunden.")
        return await handler(request)

    return known


async def _not_found(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    return PlainTextResponse("Die Ressource wurde nicht gefunden.", status)
