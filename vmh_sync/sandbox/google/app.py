"""The ASGI app: token service, calendar API and batch endpoint over HTTP."""

import json
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vmh_sync.sandbox.google.api import ApiRequest, ApiResponse, CalendarApi
from vmh_sync.sandbox.google.batch import answer_batch
from vmh_sync.sandbox.google.channels import HttpPost, Post
from vmh_sync.sandbox.google.config import GoogleConfig
from vmh_sync.sandbox.google.errors import ApiError
from vmh_sync.sandbox.google.hooks import GoogleHooks
from vmh_sync.sandbox.google.keys import key_for
from vmh_sync.sandbox.google.quota import QuotaMeter
from vmh_sync.sandbox.google.tokens import GrantError, TokenService
from vmh_sync.sandbox.google.world import World

_JSON = "application/json; charset=UTF-8"
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def create_google(config: GoogleConfig | None = None, post: Post | None = None) -> tuple[Starlette, GoogleHooks]:
    """Return the ASGI app of a simulated Google Calendar and its back door.

    The app answers ``/token``, ``/calendar/v3/…`` and ``/batch/calendar/v3``; the product needs its root address as
    ``GOOGLE_CALENDAR_API_ENDPOINT`` and ``hooks.service_account_key(base_url)`` as key file. ``post`` delivers the
    messages of channels, by HTTP unless given.
    """
    settings = config or GoogleConfig()
    key = key_for(settings.service_account_email)
    post = post or HttpPost()

    def build() -> CalendarApi:
        return CalendarApi(World(settings), TokenService(settings, key), QuotaMeter(settings), post)

    hooks = GoogleHooks(settings, key, build)
    doors = _Doors(hooks)
    routes = [
        Route("/token", doors.token, methods=["POST"]),
        Route("/batch/calendar/v3", doors.batch, methods=["POST"]),
        Route("/calendar/v3/{path:path}", doors.api, methods=_METHODS),
    ]
    return Starlette(routes=routes), hooks


class _Doors:
    """HTTP in, HTTP out."""

    def __init__(self, hooks: GoogleHooks) -> None:
        self._hooks = hooks

    async def token(self, request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode("utf-8")).items()}
        try:
            return _json(200, self._hooks.api.tokens.grant(form))
        except GrantError as error:
            return _json(error.status, error.body())

    async def api(self, request: Request) -> Response:
        query = parse_qs(request.url.query, keep_blank_values=True)
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.body()
        asked = ApiRequest(request.method, request.path_params["path"], query, headers, body)
        return _response(self._hooks.api.handle(asked))

    async def batch(self, request: Request) -> Response:
        headers = request.headers
        try:
            content_type, body = answer_batch(
                self._hooks.api,
                headers.get("content-type", ""),
                headers.get("authorization", ""),
                await request.body(),
            )
        except ApiError as error:
            return _response(ApiResponse(error.status, error.body()))
        return Response(body, 200, media_type=content_type)


def _response(answer: ApiResponse) -> Response:
    if answer.body is None:
        return Response(status_code=answer.status, headers=dict(answer.headers))
    return _json(answer.status, answer.body, dict(answer.headers))


def _json(status: int, body: object, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status, headers=headers, media_type=_JSON)
