"""The proxy to Advoware (specification, http-endpoints.md 2).

The target is always a path below the configured API base; no caller can name another host. One audit line for each
call says who, method, path, status and milliseconds, never a body or a query.
"""

import asyncio
import json
import logging
import time
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from vmh_sync.gateway.advoware.paths import BadPath, segments_of
from vmh_sync.gateway.advoware.upstream import Answer, by_error, by_status
from vmh_sync.gateway.http.call_metrics import PROXY_CALLS, PROXY_SECONDS
from vmh_sync.gateway.http.documented import Problem, problems
from vmh_sync.gateway.http.replies import SafeJson
from vmh_sync.gateway.keys import ApiKey, NotAllowed
from vmh_sync.gateway.services import GatewayServices, services_of
from vmh_sync.systems.advoware.errors import AdvowareError

_audit = logging.getLogger("vmh_sync.gateway.audit")

PATH = "/advoware/proxy"
SPARE_SECONDS = 5.0

router = APIRouter(tags=["advoware"])


class Result(BaseModel):
    """Advoware's answer."""

    result: Any


class UpstreamProblem(Problem):
    """What Advoware said, or why it could not be asked."""

    details: Any = None
    upstream_status: int | None = None


_DOCUMENTED = {
    201: {"model": Result, "description": "Created"},
    **problems(401, 403, 408, 413),
    **problems(400, 404, 409, 422, 502, 503, 504, model=UpstreamProblem),
    405: {"model": UpstreamProblem, "description": "Advoware does not offer this"},
}


class _BadRequest(ValueError):
    """The call can never be passed on; ``str`` says why."""


async def _proxy(
    request: Request,
    endpoint: Annotated[str | None, Query(description="path below the API base, for example Beteiligte/4711")] = None,
    path: Annotated[str | None, Query(description="second name of endpoint")] = None,
    x_api_key: Annotated[str | None, Header()] = None,
) -> JSONResponse:
    """Pass one call on to Advoware; all other query parameters and the JSON body go with it."""
    started = time.perf_counter()
    services = services_of(request)
    target = endpoint or path or ""
    caller, shown = "?", "?"
    try:
        key = services.keys.allow(x_api_key, "read" if request.method == "GET" else "write")
        caller = key.name
        segments = _target(key, target)
        shown = "/".join(segments)
        answer = await _pass_on(request, services, shown, named_endpoint=bool(endpoint))
    except NotAllowed as problem:
        answer = Answer(problem.status, {"error": str(problem)})
    except (BadPath, _BadRequest) as problem:
        answer = Answer(400, {"error": str(problem)})
    seconds = time.perf_counter() - started
    PROXY_CALLS.labels(request.method, str(answer.status)).inc()
    PROXY_SECONDS.observe(seconds)
    _audit.info("caller=%s %s %s status=%d ms=%d", caller, request.method, shown, answer.status, seconds * 1000)
    return _rendered(answer)


def _rendered(answer: Answer) -> JSONResponse:
    try:
        return SafeJson(answer.content, answer.status, answer.headers)
    except (ValueError, RecursionError):
        return SafeJson({"error": "Advoware's answer is not JSON", "details": None, "upstream_status": None}, 502)


def _target(key: ApiKey, target: str) -> tuple[str, ...]:
    if not target:
        raise _BadRequest("Endpoint required as query param")
    segments = segments_of(target)
    if not key.reaches(segments):
        raise NotAllowed(403, "this key does not reach that path")
    return segments


async def _pass_on(request: Request, services: GatewayServices, target: str, *, named_endpoint: bool) -> Answer:
    own = {"endpoint"} if named_endpoint else {"endpoint", "path"}
    params = [(name, value) for name, value in request.query_params.multi_items() if name not in own]
    body = _json_body(await request.body()) if request.method != "GET" else None
    # A read is repeated by the client; the caller does not wait for all of that.
    seconds = services.settings.advoware.api_timeout_seconds + SPARE_SECONDS
    try:
        async with asyncio.timeout(seconds):
            found = await services.advoware.request(request.method, target, params or None, body)
    except AdvowareError as error:
        return by_error(error)
    except TimeoutError:
        return Answer(504, {"error": "Advoware did not answer in time", "details": None, "upstream_status": None})
    except ValueError:
        raise _BadRequest("this call cannot be sent to Advoware") from None
    return by_status(found)


def _json_body(body: bytes) -> Any:
    if not body.strip():
        return None
    try:
        return json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise _BadRequest("the body is not JSON") from None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


for _method in ("GET", "POST", "PUT", "DELETE"):
    router.add_api_route(
        PATH,
        _proxy,
        methods=[_method],
        name=f"proxy_{_method.lower()}",
        operation_id=f"proxy_{_method.lower()}",
        response_model=Result,
        responses=_DOCUMENTED,
    )
